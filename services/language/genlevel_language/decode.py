"""Input kinds of the language evaluator (docs/formats.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type
from genlevel_language.judgements import RATINGS, VOTES
from genlevel_language.numbers import COUNT, SERIES
from genlevel_language.spans import EVENTS, SPANS
from genlevel_language.texts import MAX_CHARACTERS, decode_text, too_long
from genlevel_language.verdicts import VERDICT

_PLAIN = (str, bool, int, float)


def _items(content: Content, attributes: Mapping[str, Any], what: str) -> tuple[str, ...]:
    """The texts of a JSON list, or the one text."""
    if not isinstance(content.json, list):
        return (decode_text(content, attributes),)
    for place, item in enumerate(content.json):
        if not isinstance(item, _PLAIN):
            raise SampleError("WRONG_TYPE", f"{what} {place} is {json_type(item)}", remedy="give texts", pointer=f"/{place}")
    texts = tuple(item if isinstance(item, str) else json.dumps(item) for item in content.json)
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise too_long(f"{sum(map(len, texts))} characters")
    return texts


class TextLabels(tuple[str, ...]):
    """Labels that came as one text without `<p>`; a metric may split it further, which it must not do with the items of a list."""

    __slots__ = ()


def decode_labels(content: Content, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Labels as given: the items of a list, or a text split at `<p>`. Trimming and case belong to the metric."""
    if isinstance(content.json, list):
        return _items(content, attributes, "label")
    parts = decode_text(content, attributes).split("<p>")
    return TextLabels(parts) if len(parts) == 1 else tuple(parts)


def decode_answers(content: Content, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Ranked answers, best first."""
    return _items(content, attributes, "answer")


TEXT = InputKind("text", strings_are_paths=False, decode=decode_text, schema=formats.schema("text"))
LABELS = InputKind("labels", strings_are_paths=False, decode=decode_labels, schema=formats.schema("labels"))
ANSWERS = InputKind(
    "answers", strings_are_paths=False, decode=decode_answers, decode_reference=decode_text, schema=formats.schema("answers")
)
KINDS = {kind.name: kind for kind in (TEXT, LABELS, ANSWERS, SPANS, EVENTS, COUNT, SERIES, RATINGS, VOTES, VERDICT)}
