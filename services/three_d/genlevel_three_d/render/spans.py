"""Rows of samples, and the depth buffer they are written to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_three_d.render.camera import GRID, SUB

Integers = NDArray[np.int64]
PIECE = 1 << 19
"""Samples worked on at once: few enough to stay in the processor's caches."""
MOST_SAMPLES = 1 << 28
"""Samples of one view, hidden ones included: some 20 seconds of work. No mesh that shows anything comes near."""
_ITEMS = 24
"""Bits of a triangle's or point's number, below those of its depth."""


class DepthBuffer:
    """What is nearest at each sample; of two at one depth the first."""

    def __init__(self) -> None:
        self._nearest = np.full(GRID * GRID, -1, dtype=np.int64)
        self._written = 0

    def write(self, place: Integers, depth: Integers, item: Integers) -> None:
        """Offers items at samples, by row-major place."""
        self._written += len(place)
        if self._written > MOST_SAMPLES:
            raise SampleError(
                "TOO_COMPLEX", f"the shape covers itself more than {MOST_SAMPLES // (GRID * GRID)} times over in one view", remedy="remove hidden or repeated faces"
            )
        np.maximum.at(self._nearest, place, (depth << _ITEMS) | ((1 << _ITEMS) - 1 - item))

    def visible(self) -> tuple[Integers, Integers]:
        """Places where there is something, and what."""
        places = np.flatnonzero(self._nearest >= 0)
        return places, (1 << _ITEMS) - 1 - (self._nearest[places] & ((1 << _ITEMS) - 1))


def repeated(counts: Integers) -> tuple[Integers, Integers]:
    """For `counts` of each item: the item, and the running number within it.

    >>> [part.tolist() for part in repeated(np.array([2, 0, 3]))]
    [[0, 0, 2, 2, 2], [0, 1, 0, 1, 2]]
    """
    items = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return items, np.arange(len(items)) - starts[items]


def pieces(counts: Integers) -> Iterator[slice]:
    """Ranges of items whose counts add up to about a piece."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + PIECE, side="right")))
        yield slice(start, stop)
        start = stop


def first_centre(steps: Integers) -> Integers:
    """The first sample whose centre is at or behind a position."""
    return np.maximum(-((SUB // 2 - steps) // SUB), 0)


def last_centre(steps: Integers) -> Integers:
    """The last sample whose centre is at or before a position."""
    return np.minimum((steps - SUB // 2) // SUB, GRID - 1)
