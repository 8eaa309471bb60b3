"""Clips and samples of the tests of frames, and networks whose features a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.pixels.pictures import Picture
from genlevel_video.app import EVALUATOR
from tests.video.files import npz

ALONE = ("subject_consistency", "background_consistency", "temporal_flickering", "aesthetic_quality", "imaging_quality", "musiq")
STEADY = ALONE[:3]
TEXTED = ("appearance_style", "frame_accuracy")


def clip(frames: NDArray[Any], fps: float = 8.0) -> Content:
    return npz(frames=frames, fps=np.array(fps))


def photo(name: str, width: int = 40, height: int = 30) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(getattr(data, name)()).resize((width, height)))


def raw(key: str, prediction: Content | None, *references: Content, **attributes: Any) -> RawSample:
    presence = Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH if references else Presence.PREDICTION_ONLY
    return RawSample(key, prediction, references, presence, attributes)


def result(metric: str, samples: Sequence[RawSample], provider: Any = None, **parameters: Any) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(replace(EVALUATOR, provider=provider), metric, parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


class Told:
    """Networks whose features the test says: a frame has the direction of its first byte, a text and a picture what they are told."""

    def __init__(self, table: NDArray[np.float32], words: dict[str, NDArray[np.float32]] | None = None) -> None:
        self._table, self._words = table, words or {}

    def device(self, name: str) -> str:
        return "told"

    def prepare(self, name: str, value: Any) -> Any:
        return value

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        return [self._one(name, value) for value in values]

    def together(self, names: Sequence[str], values: Sequence[Any], check: Callable[[], None]) -> list[Sequence[Any]]:
        return [[self._one(name, value) for name in names] for value in values]

    def _one(self, name: str, value: Any) -> Any:
        if isinstance(value, Caption):
            return self._words[value.text]
        if isinstance(value, Picture):
            return self._table[value.pixels[0, 0, 0]]
        frames = [frame for _, frame in value.read()]
        return np.array([[9.0, 1.0, 256.0]], np.float32) if name in ("dis", "raft-things") else np.stack([self._table[frame[0, 0, 0]] for frame in frames])


def numbered(*numbers: int) -> Content:
    """A clip whose frames begin with these bytes; the size makes each clip a file of its own."""
    return clip(np.stack([np.full((12, 12 + len(numbers), 3), number, np.uint8) for number in numbers]))
