"""Samples of the metrics that stand on what is found in frames: clips under their stand-in, detections and captions made elsewhere."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

TARGETS: dict[str, tuple[Any, ...]] = {
    "object_class": ("a cat", "The banana.", {"object": "dogs"}),
    "multiple_objects": ("a cat and a banana", "A dog and a cup.", {"object": "cat and dog"}),
    "color": ("a red banana", {"color": "grey", "object": "a cat"}, "A white cup."),
    "spatial_relationship": ("a cat on the left of a dog", {"object_a": "cup", "object_b": "banana", "relationship": "on top of"}, "A dog below a cat."),
    "scene": ("beach", "An amusement park.", {"scene": "bars"}),
}
LABELS = ("cat", "Dog", "a banana", "cups", "car")
SAYINGS = ("a red thing", "a colored thing", "grey stone", "something white", "")
CAPTIONS = ("a dog on a beach", "an amusement park at night", "a barn", "people at the bar")


def target(metric_id: str, number: int) -> Content:
    """A reference, in one of its forms."""
    found = TARGETS[metric_id][number % len(TARGETS[metric_id])]
    return Content(text=found) if isinstance(found, str) else Content(json=found)


def detections(random: Generator, frames: int, detector: str = "GRiT b") -> dict[str, Any]:
    """Random detections, with ties of scores, boxes that touch, and frames without any."""
    return {"detector": detector, "frames": [[_detection(random) for _ in range(random.integers(0, 5))] for _ in range(frames)]}


def _detection(random: Generator) -> dict[str, Any]:
    left, top = random.integers(0, 20, 2).tolist()
    found = {"label": str(random.choice(LABELS)), "box": [left, top, left + int(random.integers(0, 9)), top + int(random.integers(0, 9))]}
    if random.random() < 0.8:
        found["score"] = float(random.choice((0.2, 0.5, 0.9)))
    return found | {"description": str(random.choice(SAYINGS))}


def clips(metric_id: str, random: Generator, count: int) -> list[RawSample]:
    """Clips of one small frame, the default detector's food; the colour of the first is asked for, and one is missing."""
    samples = []
    for index in range(count):
        frames = np.full((1, 8, 8, 3), random.integers(0, 256, 3), np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, frames=frames)
        given = None if index % 7 == 3 else Content(media=media.from_bytes(buffer.getvalue(), "clip.npz"))
        samples.append(RawSample(str(index), given, (target(metric_id, index),), Presence.BOTH if given else Presence.PREDICTION_MISSING))
    return samples


def captioned(random: Generator, count: int) -> list[RawSample]:
    """Captions of sixteen frames; one is missing."""
    samples = []
    for index in range(count):
        captions = [str(random.choice(CAPTIONS)) for _ in range(16)]
        given = None if index % 7 == 3 else Content(json={"captioner": "Tag2Text", "captions": captions})
        samples.append(RawSample(str(index), given, (target("scene", index),), Presence.BOTH if given else Presence.PREDICTION_MISSING))
    return samples


def supplied(metric_id: str, random: Generator, count: int, frames: int = 4) -> list[RawSample]:
    """Supplied detections; one is missing."""
    samples = []
    for index in range(count):
        given = None if index % 7 == 3 else Content(json=detections(random, frames))
        samples.append(RawSample(str(index), given, (target(metric_id, index),), Presence.BOTH if given else Presence.PREDICTION_MISSING))
    return samples


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    **{metric_id: functools.partial(clips, metric_id) for metric_id in TARGETS if metric_id != "scene"}, "scene": captioned,
}  # fmt: skip
