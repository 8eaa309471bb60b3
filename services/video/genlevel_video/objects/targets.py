"""What a metric looks for, out of a reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_video.objects.words import bad_target, clean, colour_words, side_of, split_relation, target_name

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two things of which one is on that side of the other: `one` lies `side` of `other`. `words` is the relation as it came."""

    one: str
    side: str
    other: str
    words: str = ""


def single(given: Given, rule: str) -> str:
    """The one class."""
    text = _first(given, ("object", "text"), "class")
    return text if rule == "public" else target_name(text, "class")


def two(given: Given, rule: str) -> tuple[str, str]:
    """Both classes of `a and b`."""
    pair = _objects(given)
    parts = pair or _first(given, ("object", "text"), "classes").split(" and ")
    if len(parts) != 2:
        raise bad_target("the target does not name two classes", 'write "a and b"')
    if rule == "public":
        return parts[0].strip(), parts[1].strip()
    one, other = (target_name(part, "class") for part in parts)
    if one == other:
        raise bad_target("the target names one class twice", 'write "a and b" with two different classes')
    return one, other


def coloured(given: Given, rule: str) -> tuple[str, str]:
    """The class and its colour. Where only a text is there, its first colour is the colour and the other words are the class."""
    text = str(given.get("text", ""))
    colours = colour_words(str(given["color"]) if isinstance(given.get("color"), str) else text)
    if not colours:
        raise bad_target("the target names none of the colours that are told apart", "use one of white, red, pink, blue, silver, purple, orange, green, gray, yellow, black")
    name = given["object"] if isinstance(given.get("object"), str) else _without(text, colours[0])
    if rule == "public":
        return str(name).strip(), str(given.get("color") or colours[0]).strip()
    return target_name(str(name), "class"), colours[0]


def related(given: Given, rule: str) -> Pair:
    """Two things and a side."""
    pair = _objects(given) or tuple(str(given[key]) for key in ("object_a", "object_b") if isinstance(given.get(key), str))
    words = next((str(given[key]) for key in ("relationship", "text") if isinstance(given.get(key), str)), "")
    if len(pair) == 2:
        side = side_of(words)
    else:
        found = split_relation(words)
        pair, side = ((found[0], found[2]), found[1]) if found else (("", ""), None)
    if side is None:
        raise bad_target("the target says no side", "write: on the left of, on the right of, on top of, on the bottom of")
    if rule == "public":
        return Pair(pair[0].strip(), side, pair[1].strip(), words)
    return Pair(target_name(pair[0], "first thing"), side, target_name(pair[1], "second thing"), words)


def scene_words(given: Given, rule: str) -> tuple[str, ...]:
    """The words of a scene."""
    text = _first(given, ("scene", "text"), "scene")
    return tuple(text.split(" ")) if rule == "public" else tuple(target_name(text, "scene").split())


def _first(given: Given, keys: tuple[str, ...], what: str) -> str:
    for key in keys:
        if isinstance(given.get(key), str) and given[key].strip():
            return str(given[key])
    raise bad_target(f"the reference names no {what}", f"give the {what} as a text")


def _objects(given: Given) -> tuple[str, ...]:
    found = given.get("objects")
    return tuple(found) if isinstance(found, list | tuple) and len(found) == 2 and all(isinstance(one, str) for one in found) else ()


def _without(text: str, colour: str) -> str:
    pattern = "gr[ae]y" if colour == "gray" else colour
    return clean(re.sub(rf"\b{pattern}\b", " ", text.lower(), count=1))
