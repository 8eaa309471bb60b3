"""Input kinds of the language evaluator (docs/formats.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import TEXT, Content, InputKind, decode_text, json_type

_PLAIN = (str, bool, int, float)


def _items(content: Content, attributes: Mapping[str, Any], what: str) -> tuple[str, ...]:
    """The texts of a JSON list, or the one text."""
    if not isinstance(content.json, list):
        return (decode_text(content, attributes),)
    for place, item in enumerate(content.json):
        if not isinstance(item, _PLAIN):
            raise SampleError("WRONG_TYPE", f"{what} {place} is {json_type(item)}", remedy="give texts", pointer=f"/{place}")
    return tuple(item if isinstance(item, str) else json.dumps(item) for item in content.json)


def decode_labels(content: Content, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Labels as given: the items of a list, or a text split at `<p>`. Trimming and case belong to the metric."""
    if isinstance(content.json, list):
        return _items(content, attributes, "label")
    return tuple(decode_text(content, attributes).split("<p>"))


def decode_answers(content: Content, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Ranked answers, best first."""
    return _items(content, attributes, "answer")


LABELS = InputKind("labels", strings_are_paths=False, decode=decode_labels, schema=formats.schema("labels"))
ANSWERS = InputKind(
    "answers", strings_are_paths=False, decode=decode_answers, decode_reference=decode_text, schema=formats.schema("answers")
)
KINDS = {kind.name: kind for kind in (TEXT, LABELS, ANSWERS)}
