"""Hausdorff distance of painted boxes, at the 95th percentile, in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlevel_image.pixels.painted import Corners

MAX_CELLS = 1 << 25
"""Pixels of the smallest picture that holds the boxes of both sides; beyond, there is no distance."""


def hausdorff_95(first: Corners, second: Corners) -> float | None:
    """The larger of the 95th percentiles of distances from either outline to the other; None where a side paints nothing.

    A box paints the pixels whose centre it holds. The outline is the painted pixels with a neighbour, to a side, that is not.

    >>> hausdorff_95(np.array([[0.0, 0, 4, 4]]), np.array([[3.0, 0, 7, 4]]))
    3.0
    """
    cells = [np.ceil(side - 0.5).astype(np.int64) for side in (first, second)]
    cells = [side[(side[:, 2:] > side[:, :2]).all(axis=1)] for side in cells]
    if not all(len(side) for side in cells):
        return None
    both = np.concatenate(cells)
    low, high = both[:, :2].min(axis=0), both[:, 2:].max(axis=0)
    # In Python's own integers, which do not wrap.
    if int(high[0] - low[0] + 2) * int(high[1] - low[1] + 2) > MAX_CELLS:
        return None
    outlines = [_outline(side - np.tile(low - 1, 2), high - low + 2) for side in cells]
    return max(_percentile(*outlines), _percentile(*outlines[::-1]))


def _outline(boxes: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.bool_]:
    painted = np.zeros((int(size[1]), int(size[0])), dtype=bool)
    for left, top, right, bottom in boxes.tolist():
        painted[top:bottom, left:right] = True
    inside = painted[1:-1, 1:-1] & painted[:-2, 1:-1] & painted[2:, 1:-1] & painted[1:-1, :-2] & painted[1:-1, 2:]
    painted[1:-1, 1:-1] &= ~inside
    return painted


def _percentile(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    import cv2

    distances = np.asarray(cv2.distanceTransform((~theirs).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    return float(np.quantile(distances[ours].astype(np.float64), 0.95))
