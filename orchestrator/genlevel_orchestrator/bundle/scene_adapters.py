"""Forms of boxes, tracks and instances in space that files of scenes use, rewritten into those of docs/formats.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LABEL = ("label", "category", "class", "name", "category_name", "label_id", "category_id", "detection_name", "tracking_name", "pred_class")
_SCORE = ("score", "confidence", "conf", "detection_score", "tracking_score")
_CENTER = ("center", "translation", "location")
_VECTOR = ("box", "bbox", "bbox_3d", "box_3d", "boxes_3d")
_TRACK = ("track", "tracking_id", "track_id", "instance_token", "instance_id")
_POINTS = ("points", "mask", "mask_file", "pred_mask")
_KEPT = ("size", "yaw", "rotation", "velocity", "attribute")


def boxes_3d(value: Any) -> Any:
    """Boxes under other names, and those of seven numbers (x, y, z, length, width, height, yaw), become boxes with centre and size.

    >>> boxes_3d([{"category": "car", "bbox_3d": [1, 2, 3, 4.5, 1.9, 1.6, 0.1], "confidence": 0.5}])
    [{'label': 'car', 'center': [1, 2, 3], 'size': [1.9, 4.5, 1.6], 'yaw': 0.1, 'score': 0.5}]
    >>> boxes_3d([{"translation": [1, 2, 3], "size": [1, 2, 3], "rotation": [1, 0, 0, 0], "detection_name": "car", "num_pts": 4}])
    [{'label': 'car', 'center': [1, 2, 3], 'size': [1, 2, 3], 'rotation': [1, 0, 0, 0], 'points': 4}]
    """
    if not isinstance(value, list) or not all(isinstance(item, Mapping) and _first(item, _LABEL) and (_first(item, _CENTER) or _vector(item)) for item in value):
        return value
    return [_box(item) for item in value]


def tracks_3d(value: Any) -> Any:
    """Frames by number become a list of frames, each with its boxes in our form; likewise under `frames`.

    >>> tracks_3d({"1": [], "0": [{"class": "car", "center": [0, 0, 0], "size": [1, 1, 1], "track_id": 7}]})
    [[{'label': 'car', 'center': [0, 0, 0], 'size': [1, 1, 1], 'track': 7}], []]
    """
    if isinstance(value, Mapping) and "frames" in value:
        return {**value, "frames": tracks_3d(value["frames"])}
    if isinstance(value, Mapping) and value and all(str(key).isdecimal() for key in value):
        value = [value[key] for key in sorted(value, key=int)]
    return [boxes_3d(frame) for frame in value] if isinstance(value, list) else value


def instances_3d(value: Any) -> Any:
    """Predicted objects under other names become objects with label, score and points.

    >>> instances_3d([{"label_id": 5, "confidence": 0.5, "mask_file": "m.txt"}])
    [{'label': 5, 'score': 0.5, 'points': 'm.txt'}]
    """
    if not isinstance(value, list) or not all(isinstance(item, Mapping) and _first(item, _LABEL) and _first(item, _POINTS) for item in value):
        return value
    return [_named(item, {"label": _LABEL, "score": _SCORE, "points": _POINTS}) for item in value]


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in item), None)


def _named(item: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The entries that are there, under our names."""
    return {name: item[key] for name, others in names.items() if (key := _first(item, others))}


def _vector(item: Mapping[str, Any]) -> list[Any] | None:
    key = _first(item, _VECTOR)
    found = item[key] if key else None
    return found if isinstance(found, list) and len(found) == 7 else None


def _box(item: Mapping[str, Any]) -> dict[str, Any]:
    numbers = _vector(item)
    found = _named(item, {"label": _LABEL, "center": _CENTER})
    if numbers is not None:
        x, y, z, length, width, height, yaw = numbers
        found |= {"center": [x, y, z], "size": [width, length, height], "yaw": yaw}
    found |= {key: item[key] for key in _KEPT if key in item}
    found |= _named(item, {"score": _SCORE, "track": _TRACK, "points": ("points", "num_pts", "num_points")})
    if item.get("attribute_name"):
        found["attribute"] = item["attribute_name"]
    return found
