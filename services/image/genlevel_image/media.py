"""Decoded values of the image evaluator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.pixels.pictures import Picture as Picture


@dataclass(frozen=True)
class LabelImage:
    """A class number for every pixel, shape (height, width), int32. `lossy` says that its file had changed the numbers a little."""

    labels: NDArray[np.int32]
    lossy: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.labels.shape[1], self.labels.shape[0]


@dataclass(frozen=True)
class Boxes:
    """Labelled boxes of one picture, as they were given.

    Attributes:
        labels: a stable 64-bit number for each label.
        coordinates: shape (n, 4), in the format and unit the metric's parameters say.
        scores: NaN where a box has none.
        crowd: whether the box stands for a group.
        areas: NaN where the area is that of the box.
        image_size: width and height, where the sample says them.
    """

    labels: NDArray[np.int64]
    coordinates: NDArray[np.float64]
    scores: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    areas: NDArray[np.float64]
    image_size: tuple[float, float] | None = None


@dataclass(frozen=True)
class Instances:
    """Labelled masks of one picture.

    Attributes:
        labels: a stable 64-bit number for each label.
        scores: NaN where a mask has none.
        crowd: whether the mask stands for a group.
        areas: NaN where the area is that of the mask.
        masks: COCO run lengths, compressed.
        size: height and width; None without masks.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    areas: NDArray[np.float64]
    masks: list[dict[str, Any]]
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class People:
    """Keypoints of the people (or other figures) of one picture, as they were given.

    Attributes:
        labels: a stable 64-bit number for each label.
        scores: NaN where a figure has none.
        crowd: whether it stands for a group.
        areas: NaN where none is given.
        points: shape (n, k, 3): x, y, and whether the point is labelled; in the unit the metric's parameters say.
        boxes: shape (n, 4), in the format and unit the metric's parameters say; NaN where none is given.
        image_size: width and height, where the sample says them.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    areas: NDArray[np.float64]
    points: NDArray[np.float64]
    boxes: NDArray[np.float64]
    image_size: tuple[float, float] | None = None
