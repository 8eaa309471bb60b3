"""Areas of unions of boxes, exactly: the plane is cut at every edge, so no box is rounded to pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float64]


def painted_areas(first: Corners, second: Corners) -> tuple[float, float, float]:
    """Area of the union of the first boxes, of that of the second, and of what the two share.

    >>> painted_areas(np.array([[0.0, 0, 2, 2], [1, 0, 3, 2]]), np.array([[2.0, 0, 4, 1]]))
    (6.0, 2.0, 1.0)
    """
    both = np.concatenate([first, second])
    columns, rows = np.unique(both[:, [0, 2]]), np.unique(both[:, [1, 3]])
    if len(columns) < 2 or len(rows) < 2:
        return 0.0, 0.0, 0.0
    cells = np.outer(np.diff(rows), np.diff(columns))
    covered = [_covered(boxes, columns, rows) for boxes in (first, second)]
    ours, theirs, shared = (float(cells[mask].sum()) for mask in (*covered, covered[0] & covered[1]))
    return ours, theirs, shared


def _covered(boxes: Corners, columns: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells any box covers: corners are marked, and sums over rows and columns fill the boxes in."""
    marks = np.zeros((len(rows), len(columns)), dtype=np.int32)
    left, right = (np.searchsorted(columns, boxes[:, side]) for side in (0, 2))
    top, bottom = (np.searchsorted(rows, boxes[:, side]) for side in (1, 3))
    for row, column, step in ((top, left, 1), (top, right, -1), (bottom, left, -1), (bottom, right, 1)):
        np.add.at(marks, (row, column), step)
    return np.asarray(marks.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0)
