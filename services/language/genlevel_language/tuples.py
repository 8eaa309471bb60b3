"""Lists written as text: `a, b`, `(A => rel => B), (C => rel => D)`, JSON in a model's answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from genlevel_evaluator.kinds import parse_json

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_NEXT_GROUP = re.compile(r",\s+(?=[(\[])")
_OPEN, _CLOSE = "([{", ")]}"
ARROW = "=>"


def from_json(text: str) -> Any:
    """The JSON value a text is, or holds between code fences; None where it is or holds none.

    >>> from_json('Sure:\\n```json\\n[1]\\n```'), from_json("[1]"), from_json("Paris => LOC")
    ([1], [1], None)
    """
    fenced = _FENCE.search(text)
    inner = (fenced[1] if fenced else text).strip()
    return parse_json(inner) if inner[:1] in ("[", "{") and (fenced or inner[-1] in "]}") and _looks_like_json(inner) else None


def _looks_like_json(text: str) -> bool:
    # "[A => rel => B]" is a list in words; JSON goes on with a string, a number, a list, an object or its end.
    return text[1:].lstrip()[:1] in ('"', "[", "{", "]", "}", "-", *"0123456789tfn") and ARROW not in text.split('"')[0]


def items(text: str) -> list[str]:
    """The items of a list in words: split at a comma and space outside brackets.

    Where brackets do not pair, as in triples that were never closed, a comma before an opening bracket starts a new item.

    >>> items("New York, Paris"), items("(a, b => near => c), (d => in => e)"), items("(a => rel => b, (c => rel => d)")
    (['New York', 'Paris'], ['(a, b => near => c)', '(d => in => e)'], ['(a => rel => b', '(c => rel => d)'])
    """
    groups = [text] if _paired(text) else _NEXT_GROUP.split(text)
    return [item.strip() for group in groups for item in _outside_brackets(group)]


def _paired(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character in _OPEN) - (character in _CLOSE)
        if depth < 0:
            return False
    return not depth


def _outside_brackets(group: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, character in enumerate(group):
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth = max(0, depth - 1)
        elif not depth and group.startswith(", ", place):
            yield group[start:place]
            start = place + 2
    yield group[start:]


def fields(item: str) -> tuple[str, ...]:
    """The parts of one tuple: between arrows, without its outer brackets.

    >>> fields("(A =>  rel => B"), fields("Paris")
    (('A', 'rel', 'B'), ('Paris',))
    """
    if ARROW not in item:
        return (item.strip(),)
    inner = item.strip()
    if inner[:1] in tuple(_OPEN):
        inner = inner[1:]
        inner = inner[:-1] if inner[-1:] in tuple(_CLOSE) else inner
    return tuple(" ".join(part.split()) for part in inner.split(ARROW))


def canonical(item: str) -> str:
    """A tuple in one spelling; other items as they are, trimmed.

    >>> canonical("( A=>rel =>B )"), canonical(" f(x) ")
    ('A => rel => B', 'f(x)')
    """
    return f" {ARROW} ".join(fields(item))
