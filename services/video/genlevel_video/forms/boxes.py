"""Boxes of one object, one a frame, from JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError

Boxes = NDArray[np.float64]
"""Shape (frames, 4), as they were given; a row of NaN where a frame has no box."""

MAX_FRAMES = 1 << 20
LARGEST = 1e9
"""Largest coordinate: its square is still exact."""
FORMATS = ("xyxy", "xywh")


def read_boxes(items: Sequence[Any], pointer: str = "") -> Boxes:
    """Four finite numbers a frame, or None.

    Raises:
        SampleError: NO_FRAMES, TOO_MANY_FRAMES or BAD_BOX.
    """
    if not items:
        raise SampleError("NO_FRAMES", "the list of boxes is empty", remedy="give one entry a frame, null where there is no box", pointer=pointer)
    if len(items) > MAX_FRAMES:
        raise SampleError("TOO_MANY_FRAMES", f"{len(items)} boxes, at most {MAX_FRAMES} are read", remedy="cut the clip", pointer=pointer)
    found = [_NONE if item is None else item for item in items]
    try:
        boxes = np.array(found, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        boxes = np.zeros(0)
    if boxes.shape != (len(items), 4) or not all(item is None or _is_box(item) for item in items):
        wrong = next((place for place, item in enumerate(items) if item is not None and not _is_box(item)), 0)
        raise SampleError("BAD_BOX", f"the box of frame {wrong} is not four finite numbers", remedy="give four numbers, or null", pointer=f"{pointer}/{wrong}")
    return boxes


_NONE = (np.nan,) * 4


def _is_box(item: Any) -> bool:
    plain = isinstance(item, list) and len(item) == 4 and all(type(number) in (int, float) for number in item)
    return plain and all(-LARGEST <= number <= LARGEST for number in item)


def box_format(attributes: Mapping[str, Any], default: str) -> str:
    """The sample's own form of boxes, else that of the parameters."""
    given = attributes.get("bbox_format", default)
    if given not in FORMATS:
        raise SampleError(
            "BAD_ATTRIBUTE", f"bbox_format is {given!r:.40}, not {' or '.join(FORMATS)}", remedy="write the boxes in one of these forms",
            side="reference", pointer="/bbox_format",
        )  # fmt: skip
    return str(given)


def corners(boxes: Boxes, form: str) -> Boxes:
    """Boxes as left, top, right, bottom.

    >>> corners(np.array([[1.0, 2.0, 3.0, 4.0]]), "xywh").tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    if form == "xyxy":
        return boxes
    found = boxes.copy()
    found[:, 2] += found[:, 0]
    found[:, 3] += found[:, 1]
    return found


def count_mismatch(found: int, expected: int, what: str = "frames") -> SampleError:
    """What is wrong with a prediction of another length."""
    return SampleError(
        "FRAME_COUNT_MISMATCH", f"the prediction has {found} {what}, the reference {expected}", remedy="give one entry for every frame of the clip", side="prediction",
    )  # fmt: skip
