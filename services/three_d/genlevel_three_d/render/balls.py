"""Points to samples: each a small ball, whose size depends on how many there are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.render.camera import BALLS, DEPTHS, GRID, HALF_WIDTH, SUB, Projected
from genlevel_three_d.render.spans import DepthBuffer, first_centre, last_centre, pieces, repeated

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_LEAST = 3 * SUB // 4
"""A circle of this radius holds the centre of at least one sample."""


def radius(count: int) -> float:
    """Radius of a ball, in radii of the shape.

    >>> radius(1), radius(4096), radius(10**7)
    (0.05, 0.025, 0.004)
    """
    dense, least, most = BALLS
    return min(most, max(least, dense / math.sqrt(count)))


def sizes(seen: Projected, ball: float) -> Integers:
    """Radii in the picture, in steps."""
    return np.maximum(np.floor(ball * (GRID * SUB / 2.0 / HALF_WIDTH) / seen.distance).astype(np.int64), _LEAST)


def draw(buffer: DepthBuffer, seen: Projected, ball: float) -> None:
    """Offers every sample of every ball to the buffer."""
    size = sizes(seen, ball)
    top, bottom = first_centre(seen.y - size), last_centre(seen.y + size)
    rows = np.maximum(bottom - top + 1, 0)
    for some in pieces(rows):
        point, row = repeated(rows[some])
        point = point + some.start
        row = row + top[point]
        up = row * SUB + SUB // 2 - seen.y[point]
        half = np.floor(np.sqrt(np.maximum(size[point] * size[point] - up * up, 0).astype(np.float64))).astype(np.int64)
        left, right = first_centre(seen.x[point] - half), last_centre(seen.x[point] + half)
        counts = np.maximum(right - left + 1, 0)
        for few in pieces(counts):
            span, column = repeated(counts[few])
            owner = point[few][span]
            place = row[few][span] * GRID + column + left[few][span]
            front = seen.distance[owner] - ball * bulge(seen, size, owner, place)[2]
            buffer.write(place, np.floor(DEPTHS / front).astype(np.int64), owner)


def bulge(seen: Projected, size: Integers, owner: Integers, place: Integers) -> tuple[Floats, Floats, Floats]:
    """The direction in which a ball's surface looks at a sample: right, up, towards the camera."""
    scale = size[owner].astype(np.float64)
    right = (place % GRID * SUB + SUB // 2 - seen.x[owner]) / scale
    up = (seen.y[owner] - place // GRID * SUB - SUB // 2) / scale
    return right, up, np.sqrt(np.maximum(1.0 - right * right - up * up, 0.0))
