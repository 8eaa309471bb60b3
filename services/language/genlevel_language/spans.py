"""Entities and events: their input kinds. JSON, or a text that holds JSON or `text => type` items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type
from genlevel_language import tuples
from genlevel_language.texts import decode_text

MAX_ITEMS = 100_000
"""Most entities or events of one sample."""
_LEFT_OUT = ("", "none", "no entities", "no events", "[]")


class Span(NamedTuple):
    """An entity: its text, its place or both, and its type."""

    type: str
    text: str | None
    place: tuple[int, int] | None


class Event(NamedTuple):
    """An event; arguments are (role, text)."""

    type: str
    trigger: str
    arguments: tuple[tuple[str, str], ...]


T = TypeVar("T")


def _read(
    content: Content, attributes: Mapping[str, Any], of_json: Callable[[Any, str], T], of_words: Callable[[tuple[str, ...]], T]
) -> tuple[T, ...]:
    if content.text is None and content.media is None and not isinstance(content.json, str):
        return _list(content.json, of_json)
    text = decode_text(content, attributes)
    value = tuples.from_json(text)
    if value is not None:
        return _list(value, of_json)
    if text.strip().casefold() in _LEFT_OUT:
        return ()
    parts = text.split("<p>") if "<p>" in text else [item for line in text.splitlines() for item in tuples.items(line)]
    _bound(parts)
    return tuple(of_words(tuples.fields(part)) for part in parts if part.strip())


def _list(value: Any, of_json: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise SampleError("WRONG_TYPE", f"expected a list, got {json_type(value)}", remedy="give a list of objects")
    _bound(value)
    return tuple(of_json(item, f"/{place}") for place, item in enumerate(value))


def _bound(parts: Sequence[Any]) -> None:
    if len(parts) > MAX_ITEMS:
        raise SampleError("TOO_MANY_ITEMS", f"{len(parts)} items, more than {MAX_ITEMS}", remedy="give fewer")


def _object(item: Any, pointer: str, allowed: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise SampleError("WRONG_TYPE", f"expected an object, got {json_type(item)}", remedy=f"give {', '.join(allowed)}", pointer=pointer)
    unknown = sorted(set(item) - set(allowed))
    if unknown:
        raise SampleError("UNKNOWN_KEY", f"there is no key {unknown[0][:40]!r}", remedy=f"give {', '.join(allowed)}", pointer=pointer)
    return item


def _string(item: Mapping[str, Any], key: str, pointer: str) -> str:
    if not isinstance(item.get(key), str):
        raise SampleError("WRONG_TYPE", f"{key} is {json_type(item.get(key))}", remedy=f"give {key} as a string", pointer=f"{pointer}/{key}")
    return str(item[key])


def _span(item: Any, pointer: str) -> Span:
    given = _object(item, pointer, ("text", "type", "start", "end"))
    text = _string(given, "text", pointer) if "text" in given else None
    place = _place(given, pointer) if "start" in given or "end" in given else None
    if text is None and place is None:
        raise SampleError("NO_SPAN", "neither text nor start and end", remedy="say what is named, or where", pointer=pointer)
    return Span(_string(given, "type", pointer), text, place)


def _place(item: Mapping[str, Any], pointer: str) -> tuple[int, int]:
    values = [item.get(key) for key in ("start", "end")]
    # JSON knows one kind of number: 3.0 is a whole one.
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    whole = [int(value) for value in numbers if 0 <= value < 1 << 62 and value == int(value)]
    if len(whole) != 2 or whole[0] > whole[1]:
        remedy = "give both as whole numbers, start not above end"
        raise SampleError("BAD_SPAN", "start and end are no range", remedy=remedy, pointer=pointer)
    return whole[0], whole[1]


def _span_in_words(parts: tuple[str, ...]) -> Span:
    if len(parts) != 2:
        raise SampleError("BAD_TUPLE", f"an item has {len(parts)} parts", remedy="write text => type, items separated by <p>")
    return Span(parts[1], parts[0], None)


def _event(item: Any, pointer: str) -> Event:
    given = _object(item, pointer, ("type", "trigger", "arguments"))
    arguments = given.get("arguments", [])
    if not isinstance(arguments, list):
        message = f"arguments is {json_type(arguments)}"
        raise SampleError("WRONG_TYPE", message, remedy="give a list of role and text", pointer=f"{pointer}/arguments")
    _bound(arguments)
    pairs = []
    for place, argument in enumerate(arguments):
        where = f"{pointer}/arguments/{place}"
        pair = _object(argument, where, ("role", "text"))
        pairs.append((_string(pair, "role", where), _string(pair, "text", where)))
    return Event(_string(given, "type", pointer), _string(given, "trigger", pointer), tuple(pairs))


def _event_in_words(parts: tuple[str, ...]) -> Event:
    if len(parts) != 2:
        raise SampleError("BAD_TUPLE", f"an item has {len(parts)} parts", remedy="write type => trigger, items separated by <p>")
    return Event(parts[0], parts[1], ())


def decode_spans(content: Content, attributes: Mapping[str, Any]) -> tuple[Span, ...]:
    """Entities."""
    return _read(content, attributes, _span, _span_in_words)


def decode_events(content: Content, attributes: Mapping[str, Any]) -> tuple[Event, ...]:
    """Events."""
    return _read(content, attributes, _event, _event_in_words)


SPANS = InputKind("spans", strings_are_paths=False, decode=decode_spans, schema=formats.schema("spans"))
EVENTS = InputKind("events", strings_are_paths=False, decode=decode_events, schema=formats.schema("events"))
