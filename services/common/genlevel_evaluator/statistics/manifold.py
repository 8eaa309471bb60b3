"""Precision and recall of two sets of feature vectors, by the balls of their nearest neighbours (Kynkäänniemi et al. 2019).

A vector belongs to the manifold of a set where it lies in the ball of one of its vectors; the ball of a vector reaches to its third
nearest neighbour in its own set.

    >>> import numpy as np
    >>> rows = np.arange(8.0)[:, None]
    >>> precision_and_recall(rows, rows + 4.0)
    (0.875, 0.875)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 3
_BLOCK = 1024
_ROUNDING = 1e-13

Matrix = NDArray[np.float64]


def precision_and_recall(prediction: NDArray[Any], reference: NDArray[Any]) -> tuple[float, float] | None:
    """Share of predictions in the manifold of the reference, and of references in that of the prediction.

    None with fewer than four rows on a side, which have no third neighbour.
    """
    if min(len(prediction), len(reference)) <= NEIGHBOURS:
        return None
    centre = np.asarray(reference, dtype=np.float64).mean(axis=0)
    x, y = (np.asarray(side, dtype=np.float64) - centre for side in (prediction, reference))
    return _share_inside(x, y), _share_inside(y, x)


def _share_inside(points: Matrix, manifold: Matrix) -> float:
    blocks = range(0, len(manifold), _BLOCK)
    # The nearest neighbour of a row is the row itself.
    radii = np.concatenate([np.partition(_squared(manifold[i : i + _BLOCK], manifold), NEIGHBOURS, axis=1)[:, NEIGHBOURS] for i in blocks])
    inside = [(_squared(points[i : i + _BLOCK], manifold) <= radii).any(axis=1) for i in range(0, len(points), _BLOCK)]
    return float(np.concatenate(inside).mean())


def _squared(x: Matrix, y: Matrix) -> Matrix:
    """Squared distances; what rounding leaves of equal rows is 0."""
    size = np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", y, y)
    found = size - 2.0 * (x @ y.T)
    return np.where(found <= _ROUNDING * size, 0.0, found)
