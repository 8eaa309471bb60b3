"""Keypoints of the people of a picture from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_image.forms.objects import entries, image_size, number, read_box, read_common
from genlevel_image.media import People

MAX_PEOPLE = 10_000
MAX_POINTS = 1_000
_KEYS = {"keypoints", "label", "score", "area", "box", "crowd"}
_NO_BOX = [nan] * 4


def decode_keypoints(content: Content, attributes: Mapping[str, Any]) -> People:
    """`[{"keypoints", "label"?, "score"?, "area"?, "box"?, "crowd"?}, ...]`, all with the same number of points."""
    value = entries(decode_json(content, attributes), "people", MAX_PEOPLE, '{"keypoints": [x, y, v, ...]}')
    common = [read_common(item, f"/{place}", "a person", _KEYS, "person") for place, item in enumerate(value)]
    points = [_points(item.get("keypoints"), f"/{place}/keypoints") for place, item in enumerate(value)]
    boxes = [_NO_BOX if item.get("box") is None else read_box(item["box"], f"/{place}/box") for place, item in enumerate(value)]
    for place, found in enumerate(points):
        if len(found) != len(points[0]):
            message = f"this person has {len(found) // 3} keypoints, the first {len(points[0]) // 3}"
            raise SampleError("KEYPOINT_COUNT", message, remedy="give all points, with v = 0 where unlabelled", pointer=f"/{place}/keypoints")
    labels, scores, crowd, areas = zip(*common, strict=True) if common else ((), (), (), ())
    count = len(points[0]) // 3 if points else 0
    return People(
        np.array(labels, np.int64), np.array(scores, np.float64), np.array(crowd, bool), np.array(areas, np.float64),
        np.array(points, np.float64).reshape(len(value), count, 3), np.array(boxes, np.float64).reshape(-1, 4), image_size(attributes),
    )


def _points(value: Any, pointer: str) -> list[float]:
    if not isinstance(value, list) or not value or len(value) % 3 or len(value) > 3 * MAX_POINTS:
        given = f"a list of {len(value)}" if isinstance(value, list) else json_type(value)
        message = f"keypoints are x, y, v for each of 1 to {MAX_POINTS} points, got {given}"
        raise SampleError("WRONG_SHAPE", message, remedy="give three numbers a point", pointer=pointer)
    return [number(entry, f"{pointer}/{place}") for place, entry in enumerate(value)]
