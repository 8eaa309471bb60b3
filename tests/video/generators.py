"""Small random samples of each metric of the video evaluator, for the common laws."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from tests.video import detection_generators, motion_generators, quality_generators, track_generators


def saved(name: str, **arrays: np.ndarray) -> Content:
    """Arrays as a .npz file in memory."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return Content(media=media.from_bytes(buffer.getvalue(), name))


def flows(random: Generator, count: int) -> list[RawSample]:
    """Flows of a few pixels: dense and sparse references, one without a valid pixel, equal pairs, missing predictions."""
    samples = []
    for index in range(count):
        shape = (int(random.integers(1, 5)), int(random.integers(1, 5)))
        truth = random.normal(size=(*shape, 2)).astype(np.float32) * 5
        guess = truth if index % 5 == 1 else truth + random.normal(size=truth.shape).astype(np.float32)
        valid = np.zeros(shape, bool) if index % 7 == 5 else random.random(shape) < 0.7
        given = None if index % 7 == 3 else saved("prediction.npz", flow=guess)
        presence = Presence.BOTH if given else Presence.PREDICTION_MISSING
        samples.append(RawSample(str(index), given, (saved("reference.npz", flow=truth, valid=valid),), presence))
    return samples


def clips(random: Generator, count: int) -> list[RawSample]:
    """Clips of one to three frames: both sides, one side alone, and a missing prediction."""
    samples = []
    for index in range(count):
        generated, real = (saved("clip.npz", frames=clip(random, int(random.integers(1, 4)))) for _ in range(2))
        kind = (Presence.BOTH, Presence.PREDICTION_ONLY, Presence.REFERENCE_ONLY, Presence.PREDICTION_MISSING)[index % 4]
        prediction = generated if kind in (Presence.BOTH, Presence.PREDICTION_ONLY) else None
        samples.append(RawSample(str(index), prediction, () if kind is Presence.PREDICTION_ONLY else (real,), kind))
    return samples


def clip(random: Generator, count: int, height: int = 10, width: int = 12) -> np.ndarray:
    """Frames of coarse colours that change a little from one to the next."""
    first = random.integers(0, 200, size=(1, height, width, 3))
    drift = random.integers(0, 8, size=(count, height, width, 3)).cumsum(axis=0)
    return np.clip(first + drift, 0, 255).astype(np.uint8)


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {"epe": flows, "fvd": clips, **detection_generators.GENERATORS, **motion_generators.GENERATORS, **track_generators.GENERATORS, **quality_generators.GENERATORS}
