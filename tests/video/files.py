"""Files and samples of the video tests."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_video.app import EVALUATOR
from tests import oracle_programs


def npz(name: str = "a.npz", **arrays: NDArray[Any]) -> Content:
    """Arrays as a .npz file in memory."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return Content(media=media.from_bytes(buffer.getvalue(), name))


def picture(pixels: NDArray[Any], name: str = "a.png", form: str = "PNG") -> media.Blob:
    """A picture file in memory."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return media.from_bytes(buffer.getvalue(), name)


def pictures(frames: NDArray[Any]) -> Content:
    """A list of PNG files."""
    return Content(json=[picture(frame, f"{place:05d}.png") for place, frame in enumerate(frames)])


def text_file(text: str, name: str = "track.txt") -> Content:
    """A text file."""
    return Content(media=media.from_bytes(text.encode(), name))


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Plain run lengths of a mask."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(np.r_[False, flat, not flat[-1]]))
    return {"size": list(mask.shape), "counts": np.diff(np.r_[0, edges]).tolist()}


def sample(key: str, prediction: Content | None, reference: Content, **attributes: Any) -> RawSample:
    """A sample, whose prediction may be missing."""
    return RawSample(key, prediction, (reference,), Presence.BOTH if prediction else Presence.PREDICTION_MISSING, attributes)


def result(metric: str, samples: Sequence[RawSample], **parameters: Any) -> tuple[Value, list[Issue]]:
    """Value and issues of samples."""
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def value_of(metric: str, pairs: Sequence[tuple[Content | None, Content]], **parameters: Any) -> Value:
    """Value of pairs, which must be without fault."""
    value, issues = result(metric, [sample(str(place), *pair) for place, pair in enumerate(pairs)], **parameters)
    assert [issue for issue in issues if issue.severity != "warning"] == []
    return value


def issue_of(metric: str, prediction: Content, reference: Content, attributes: dict[str, Any] | None = None, **parameters: Any) -> tuple[str, str]:
    """Code and severity of the one issue of a sample; it must say what to do."""
    _, issues = result(metric, [sample("1", prediction, reference, **(attributes or {}))], **parameters)
    assert len(issues) == 1, issues
    assert issues[0].message
    assert issues[0].remedy
    return issues[0].code, issues[0].severity


def run_oracle(what: str, folder: Path, **arrays: NDArray[Any]) -> Any:
    """What `oracle_maps.py` finds for arrays."""
    np.savez(folder / "arrays.npz", **arrays)
    program = Path(__file__).with_name("oracle_maps.py")
    return oracle_programs.run_oracle("video", program, {"what": what, "file": str(folder / "arrays.npz")})
