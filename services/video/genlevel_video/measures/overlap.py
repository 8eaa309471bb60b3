"""Intersection over union of boxes, frame by frame."""

from __future__ import annotations

import numpy as np

from genlevel_video.forms.boxes import Boxes


def overlaps(ours: Boxes, theirs: Boxes) -> Boxes:
    """IoU of pairs of boxes as corners: 0 where either has no area or is not there.

    >>> overlaps(np.array([[0.0, 0, 2, 2], [1, 1, 1, 1], [0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [1, 1, 1, 1], [np.nan] * 4])).round(3).tolist()
    [0.333, 0.0, 0.0]
    """
    with np.errstate(invalid="ignore"):
        left, top, right, bottom = ours.T
        other_left, other_top, other_right, other_bottom = theirs.T
        width = np.minimum(right, other_right) - np.maximum(left, other_left)
        height = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
        shared = np.where((width > 0) & (height > 0), width * height, 0.0)
        union = (right - left) * (bottom - top) + (other_right - other_left) * (other_bottom - other_top) - shared
    values = np.divide(shared, union, out=np.zeros(len(shared)), where=shared > 0)
    return np.asarray(np.minimum(values, 1.0))
