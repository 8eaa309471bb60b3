"""Scale and shift between two sets of depths by least squares, frame by frame in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """`scale * x + shift`."""

    scale: float
    shift: float

    def __call__(self, values: Values) -> Values:
        return values * self.scale + self.shift


@dataclass
class _Moments:
    """Means and products of pairs; parts are combined without loss when means are large (Chan et al. 1983)."""

    count: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def add(self, x: Values, y: Values) -> None:
        if not len(x):
            return
        mean_x, mean_y = float(x.mean()), float(y.mean())
        centred = x - mean_x
        step_x, step_y = mean_x - self.x, mean_y - self.y
        total = self.count + len(x)
        share = self.count * len(x) / total
        self.xx += float(centred @ centred) + step_x * step_x * share
        self.xy += float(centred @ y) - float(centred.sum()) * mean_y + step_x * step_y * share
        self.x += step_x * len(x) / total
        self.y += step_y * len(x) / total
        self.count = total


def fitted(pairs: Iterable[tuple[Values, Values]]) -> Line:
    """The line that takes the first of each pair nearest to the second; a level one where the first never changes.

    >>> fitted([(np.array([0.0, 1.0]), np.array([1.0, 3.0])), (np.array([2.0]), np.array([5.0]))])
    Line(scale=2.0, shift=1.0)
    """
    moments = _Moments()
    for x, y in pairs:
        moments.add(x, y)
    rounding = moments.count * (4 * np.finfo(np.float64).eps * moments.x) ** 2
    scale = moments.xy / moments.xx if moments.xx > rounding and math.isfinite(moments.xy) else 0.0
    return Line(scale, moments.y - scale * moments.x)
