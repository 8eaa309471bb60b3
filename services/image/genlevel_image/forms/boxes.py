"""Labelled boxes from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.kinds import Content, decode_json
from genlevel_image.forms.objects import LARGEST, Common, entries, image_size, read_all, read_box, read_common, together
from genlevel_image.media import Boxes

MAX_BOXES = 100_000
_KEYS = {"label", "box", "score", "crowd", "area"}
_NUMBERS = {int, float}


def decode_boxes(content: Content, attributes: Mapping[str, Any]) -> Boxes:
    """`[{"label", "box", "score"?, "crowd"?, "area"?}, ...]`; a JSON file holds the same."""
    value = entries(decode_json(content, attributes), "boxes", MAX_BOXES, '{"label": ..., "box": [...]}')
    size = image_size(attributes)
    common = together(value, _KEYS)
    corners = None if common is None else _in_bulk([item.get("box") for item in value])
    if common is None or corners is None:  # something is wrong: walk through it slowly and say where
        common, corners = _one_by_one(value)
    return Boxes(common.labels, corners, common.scores, common.crowd, common.areas, size)


def _in_bulk(boxes: list[Any]) -> NDArray[np.float64] | None:
    """Boxes, checked together; None where any of them is not in order."""
    if not {*map(type, boxes)} <= {list} or not {*map(len, boxes)} <= {4}:
        return None
    flat = list(chain.from_iterable(boxes))
    try:
        numbers = np.array(flat, dtype=np.float64) if {*map(type, flat)} <= _NUMBERS else None
    except OverflowError:
        return None
    return numbers.reshape(-1, 4) if numbers is not None and (np.abs(numbers) < LARGEST).all() else None


def _one_by_one(value: list[Any]) -> tuple[Common, NDArray[np.float64]]:
    corners = []
    for place, item in enumerate(value):
        read_common(item, f"/{place}", "a box", _KEYS)
        corners.append(read_box(item.get("box"), f"/{place}/box"))
    return read_all(value, "a box", _KEYS), np.array(corners, dtype=np.float64).reshape(-1, 4)
