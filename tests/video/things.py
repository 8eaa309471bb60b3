"""Detections made elsewhere, and their scores."""

from __future__ import annotations

from typing import Any

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from tests.video.detection_generators import TARGETS

OBJECT_METRICS = tuple(name for name in TARGETS if name != "scene")
Thing = dict[str, Any]


def content(value: Any) -> Content:
    return Content(text=value) if isinstance(value, str) else Content(json=value)


def scored(metric_id: str, pairs: list[tuple[Any, Any]], attributes: dict[str, Any] | None = None, **parameters: Any) -> tuple[Value, list[Issue]]:
    """The value of (prediction, reference) pairs; a prediction of None is missing."""
    if metric_id != "scene":
        parameters = {"detector": "supplied", **parameters}
    scorer = Scorer.of(load("video"), metric_id, {"frames": 0, **parameters})
    samples = [
        RawSample(str(i), None if found is None else Content(json=found), (content(target),),
                  Presence.PREDICTION_MISSING if found is None else Presence.BOTH, attributes or {})
        for i, (found, target) in enumerate(pairs)
    ]  # fmt: skip
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def found(*frames: list[Thing], detector: str = "grit-b") -> dict[str, Any]:
    return {"detector": detector, "frames": list(frames)}


def thing(label: str, box: list[float] | None = None, score: float = 0.9, description: str = "") -> Thing:
    return {"label": label, "score": score, "description": description} | ({"box": box} if box else {})
