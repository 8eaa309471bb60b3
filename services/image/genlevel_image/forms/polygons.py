"""COCO polygons: checked, and rasterised by pycocotools, which defines what happens to a pixel that an edge crosses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_image.forms.objects import number

_FARTHEST = 1e6
"""Pixels from the origin that a corner of a polygon may lie at."""
_LONGEST_OUTLINE, MAX_OUTLINE = 1_000_000, 20_000_000
"""Length of the outline of a polygon, and of all of a picture together, in pixels: what rasterising costs."""
_NUMBERS = {int, float}


def checked_together(parts: Sequence[Any]) -> tuple[list[NDArray[np.float64]], float] | None:
    """Corners of polygons, and what the outlines of all are at most as long as; None where any polygon is not in order."""
    if not {*map(type, parts)} <= {list} or not all(len(part) >= 6 and len(part) % 2 == 0 for part in parts):
        return None
    flat = list(chain.from_iterable(parts))
    try:
        numbers = np.array(flat, dtype=np.float64) if {*map(type, flat)} <= _NUMBERS else None
    except OverflowError:
        return None
    if numbers is None or not (np.abs(numbers) <= _FARTHEST).all():
        return None
    ends = np.array([*map(len, parts)]).cumsum()
    starts = ends - [*map(len, parts)]
    length = len(numbers) / 2 * (float(np.ptp(numbers)) + 1)  # no step is longer than all corners lie apart
    if length > _LONGEST_OUTLINE:
        outlines = _outlines(numbers.reshape(-1, 2), starts // 2, ends // 2)
        length = float(outlines.sum())
        if outlines.max() > _LONGEST_OUTLINE:
            return None
    return [numbers[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)], length


def _outlines(points: NDArray[np.float64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Length of the outline of each polygon as rasterising walks it: one step a pixel of the longer side, and one a corner."""
    following = np.concatenate([points[1:], points[:1]])
    following[ends - 1] = points[starts]
    return np.asarray(np.add.reduceat(np.abs(following - points).max(axis=1), starts) + (ends - starts))


def checked(polygon: Any, pointer: str) -> tuple[NDArray[np.float64], float]:
    """Corners of one polygon, and the length of its outline.

    Raises:
        SampleError: BAD_POLYGON, NOT_FINITE, WRONG_TYPE or MASK_TOO_COMPLEX.
    """
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        message = "a polygon is a list x1, y1, x2, y2, ... of at least three corners"
        raise SampleError("BAD_POLYGON", message, remedy="drop it, or give its corners", pointer=pointer)
    numbers = np.array([number(entry, f"{pointer}/{place}") for place, entry in enumerate(polygon)])
    if np.abs(numbers).max() > _FARTHEST:
        message = f"a corner of a polygon lies more than {_FARTHEST:.0f} pixels away"
        raise SampleError("BAD_POLYGON", message, remedy="give corners in pixels of the picture", pointer=pointer)
    outline = float(_outlines(numbers.reshape(-1, 2), np.array([0]), np.array([len(numbers) // 2]))[0])
    if outline > _LONGEST_OUTLINE:
        raise too_long(pointer)
    return numbers, outline


def too_long(pointer: str) -> SampleError:
    """What is said of outlines that would take too long."""
    message = f"an outline is longer than {_LONGEST_OUTLINE} pixels, or those of one picture longer than {MAX_OUTLINE}"
    return SampleError("MASK_TOO_COMPLEX", message, remedy="simplify the polygons, or drop the least sure ones", pointer=pointer)


def rasterised(polygons: Sequence[NDArray[np.float64]], counts: Sequence[int], size: tuple[int, int]) -> list[dict[str, Any]]:
    """Masks, as compressed run lengths, of as many of the checked polygons each as `counts` says."""
    from pycocotools import mask as coco

    parts = coco.frPyObjects(list(polygons), *size)
    if len(parts) == len(counts):
        return list(parts)
    ends = np.cumsum(counts).tolist()
    return [parts[end - 1] if count == 1 else coco.merge(parts[end - count : end]) for count, end in zip(counts, ends, strict=True)]
