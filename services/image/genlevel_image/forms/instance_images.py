"""Instances of a picture as one picture of their numbers, and what each number is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.run_lengths import packed
from genlevel_image.forms.objects import entries, read_all
from genlevel_image.forms.panoptic import VOID, read_ids
from genlevel_image.media import Instances

_KEYS = {"id", "label", "score", "crowd", "area"}


def numbered(value: Mapping[str, Any], size: tuple[int, int] | None, limit: int) -> Instances:
    """`{"image": file, "segments": [{"id", "label", "score"?, "crowd"?, "area"?}, ...]}`.

    Args:
        size: height and width, where the sample says them.
        limit: instances that a picture may have.
    """
    if value.keys() != {"image", "segments"} or not isinstance(value["image"], Blob):
        message = 'expected {"image": file, "segments": [...]} or a list of instances'
        raise SampleError("WRONG_TYPE", message, remedy="see docs/formats.md")
    segments = entries(value["segments"], "instances", limit, '{"id": ..., "label": ...}')
    common = read_all(segments, "an instance", _KEYS, at="/segments")
    ids = _ids_of(segments)
    try:
        numbers = read_ids(value["image"], palette=True)
    except SampleError as error:
        error.pointer = "/image"
        raise
    if size is not None and numbers.shape != size:
        message = f"the picture of instances is {numbers.shape[1]} x {numbers.shape[0]} pixels, image_size {size[1]} x {size[0]}"
        raise SampleError("WRONG_SHAPE", message, remedy="give it the size of the picture", pointer="/image")
    shape = (numbers.shape[0], numbers.shape[1])
    masks = [packed(runs, shape) for runs in runs_of_numbers(numbers, ids)]
    return Instances(common.labels, common.scores, common.crowd, common.areas, masks, shape)


def _ids_of(segments: list[Any]) -> NDArray[np.int64]:
    ids = [item.get("id") for item in segments]
    for place, number in enumerate(ids):
        if type(number) is not int or not VOID < number < 1 << 24:
            message = "an id is not a whole number from 1 to 16777215"
            raise SampleError("BAD_SEGMENT_ID", message, remedy="0 is the background", pointer=f"/segments/{place}/id")
    if len(set(ids)) < len(ids):
        raise SampleError("REPEATED_SEGMENT", "an id is listed twice", remedy="list each id once", pointer="/segments")
    return np.array(ids, np.int64)


def runs_of_numbers(numbers: NDArray[np.int32], ids: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """COCO runs of the pixels of each number, all in one pass over the picture; an id without pixels is an empty mask.

    >>> [runs.tolist() for runs in runs_of_numbers(np.array([[0, 7], [7, 3]]), np.array([3, 7, 9]))]
    [[3, 1], [1, 2, 1], [4]]

    Raises:
        SampleError: UNLISTED_SEGMENT.
    """
    flat = numbers.T.ravel()
    starts = np.r_[0, np.flatnonzero(flat[1:] != flat[:-1]) + 1]
    ends = np.r_[starts[1:], len(flat)]
    values = flat[starts]
    stray = ~np.isin(values, np.r_[VOID, ids])
    if stray.any():
        message = f"the picture holds the id {int(values[stray][0])}, which is not listed"
        raise SampleError("UNLISTED_SEGMENT", message, remedy="list every id of the picture; 0 is the background", pointer="/segments")
    order = np.argsort(values, kind="stable")
    first, last = (np.searchsorted(values[order], ids, side=side) for side in ("left", "right"))
    bounds = np.column_stack([starts, ends])[order]
    return [_runs(bounds[a:b].ravel(), len(flat)) for a, b in zip(first.tolist(), last.tolist(), strict=True)]


def _runs(bounds: NDArray[np.int64], pixels: int) -> NDArray[np.int64]:
    ends_covered = len(bounds) and bounds[-1] == pixels
    return np.diff(bounds if ends_covered else np.r_[bounds, pixels], prepend=0)
