"""One metric in one process: samples as plain values in, a value out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Code, EvaluatorError, Issue, SampleError
from genlevel_evaluator.evaluator import installed, load
from genlevel_evaluator.kinds import Content, InputKind, with_files
from genlevel_evaluator.metric import Presence

_OWN_KEYS = {"id", "prediction", "reference", "references", "presence"}


@dataclass(frozen=True)
class Result:
    """A value and the samples that were not scored as given."""

    value: float | None
    detail: Value
    issues: tuple[Issue, ...]


def score(
    metric: str,
    samples: Iterable[Mapping[str, Any]],
    *,
    evaluator: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    folder: str | Path = ".",
) -> Result:
    """Scores samples with one metric, in this process.

    Args:
        metric: canonical identifier such as `chamfer_distance`.
        samples: objects with `id`, `prediction`, `reference` (one answer) or `references` (alternatives); other keys are attributes.
            A side that is left out is missing. Media are paths relative to `folder`, or `{"name", "base64"}`.
        evaluator: which evaluator, where several have the metric.
        parameters: what differs from the defaults.
        folder: where relative paths begin.

    Returns:
        The value in the metric's unit, with signature, interval, companions and issues.

    Raises:
        EvaluatorError: unknown metric or parameter, or a sample without an id.

    >>> score("accuracy", [{"id": 1, "prediction": "B", "reference": "b"}, {"id": 2, "prediction": "a", "reference": "c"}]).value
    50.0
    """
    owner = load(evaluator or _owner(metric))
    scorer = Scorer.of(owner, metric, parameters)
    kind = owner.kinds[scorer.metric.input_kind]
    alone = scorer.metric.set_metric
    rows, issues = scorer.observe([_sample(sample, kind, Path(folder), alone) for sample in samples])
    detail = scorer.finalize(rows)
    return Result(detail.value, detail, tuple(issues))


def _owner(metric: str) -> str:
    homes = [name for name in sorted(installed()) if metric in load(name).metric_ids]
    if len(homes) == 1:
        return homes[0]
    if homes:
        raise EvaluatorError(
            Code.INVALID_ARGUMENT, "SEVERAL_EVALUATORS", f"{metric} is in {', '.join(homes)}", "say which with `evaluator`"
        )
    known = {metric_id: name for name in installed() for metric_id in load(name).metric_ids}
    import difflib

    near = difflib.get_close_matches(metric, known, n=3)
    raise EvaluatorError(
        Code.NOT_FOUND, "UNKNOWN_METRIC", f"no installed evaluator has a metric {metric!r}",
        f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(sorted(known))}",
    )


def _sample(given: Mapping[str, Any], kind: InputKind, folder: Path, set_metric: bool) -> RawSample:
    faults: list[SampleError] = []
    answers = given["references"] if "references" in given else [given["reference"]] if "reference" in given else []
    if not isinstance(answers, list | tuple):
        raise EvaluatorError(Code.INVALID_ARGUMENT, "BAD_SAMPLE", f"sample {given.get('id')!r}: references is not a list", "give a list of alternatives")
    references = [_content(answer, "reference", kind, folder, faults) for answer in answers]
    prediction = None
    if given.get("prediction") is not None:
        prediction = _content(given["prediction"], "prediction", kind, folder, faults)
    presence = Presence.BOTH if given.get("prediction") is not None else Presence.PREDICTION_MISSING
    presence = Presence.PREDICTION_ONLY if not answers else presence
    # A reference alone is a member of the real set in a set metric, and not a prediction that is missing.
    if given.get("presence") == "reference_only" or (set_metric and presence is Presence.PREDICTION_MISSING):
        presence = Presence.REFERENCE_ONLY
    attributes = {key: value for key, value in given.items() if key not in _OWN_KEYS}
    kept = tuple(reference for reference in references if reference is not None)
    return RawSample(str(given.get("id", "")), prediction, kept, presence, attributes, tuple(faults))


def _content(value: Any, side: str, kind: InputKind, folder: Path, faults: list[SampleError]) -> Content | None:
    """An answer as content. Strings are paths where the input kind says so."""
    try:
        if isinstance(value, Mapping) and set(value) == {"name", "base64"}:
            return Content(media=media.from_bytes(_decode_base64(value["base64"]), str(value["name"])))
        if isinstance(value, str):
            return Content(media=media.from_path(folder / value, value)) if kind.takes_paths(side) else Content(text=value)
        return Content(json=with_files(value, kind.files_at, lambda file: _file(file, folder), strings=True))
    except SampleError as error:
        error.side = side
        faults.append(error)
        return None


def _file(given: Mapping[str, Any] | str, folder: Path) -> media.Blob | Mapping[str, Any]:
    """A file at a place where the kind has one."""
    if isinstance(given, str):
        return media.from_path(folder / given, given)
    if set(given) == {"name", "base64"}:
        return media.from_bytes(_decode_base64(given["base64"]), str(given["name"]))
    return given


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise SampleError("BAD_BASE64", "inline media is not base64", remedy="encode the file as base64") from None
