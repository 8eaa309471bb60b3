"""Forms of masks and tubes of clips that General-Bench's files use, rewritten into those of docs/formats.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_orchestrator.bundle.image_adapters import from_coco
from genlevel_orchestrator.bundle.violations import Fault

_LIMITS = ("tube_start_frame", "tube_end_frame")


def video_masks(value: Any) -> Any:
    """A map of one mask a frame, in order, or a list of them, becomes one object; a mask without run lengths is not seen.

    >>> video_masks({"1_0": {"mask": {"size": [1, 2], "counts": [1, 1]}}, "1_1": {"mask": None}})
    {'objects': {'1': [{'size': [1, 2], 'counts': [1, 1]}, None]}}
    """
    if isinstance(value, Mapping) and isinstance(value.get("objects"), Mapping):
        return value
    items = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(items, list) or not items or not all(item is None or _is_mask(item) for item in items):
        return value
    masks = [item["mask"] if isinstance(item, Mapping) and "mask" in item else item for item in items]
    return {"objects": {"1": masks}} if any(masks) or isinstance(value, Mapping) else value


def _is_mask(item: Any) -> bool:
    inner = item["mask"] if isinstance(item, Mapping) and "mask" in item else item
    return (inner is None and isinstance(item, Mapping)) or (isinstance(inner, Mapping) and {"size", "counts"} <= inner.keys())


def tubes(value: Any, box_format: str = "xyxy") -> Any:
    """A trajectory with the limits of its tube becomes the tube's first frame, from 0, and its boxes, in the form that is declared.

    A list has a box (corner and size) for each frame of a tube whose limits count from 1. A map has frame numbers from 0, of which those
    inside the limits count; frames it lacks have no box.

    >>> tubes({"trajectory": [[1, 2, 3, 4]], "tube_start_frame": 5, "tube_end_frame": 6})
    {'start': 4, 'boxes': [[1, 2, 4, 6]]}
    >>> tubes({"trajectory": {"7": {"bbox": [1, 2, 3, 4]}}, "tube_start_frame": 6, "tube_end_frame": 8})
    {'start': 6, 'boxes': [None, [1, 2, 4, 6]]}

    Raises:
        Fault: a list that is not as long as the tube.
    """
    if not isinstance(value, Mapping) or "trajectory" not in value:
        return value
    start, end = (value.get(name) for name in _LIMITS)
    if type(start) is not int or type(end) is not int or start < 0 or end < start:
        raise Fault("BAD_TUBE", f"{_LIMITS[0]} and {_LIMITS[1]} are not frame numbers in order", "give both as whole numbers")
    trajectory = value["trajectory"]
    if isinstance(trajectory, Mapping):
        return {"start": start, "boxes": [from_coco(_boxed(trajectory.get(str(frame))), box_format) for frame in range(start, end)]}
    if not isinstance(trajectory, list):
        return value
    if len(trajectory) != end - start:
        raise Fault("BAD_TUBE", f"the trajectory has {len(trajectory)} boxes, its tube {end - start} frames", "give one box for each frame of the tube", "/trajectory")
    return {"start": max(start - 1, 0), "boxes": [from_coco(box, box_format) for box in trajectory]}


def _boxed(entry: Any) -> Any:
    return entry.get("bbox") if isinstance(entry, Mapping) else entry

