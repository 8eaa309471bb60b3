"""Mean and scatter of feature rows, block by block, so that rows on disk never come into memory all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 4096


@dataclass(frozen=True)
class Moments:
    """Count, mean and scatter (sum of outer products of centred rows), float64."""

    count: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[Any], chosen: NDArray[Any] | None = None) -> Moments:
        """Moments of `rows`, shape (n, d), or of the `chosen` ones among them, by position.

        >>> Moments.of(np.array([[1.0], [3.0], [9.0]]), np.array([0, 1])).scatter
        array([[2.]])
        """
        count, width = len(rows) if chosen is None else len(chosen), rows.shape[1]
        mean, scatter = np.zeros(width), np.zeros((width, width))
        if count:
            starts = range(0, count, _BLOCK)
            mean = sum((_block(rows, chosen, start).sum(axis=0) for start in starts), mean) / count
            for start in starts:
                centred = _block(rows, chosen, start) - mean
                scatter += centred.T @ centred
        return cls(count, mean, scatter)


def _block(rows: NDArray[Any], chosen: NDArray[Any] | None, start: int) -> NDArray[np.float64]:
    found = rows[start : start + _BLOCK] if chosen is None else rows[chosen[start : start + _BLOCK]]
    return np.asarray(found, dtype=np.float64)
