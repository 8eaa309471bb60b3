"""Input kinds of the language evaluator (docs/formats.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type
from genlevel_evaluator.kinds import decode_text as decode_any_text

MAX_CHARACTERS = 1 << 20
"""Longest text that is scored."""

_PLAIN = (str, bool, int, float)


def decode_text(content: Content, attributes: Mapping[str, Any]) -> str:
    """Text of bounded length: some metrics need the product of two lengths."""
    path = content.media.path if content.media is not None else None
    # Four bytes are the most a character takes, so a larger file is refused before it is read.
    if path is not None and path.stat().st_size > 4 * MAX_CHARACTERS:
        raise _too_long(f"a file of {path.stat().st_size} bytes")
    text = decode_any_text(content, attributes)
    if len(text) > MAX_CHARACTERS:
        raise _too_long(f"{len(text)} characters")
    return text


def _too_long(size: str) -> SampleError:
    return SampleError("TEXT_TOO_LONG", f"{size}, more than {MAX_CHARACTERS} characters", remedy="shorten the text")


def _items(content: Content, attributes: Mapping[str, Any], what: str) -> tuple[str, ...]:
    """The texts of a JSON list, or the one text."""
    if not isinstance(content.json, list):
        return (decode_text(content, attributes),)
    for place, item in enumerate(content.json):
        if not isinstance(item, _PLAIN):
            raise SampleError("WRONG_TYPE", f"{what} {place} is {json_type(item)}", remedy="give texts", pointer=f"/{place}")
    texts = tuple(item if isinstance(item, str) else json.dumps(item) for item in content.json)
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise _too_long(f"{sum(map(len, texts))} characters")
    return texts


def decode_labels(content: Content, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Labels as given: the items of a list, or a text split at `<p>`. Trimming and case belong to the metric."""
    if isinstance(content.json, list):
        return _items(content, attributes, "label")
    return tuple(decode_text(content, attributes).split("<p>"))


def decode_answers(content: Content, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Ranked answers, best first."""
    return _items(content, attributes, "answer")


TEXT = InputKind("text", strings_are_paths=False, decode=decode_text, schema=formats.schema("text"))
LABELS = InputKind("labels", strings_are_paths=False, decode=decode_labels, schema=formats.schema("labels"))
ANSWERS = InputKind(
    "answers", strings_are_paths=False, decode=decode_answers, decode_reference=decode_text, schema=formats.schema("answers")
)
KINDS = {kind.name: kind for kind in (TEXT, LABELS, ANSWERS)}
