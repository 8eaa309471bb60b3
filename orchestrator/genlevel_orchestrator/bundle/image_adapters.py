"""Forms of boxes, masks, segments and triples that General-Bench's files and COCO's use, rewritten into those of docs/formats.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BOX, _LABEL, _SCORE = ("box", "bbox"), ("label", "category", "class", "name", "category_name", "category_id"), ("score", "confidence")
_TRIPLE = ("subject", "predicate", "object")
_BETWEEN_TRIPLES = re.compile(r"<p>|;|\n")


def boxes(value: Any, box_format: str = "xyxy") -> Any:
    """Objects of class to boxes, alone or in a list, and lists of objects under other keys, become a list of labelled boxes.

    COCO's own objects (`category_id` and `bbox`) hold corner and size whatever the file declares; they are rewritten to what it declares.

    >>> boxes({"bird": [[0, 0, 5, 5]]})
    [{'label': 'bird', 'box': [0, 0, 5, 5]}]
    >>> boxes([{"Fall": [1.0, 2.0, 3.0, 4.0]}])
    [{'label': 'Fall', 'box': [1.0, 2.0, 3.0, 4.0]}]
    >>> boxes([{"category_id": 3, "bbox": [1, 2, 3, 4], "iscrowd": 0, "confidence": 0.5}])
    [{'label': 3, 'box': [1, 2, 4, 6], 'score': 0.5, 'crowd': False}]
    """
    groups = value if isinstance(value, list) else [value]
    if groups and all(isinstance(item, Mapping) and _one_of(item, _BOX) and _one_of(item, _LABEL) for item in groups):
        return [_box_object(item, box_format) for item in groups]
    if not all(isinstance(group, Mapping) and group and all(_is_boxes(item) for item in group.values()) for group in groups):
        return value
    if any("box" in group for group in groups):
        return value
    return [
        {"label": label, "box": box}
        for group in groups
        for label, found in group.items()
        for box in (found if found and isinstance(found[0], list) else [found])
    ]


def _one_of(item: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in item), None)


def _box_object(item: Mapping[str, Any], box_format: str) -> Any:
    if item.keys() <= {"label", "box", "score", "crowd", "area"}:
        return item
    box = item[_one_of(item, _BOX) or ""]
    if "category_id" in item and "bbox" in item:
        box = from_coco(box, box_format)
    found: dict[str, Any] = {"label": item[_one_of(item, _LABEL) or ""], "box": box}
    if score := _one_of(item, _SCORE):
        found["score"] = item[score]
    return found | _crowd(item) | {key: item[key] for key in ("crowd", "area") if key in item}


def _crowd(item: Mapping[str, Any]) -> dict[str, bool]:
    return {"crowd": bool(item["iscrowd"])} if "iscrowd" in item else {}


def from_coco(box: Any, box_format: str) -> Any:
    """A box of corner and size in the form that is declared; anything else as it is."""
    if box_format == "xywh" or not is_box(box):
        return box
    x, y, width, height = box
    return [x, y, x + width, y + height]


def is_box(value: Any) -> bool:
    """Whether a value is four numbers."""
    numbers = isinstance(value, list) and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    return numbers and len(value) == 4


def _is_boxes(value: Any) -> bool:
    return is_box(value) or (isinstance(value, list) and bool(value) and all(is_box(item) for item in value))


def grounding(value: Any) -> Any:
    """A box in a list of its own, or under the name of what it shows, becomes the box alone.

    >>> grounding([[1, 2, 3, 4]]), grounding({"the red car": [1, 2, 3, 4]}), grounding([{"bbox": [1, 2, 3, 4]}])
    ([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4])
    """
    if isinstance(value, list) and len(value) == 1:
        if isinstance(value[0], Mapping) and "box" in value[0]:
            return value
        return grounding(value[0])
    if isinstance(value, Mapping) and len(value) == 1 and "box" not in value:
        inner = grounding(next(iter(value.values())))
        return inner if is_box(inner) else value
    return value


def instances(value: Any, box_format: str = "xyxy") -> Any:
    """COCO annotations with a segmentation, or one alone, become labelled masks.

    >>> instances([{"id": 7, "category_id": 3, "segmentation": [[0, 0, 4, 0, 4, 4]], "iscrowd": 0, "area": 8.0, "bbox": [0, 0, 4, 4]}])
    [{'label': 3, 'mask': [[0, 0, 4, 0, 4, 4]], 'crowd': False, 'area': 8.0}]
    """
    return _coco(value, "segmentation", "mask", box_format)


def keypoints(value: Any, box_format: str = "xyxy") -> Any:
    """COCO annotations with keypoints, or one alone, become people; their boxes, corner and size in COCO, become what the file declares, corners by default.

    >>> keypoints([{"category_id": 1, "keypoints": [5, 6, 2], "num_keypoints": 1, "area": 9.0, "iscrowd": 0, "bbox": [1, 2, 3, 4]}])
    [{'label': 1, 'keypoints': [5, 6, 2], 'crowd': False, 'area': 9.0, 'box': [1, 2, 4, 6]}]
    """
    return _coco(value, "keypoints", "keypoints", box_format)


def _coco(value: Any, given: str, name: str, box_format: str) -> Any:
    if isinstance(value, Mapping) and given in value and "category_id" in value:
        value = [value]
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) and given in item and "category_id" in item for item in value):
        return value
    return [_coco_object(item, given, name, box_format) for item in value]


def _coco_object(item: Mapping[str, Any], given: str, name: str, box_format: str) -> dict[str, Any]:
    found: dict[str, Any] = {"label": item["category_id"], name: item[given]} | _crowd(item)
    found |= {key: item[key] for key in ("score", "area") if key in item}
    if name == "keypoints" and is_box(item.get("bbox")):
        found["box"] = from_coco(item["bbox"], box_format)
    return found


def panoptic(value: Any) -> Any:
    """A COCO panoptic annotation becomes a picture and its segments.

    >>> panoptic({"file_name": "1.png", "segments_info": [{"id": 7, "category_id": 2, "iscrowd": 0, "area": 3, "bbox": [0, 0, 1, 3]}]})
    {'image': '1.png', 'segments': [{'id': 7, 'label': 2, 'crowd': False}]}
    """
    listed = value.get("segments_info") if isinstance(value, Mapping) else None
    if not isinstance(listed, list) or "file_name" not in value or not all(isinstance(item, Mapping) and {"id", "category_id"} <= item.keys() for item in listed):
        return value
    segments = [
        {"id": item["id"], "label": item["category_id"]} | _crowd(item) | ({"thing": bool(item["isthing"])} if "isthing" in item else {}) for item in listed
    ]
    return {"image": value["file_name"], "segments": segments}


def scene_graph(value: Any) -> Any:
    """Triples as lists of three words, one alone, or in words with ` => ` or in brackets, become objects.

    >>> scene_graph([["man", "rides", "horse"]])
    [{'subject': 'man', 'predicate': 'rides', 'object': 'horse'}]
    >>> scene_graph("man => rides => horse; (hat, on, man)")[1]
    {'subject': 'hat', 'predicate': 'on', 'object': 'man'}
    """
    if isinstance(value, str):
        read = [_words(part) for part in _BETWEEN_TRIPLES.split(value) if part.strip()]
        return [triple for triple in read if triple is not None] if None not in read else value
    if isinstance(value, Mapping) and set(_TRIPLE) <= value.keys():
        return [value]
    if isinstance(value, list) and len(value) == 3 and all(isinstance(part, str) for part in value):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, list) and len(item) == 3 and all(isinstance(part, str) for part in item) for item in value):
        return value
    return [dict(zip(_TRIPLE, item, strict=True)) for item in value]


def _words(text: str) -> dict[str, str] | None:
    plain = text.strip()
    bracketed = plain[:1] in "(<[" and plain[-1:] in ")>]"
    parts = plain.split(" => ") if " => " in plain else plain[1:-1].split(",") if bracketed else []
    return dict(zip(_TRIPLE, map(str.strip, parts), strict=True)) if len(parts) == 3 and all(part.strip() for part in parts) else None
