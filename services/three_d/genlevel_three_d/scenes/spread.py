"""How far the rows of a set lie apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 4096
"""Rows that are compared with one another; of more, the first in order of keys."""
_BLOCK = 256


def mean_distance(rows: NDArray[Any]) -> float:
    """Mean Euclidean distance of two different rows.

    >>> mean_distance(np.array([[0.0, 0.0], [3.0, 4.0]]))
    5.0
    """
    values = np.asarray(rows[:MOST], dtype=np.float64)
    values = values - values.mean(axis=0)  # near the origin, no digits are lost
    squares = np.einsum("ij,ij->i", values, values)
    sums = []
    for start in range(0, len(values), _BLOCK):
        part = slice(start, start + _BLOCK)
        gaps = squares[part, None] + squares[None] - 2.0 * values[part] @ values.T
        gaps[np.arange(len(gaps)), np.arange(start, start + len(gaps))] = 0.0
        sums.append(float(np.sqrt(np.maximum(gaps, 0.0)).sum()))
    return math.fsum(sums) / (len(values) * (len(values) - 1))
