"""Forms that General-Bench's files use and docs/formats.md does not: rewritten into the form of the input kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genlevel_orchestrator.bundle.violations import Fault

INTENT_PARTS = ("action", "object", "location")


def adapt(value: Any, kind: str) -> Any:
    """The value in the form of its kind; unchanged when it has that form, or one that nobody knows."""
    adapter = _ADAPTERS.get(kind)
    return adapter(value) if adapter else value


def boxes(value: Any) -> Any:
    """Objects of class to boxes, alone or in a list, become a list of labelled boxes.

    >>> boxes({"bird": [[0, 0, 5, 5]]})
    [{'label': 'bird', 'box': [0, 0, 5, 5]}]
    >>> boxes([{"Fall": [1.0, 2.0, 3.0, 4.0]}])
    [{'label': 'Fall', 'box': [1.0, 2.0, 3.0, 4.0]}]
    """
    groups = value if isinstance(value, list) else [value]
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


def _is_box(value: Any) -> bool:
    numbers = isinstance(value, list) and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    return numbers and len(value) == 4


def _is_boxes(value: Any) -> bool:
    return _is_box(value) or (isinstance(value, list) and bool(value) and all(_is_box(item) for item in value))


def text(value: Any) -> Any:
    """A proof becomes its steps, one a line, and its conclusion.

    >>> text({"steps": ["a", "b"], "conclusion": "c"})
    'a\\nb\\nConclusion: c'
    """
    if isinstance(value, Mapping) and isinstance(value.get("steps"), list) and isinstance(value.get("conclusion"), str):
        return "\n".join([*map(str, value["steps"]), f"Conclusion: {value['conclusion']}"])
    return value


def labels(value: Any) -> Any:
    """Items of a list that are lists or objects of plain values become tuples in words.

    >>> labels([["Ann", "lives in", "Paris"], {"aspect": "soup", "polarity": "negative"}, "joy"])
    ['Ann => lives in => Paris', 'soup => negative', 'joy']
    """
    return [_tuple(item) for item in value] if isinstance(value, list) else value


def _tuple(item: Any) -> Any:
    parts = list(item.values()) if isinstance(item, Mapping) else item
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str | int | float) for part in parts):
        return item
    return " => ".join(str(part).strip() for part in parts)


def spans(value: Any) -> Any:
    """An object of types to texts becomes a list of typed texts.

    >>> spans({"PER": ["Ann", "Bob"], "LOC": "Paris"})[1:]
    [{'text': 'Bob', 'type': 'PER'}, {'text': 'Paris', 'type': 'LOC'}]
    """
    if not isinstance(value, Mapping):
        return value
    groups = {kind: texts if isinstance(texts, list) else [texts] for kind, texts in value.items()}
    if not all(isinstance(text, str) for texts in groups.values() for text in texts):
        return value
    return [{"text": text, "type": kind} for kind, texts in groups.items() for text in texts]


def joined(value: list[Any]) -> Any:
    """A list of words as one text, between them ``<p>``; a list of anything else as it is.

    >>> joined(["bright", 3]), joined([["x"]])
    ('bright<p>3', [['x']])
    """
    return "<p>".join(map(str, value)) if all(isinstance(item, str | int | float) for item in value) else value


def intents(values: list[Any], maps: Mapping[str, Any]) -> list[Any]:
    """Spoken intents written as three indices become their names, with spaces and with commas; the indices stay accepted.

    >>> maps = {"action": {"0": "activate"}, "object": {"2": "lights"}, "location": {"1": "kitchen"}}
    >>> intents(["0 2 1"], maps)
    ['activate lights kitchen', 'activate, lights, kitchen', '0 2 1']

    Raises:
        Fault: an index that the annotation does not name.
    """
    found: list[Any] = []
    for value in values:
        parts = value.replace(",", " ").split() if isinstance(value, str) else []
        if len(parts) == len(INTENT_PARTS) and all(part.isdigit() for part in parts):
            names = [_intent(maps.get(kind), part, kind) for kind, part in zip(INTENT_PARTS, parts, strict=True)]
            found += [" ".join(names), ", ".join(names)]
        found.append(value)
    return found


def _intent(names: Any, index: str, kind: str) -> str:
    """The name of an index; the maps hold names by index and indices by name."""
    entries = names if isinstance(names, Mapping) else {}
    name = entries.get(index)
    if isinstance(name, str):
        return name
    by_name = next((key for key, value in entries.items() if str(value) == index and not key.isdigit()), None)
    if by_name is None:
        raise Fault("BAD_INTENT", f"intent_label.{kind} names no index {index}", "add it to the annotation's intent_label")
    return str(by_name)


def instances(value: Any) -> Any:
    """COCO annotations with a segmentation become labelled masks.

    >>> instances([{"id": 7, "category_id": 3, "segmentation": [[0, 0, 4, 0, 4, 4]], "iscrowd": 0, "area": 8.0, "bbox": [0, 0, 4, 4]}])
    [{'label': 3, 'mask': [[0, 0, 4, 0, 4, 4]], 'crowd': False, 'area': 8.0}]
    """
    return _coco(value, "segmentation", "mask")


def keypoints(value: Any) -> Any:
    """COCO annotations with keypoints become people; their boxes, corner and size in COCO, become corners.

    >>> keypoints([{"category_id": 1, "keypoints": [5, 6, 2], "num_keypoints": 1, "area": 9.0, "iscrowd": 0, "bbox": [1, 2, 3, 4]}])
    [{'label': 1, 'keypoints': [5, 6, 2], 'crowd': False, 'area': 9.0, 'box': [1, 2, 4, 6]}]
    """
    return _coco(value, "keypoints", "keypoints")


def _coco(value: Any, given: str, name: str) -> Any:
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) and given in item and "category_id" in item for item in value):
        return value
    return [_coco_object(item, given, name) for item in value]


def _coco_object(item: Mapping[str, Any], given: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"label": item["category_id"], name: item[given]}
    if "iscrowd" in item:
        found["crowd"] = bool(item["iscrowd"])
    found |= {key: item[key] for key in ("score", "area") if key in item}
    if name == "keypoints" and _is_box(item.get("bbox")):
        x, y, width, height = item["bbox"]
        found["box"] = [x, y, x + width, y + height]
    return found


_ADAPTERS: dict[str, Callable[[Any], Any]] = {"boxes": boxes, "instances": instances, "keypoints": keypoints, "text": text, "labels": labels, "spans": spans}
