"""Forms that General-Bench's files use and docs/formats.md does not: rewritten into the form of the input kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genlevel_orchestrator.bundle import image_adapters as images
from genlevel_orchestrator.bundle import scene_adapters as scenes
from genlevel_orchestrator.bundle import video_adapters as videos
from genlevel_orchestrator.bundle.violations import Fault

INTENT_PARTS = ("action", "object", "location")


def adapt(value: Any, kind: str, box_format: str = "xyxy") -> Any:
    """The value in the form of its kind; unchanged when it has that form, or one that nobody knows.

    Args:
        value: as it stands in the file.
        kind: the input kind.
        box_format: how the file declares that its boxes are written.
    """
    if kind in _OF_BOXES:
        return _OF_BOXES[kind](value, box_format)
    adapter = _ADAPTERS.get(kind)
    return adapter(value) if adapter else value


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


def ordered_like(value: Any, references: list[Any]) -> Any:
    """An object with the keys of the reference in the reference's order, which is that of frames: a writer may have sorted its own.

    >>> list(ordered_like({"10": "b", "9": "a"}, [{"9": "", "10": ""}]))
    ['9', '10']
    """
    first = references[0] if references else None
    if isinstance(value, Mapping) and isinstance(first, Mapping) and value.keys() == first.keys():
        return {key: value[key] for key in first}
    return value


def seen(value: Any) -> Any:
    """What a clip is to show, out of the objects that the public prompt lists wrap around it.

    >>> seen({"color": {"color": "red"}, "object": "car"}), seen({"object_class": {"object": "dog"}}), seen("a dog")
    ({'color': 'red', 'object': 'car'}, {'object': 'dog'}, 'a dog')
    """
    if not isinstance(value, Mapping) or not any(isinstance(part, Mapping) for part in value.values()) or "frames" in value:
        return value
    flat: dict[str, Any] = {}
    for key, part in value.items():
        flat.update(seen(part) if isinstance(part, Mapping) else {key: part})
    return flat


_ADAPTERS: dict[str, Callable[[Any], Any]] = {
    "text": text, "labels": labels, "spans": spans, "grounding": images.grounding, "panoptic": images.panoptic, "scene_graph": images.scene_graph,
    "video_masks": videos.video_masks,
    "frame_detections": seen, "boxes_3d": scenes.boxes_3d, "tracks_3d": scenes.tracks_3d, "instances_3d": scenes.instances_3d,
}  # fmt: skip
_OF_BOXES: dict[str, Callable[[Any, str], Any]] = {"boxes": images.boxes, "instances": images.instances, "keypoints": images.keypoints, "tubes": videos.tubes}
