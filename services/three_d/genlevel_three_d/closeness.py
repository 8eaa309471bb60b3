"""What is shown beside the Chamfer distance: how normals agree, and the earth mover's distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.nearest import Places

Floats = NDArray[np.float64]


def normal_consistency(left: Floats, right: Floats, to_right: Places, to_left: Places) -> float:
    """Mean of |n . m| over the points of both sides, m the normal of the nearest point of the other; each side weighs half.

    >>> up, along = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.6, -0.8]])
    >>> normal_consistency(up, along, np.array([0]), np.array([0]))
    0.8
    """
    there = np.abs((left * right[to_right]).sum(axis=1)).mean()
    back = np.abs((right * left[to_left]).sum(axis=1)).mean()
    return float((there + back) / 2.0)


def earth_movers(left: Floats, right: Floats, most: int, seed: int) -> float:
    """Mean distance of the best one-to-one pairing of points. Of larger or unequal sides as many points are drawn as both have, at most `most`.

    >>> line = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> earth_movers(line, line[::-1] + [0.0, 0.0, 2.0], 10, 0)
    2.0
    """
    from scipy.optimize import linear_sum_assignment

    count = min(len(left), len(right), most)
    left, right = _drawn(left, count, seed), _drawn(right, count, seed)
    costs = np.sqrt(((left[:, None] - right[None]) ** 2).sum(axis=2))
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].mean())


def _drawn(points: Floats, count: int, seed: int) -> Floats:
    if len(points) == count:
        return points
    return points[np.sort(np.random.default_rng((seed, len(points))).choice(len(points), count, replace=False))]
