"""Picture files and samples for tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence


def encoded(pixels: NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def file_of(data: bytes, name: str = "a.png") -> Content:
    """A content of one file."""
    return Content(media=media.from_bytes(data, name))


def array_of(values: NDArray[Any]) -> Content:
    """A content of one .npy file."""
    file = io.BytesIO()
    np.save(file, values)
    return file_of(file.getvalue(), "a.npy")


def sample(key: str, prediction: Content | None, reference: Content | None) -> RawSample:
    """A sample of the sides that are there."""
    if reference is None:
        return RawSample(key, prediction, (), Presence.PREDICTION_ONLY)
    return RawSample(key, prediction, (reference,), Presence.BOTH if prediction else Presence.PREDICTION_MISSING)


def photo(random: Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A smooth random picture."""
    coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def run_lengths(mask: NDArray[np.bool_]) -> Content:
    """Plain run lengths of a mask."""
    flat = np.r_[False, mask.T.ravel(), not mask.T.ravel()[-1]]
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.r_[0, edges]).tolist()
    return Content(json={"size": list(mask.shape), "counts": counts})
