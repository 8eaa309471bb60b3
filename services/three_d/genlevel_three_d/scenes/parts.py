"""Parts of ShapeNetPart's categories, and the mean IoU of the parts of shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PARTS = {
    "airplane": range(4), "bag": range(4, 6), "cap": range(6, 8), "car": range(8, 12), "chair": range(12, 16), "earphone": range(16, 19),
    "guitar": range(19, 22), "knife": range(22, 24), "lamp": range(24, 28), "laptop": range(28, 30), "motorbike": range(30, 36),
    "mug": range(36, 38), "pistol": range(38, 41), "rocket": range(41, 44), "skateboard": range(44, 47), "table": range(47, 50),
}  # fmt: skip
"""Numbers of the 50 parts by category."""
_SYNSETS = (
    "02691156", "02773838", "02954340", "02958343", "03001627", "03261776", "03467517", "03624134", "03636649", "03642806", "03790512", "03797390",
    "03948459", "04099429", "04225987", "04379243",
)  # fmt: skip
CATEGORIES = {name: place for place, name in enumerate(PARTS)} | {synset: place for place, synset in enumerate(_SYNSETS)}
"""Place of a category by its name or its WordNet synset."""
UNKNOWN = -1
"""Category of a shape that names none."""


def parts_of(category: int, labels: Sequence[int]) -> NDArray[np.int64]:
    """The parts a category can have.

    Args:
        category: place in `PARTS`, or any other number.
        labels: the labels that its references have in the data set.
    """
    if 0 <= category < len(PARTS):
        table = list(PARTS.values())[category]
        if set(labels) <= set(table):
            return np.array(table, np.int64)
    return np.unique(np.array(labels, np.int64))


def shape_iou(triples: NDArray[np.int64], parts: NDArray[np.int64]) -> float:
    """Mean IoU of the parts of one shape; a part on neither side counts 1.

    >>> shape_iou(np.array([[12, 12, 3], [13, 12, 1]]), np.array([12, 13, 14, 15]))
    0.6875
    """
    true, guess, count = triples.T
    values = []
    for part in parts.tolist():
        both = int(count[(true == part) & (guess == part)].sum())
        either = int(count[(true == part) | (guess == part)].sum())
        values.append(both / either if either else 1.0)
    return float(np.mean(values))
