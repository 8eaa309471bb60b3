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
        inner = np.minimum(ours[:, 2:], theirs[:, 2:]) - np.maximum(ours[:, :2], theirs[:, :2])
        shared = np.where((inner > 0).all(axis=1), inner.prod(axis=1), 0.0)
        union = (ours[:, 2:] - ours[:, :2]).prod(axis=1) + (theirs[:, 2:] - theirs[:, :2]).prod(axis=1) - shared
    values = np.divide(shared, union, out=np.zeros(len(shared)), where=shared > 0)
    return np.asarray(np.minimum(values, 1.0))
