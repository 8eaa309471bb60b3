"""Overlap of masks kept as intervals, and of their outlines (Perazzi et al. 2016)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_video.forms.mask_tracks import Edges, united

_Mask = NDArray[np.bool_]
_LARGEST_DISK = 24
"""Radius up to which moving a disk over the picture costs less than a map of distances."""


@dataclass(frozen=True)
class FrameCounts:
    """Pixels of one object, frame by frame."""

    shared: NDArray[np.int64]
    union: NDArray[np.int64]

    def similarity(self) -> NDArray[np.float64]:
        """IoU of each frame; 1 where neither side has a pixel."""
        return np.asarray(np.divide(self.shared, self.union, out=np.ones(len(self.union)), where=self.union > 0))


def covered(edges: Edges, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pixels of the intervals that lie before each place.

    >>> covered(np.array([2, 4, 7, 9]), np.array([0, 3, 5, 10])).tolist()
    [0, 1, 2, 4]
    """
    before = np.searchsorted(edges, places, side="right")
    whole = np.r_[0, np.cumsum(edges[1::2] - edges[::2])][before // 2]
    begun = before % 2 == 1
    whole[begun] += places[begun] - edges[before[begun] - 1]
    return np.asarray(whole)


def frame_counts(ours: Edges, theirs: Edges, frames: int, pixels: int) -> FrameCounts:
    """Shared pixels, and those of either, of each frame of so many pixels."""
    limits = np.arange(frames + 1) * pixels
    one, other, either = (np.diff(covered(edges, limits)) for edges in (ours, theirs, united([ours, theirs])))
    return FrameCounts(one + other - either, either)


def outline_f(ours: Edges, theirs: Edges, frames: int, size: tuple[int, int], tolerance: float) -> float:
    """Mean over frames of the F of boundary pixels; 1 in a frame without any.

    Args:
        ours, theirs: the two masks.
        frames: of the clip.
        size: height and width.
        tolerance: how far a boundary may be off, as a share of the picture's diagonal, rounded up to whole pixels.
    """
    radius = math.ceil(tolerance * math.hypot(*size))
    cuts = [np.searchsorted(edges, np.arange(frames + 1) * (size[0] * size[1])) for edges in (ours, theirs)]
    values = []
    for frame in range(frames):
        sides = [_within(edges, cut, frame, size[0] * size[1]) for edges, cut in zip((ours, theirs), cuts, strict=True)]
        values.append(_f(*_cropped(sides, size), radius) if len(sides[0]) or len(sides[1]) else 1.0)
    return math.fsum(values) / frames


def _within(edges: Edges, cuts: NDArray[np.int64], frame: int, pixels: int) -> Edges:
    """Intervals of one frame, from its own first pixel on; one may come in from the frame before, or leave for the next."""
    first, last = int(cuts[frame]), int(cuts[frame + 1])
    inside = edges[first:last] - frame * pixels
    if first % 2:
        inside = np.r_[0, inside]
    pairs = (np.r_[inside, pixels] if len(inside) % 2 else inside).reshape(-1, 2)
    return np.asarray(pairs[pairs[:, 0] < pairs[:, 1]].ravel())


def _cropped(sides: list[Edges], size: tuple[int, int]) -> tuple[_Mask, _Mask]:
    """Boundary pixels of both masks, columns first, without what has no pixel of either."""
    height, width = size
    starts, ends = (np.concatenate([side[turn::2] for side in sides]) for turn in (0, 1))
    left, right = max(int(starts.min()) // height - 1, 0), min(int(ends.max() - 1) // height + 2, width)
    masks = [_dense(side - left * height, (right - left, height)) for side in sides]
    rows = np.flatnonzero((masks[0] | masks[1]).any(axis=0))
    top, bottom = max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, height)
    first, second = (_boundary(mask[:, top:bottom]) for mask in masks)
    return first, second


def _dense(edges: Edges, shape: tuple[int, int]) -> _Mask:
    lengths = np.diff(np.r_[0, edges, shape[0] * shape[1]])
    return np.asarray((np.arange(len(lengths)) % 2 == 1).repeat(lengths).reshape(shape))


def _boundary(mask: _Mask) -> _Mask:
    """Pixels that differ from the next one along either axis, or along both; the last of the picture have no next one."""
    edge = np.zeros_like(mask)
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return edge


def _f(ours: _Mask, theirs: _Mask, radius: int) -> float:
    mine, true = int(ours.sum()), int(theirs.sum())
    if not mine or not true:
        return float(mine == true)
    precision, recall = int(_near(theirs, radius)[ours].sum()) / mine, int(_near(ours, radius)[theirs].sum()) / true
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _near(edge: _Mask, radius: int) -> _Mask:
    """Pixels within the radius of a boundary."""
    import cv2

    if radius <= _LARGEST_DISK:
        y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
        return np.asarray(cv2.dilate(edge.view(np.uint8), (x * x + y * y <= radius * radius).astype(np.uint8)), dtype=bool)
    distance = np.asarray(cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    return np.asarray(np.rint(np.square(distance)) <= radius * radius)
