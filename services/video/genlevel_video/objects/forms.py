"""Detections and captions that were made elsewhere, as JSON; and what a clip is to show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type

MAX_DETECTIONS = 100_000
MAX_FRAMES = 100_000
MAX_LETTERS = 2_000
LARGEST = 1e9
_KEYS = frozenset(("label", "box", "score", "description"))
_ASKED = frozenset(("text", "object", "objects", "object_a", "object_b", "relationship", "color", "scene"))
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """One thing in one frame. `score` is 1 where none was given; `description` is what a captioner says of it."""

    label: str
    score: float = 1.0
    box: Box | None = None
    description: str = ""


@dataclass(frozen=True)
class Detections:
    """What a detector found in each chosen frame."""

    detector: str
    frames: tuple[tuple[Detection, ...], ...]


@dataclass(frozen=True)
class Captions:
    """What a captioner says of each chosen frame."""

    captioner: str
    captions: tuple[str, ...]


def decode_findings(content: Content, attributes: Mapping[str, Any]) -> Detections | Captions | None:
    """What was found in the frames of a clip, in place or in a `.json` file; None where the content is a clip."""
    if isinstance(content.json, Mapping) or content.text is not None or (content.media is not None and content.media.suffix == ".json"):
        return parse(decode_json(content, attributes))
    return None


def parse(value: Any) -> Detections | Captions:
    """`{"detector", "frames"}` or `{"captioner", "captions"}`.

    Raises:
        SampleError: WRONG_TYPE, UNKNOWN_KEY, BAD_SCORE, BAD_BOX, TOO_MANY_DETECTIONS or TOO_LONG, with the place.
    """
    if not isinstance(value, Mapping):
        raise SampleError("WRONG_TYPE", f"expected a clip or its detections, got {json_type(value)}", remedy="see docs/formats.md, frame_detections")
    if "captions" in value:
        _only(value, {"captioner", "captions"}, "")
        return Captions(_text(value, "captioner", ""), tuple(_string(one, f"/captions/{place}") for place, one in enumerate(_list(value, "captions"))))
    _only(value, {"detector", "frames"}, "")
    detector, frames = _text(value, "detector", ""), _list(value, "frames")
    for place, frame in enumerate(frames):
        if not isinstance(frame, list):
            raise SampleError("WRONG_TYPE", f"a frame is {json_type(frame)}", remedy="give a list of detections for every frame", pointer=f"/frames/{place}")
    if (count := sum(map(len, frames))) > MAX_DETECTIONS:
        raise SampleError("TOO_MANY_DETECTIONS", f"{count} detections, the limit is {MAX_DETECTIONS}", remedy="drop the least sure ones", pointer="/frames")
    return Detections(detector, tuple(tuple(_detection(one, f"/frames/{i}/{j}") for j, one in enumerate(frame)) for i, frame in enumerate(frames)))


def _detection(value: Any, pointer: str) -> Detection:
    if not isinstance(value, Mapping):
        raise SampleError("WRONG_TYPE", f"a detection is {json_type(value)}", remedy='give {"label": ..., "box": [...], "score": ...}', pointer=pointer)
    _only(value, _KEYS, pointer)
    score = value.get("score", 1.0)
    if not _finite(score):
        raise SampleError("BAD_SCORE", "a score is no finite number", remedy="give a number, or leave score out", pointer=f"{pointer}/score")
    box = _box(value["box"], f"{pointer}/box") if value.get("box") is not None else None
    description = value.get("description", "")
    return Detection(_text(value, "label", pointer), float(score), box, _string(description, f"{pointer}/description"))


def _box(value: Any, pointer: str) -> Box:
    if not isinstance(value, list) or len(value) != 4 or not all(_finite(number) and abs(number) <= LARGEST for number in value):
        raise SampleError("BAD_BOX", "a box is not four finite numbers", remedy="give [x1, y1, x2, y2] in pixels", pointer=pointer)
    return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))


def _finite(value: Any) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _only(value: Mapping[str, Any], known: set[str] | frozenset[str], pointer: str) -> None:
    if others := sorted(set(value) - known):
        raise SampleError("UNKNOWN_KEY", f"unknown key {others[0]!r}", remedy=f"there are {', '.join(sorted(known))}", pointer=pointer)


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if not isinstance(found, list) or not found:
        raise SampleError("WRONG_TYPE", f"{key} is not a list with one entry a frame", remedy=f"give {key} as a list, one entry a frame", pointer=f"/{key}")
    if len(found) > MAX_FRAMES:
        raise SampleError("TOO_MANY_FRAMES", f"{len(found)} frames, the limit is {MAX_FRAMES}", remedy="give the chosen frames only", pointer=f"/{key}")
    return found


def _text(value: Mapping[str, Any], key: str, pointer: str) -> str:
    found = _string(value.get(key), f"{pointer}/{key}")
    if not found.strip():
        raise SampleError("WRONG_TYPE", f"{key} is empty", remedy=f"give {key} as a word", pointer=f"{pointer}/{key}")
    return found


def _string(value: Any, pointer: str) -> str:
    if not isinstance(value, str):
        raise SampleError("WRONG_TYPE", f"expected text, got {json_type(value)}", remedy="give a string", pointer=pointer)
    if len(value) > MAX_LETTERS:
        raise SampleError("TOO_LONG", f"a text of {len(value)} letters, the limit is {MAX_LETTERS}", remedy="give a name or a caption", pointer=pointer)
    return value


def decode_target(content: Content, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the clip is to show: `{"text": ...}` of a text, an object as it is; the attributes `object` and `objects` go with it, and the prompt as its text."""
    value = content.text if content.text is not None else decode_json(content, attributes)
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, Mapping):
        raise SampleError("WRONG_TYPE", f"expected what is to be seen, got {json_type(value)}", remedy='give a text, or an object such as {"object": "dog"}')
    _only(value, _ASKED, "")
    for key, part in value.items():
        for one in part if key == "objects" and isinstance(part, list) else [part]:
            _string(one, f"/{key}")
    given = {name: attributes[name] for name in ("object", "objects") if attributes.get(name) is not None}
    prompt = next((attributes[name] for name in ("prompt", "prompt_en") if isinstance(attributes.get(name), str)), "")
    return {**({"text": prompt} if 0 < len(prompt) <= MAX_LETTERS else {}), **given, **value}
