"""Sample identifiers: strings or whole numbers, compared by how they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from genlevel_orchestrator.bundle.violations import Fault

LONGEST = 500
_INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z")


def key_of(value: Any) -> str:
    """The key of an identifier: ``1`` and ``"1"`` are one sample; ``"01"`` is another.

    Raises:
        Fault: BAD_ID for anything that is neither text nor a whole number.

    >>> key_of(1), key_of("1"), key_of(1.0)
    ('1', '1', '1')
    """
    if isinstance(value, str):
        if not value or len(value) > LONGEST:
            what = "is empty" if not value else f"has {len(value)} characters"
            raise Fault("BAD_ID", f"the id {what}", f"write 1 to {LONGEST} characters")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Fault("BAD_ID", "the id holds half of a surrogate pair", "write whole characters")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    written = "null" if value is None else f"a {type(value).__name__}"
    raise Fault("BAD_ID", f"the id is {written}, not text or a whole number", "write the id as text or a whole number")


def is_odd(value: Any) -> bool:
    """Whether an identifier is accepted but oddly typed: a whole number written with a fraction."""
    return isinstance(value, float)


def order_of(keys: Sequence[str]) -> list[int] | None:
    """Places that sort keys, by value when all are whole numbers, else by code point; None where they are sorted.

    >>> order_of(["10", "9"]), order_of(["10", "9", "a"])
    ([1, 0], None)
    """
    value: Callable[[str], Any] = int if all(map(_INTEGER.match, keys)) else str
    if all(value(left) <= value(right) for left, right in pairwise(keys)):
        return None
    return sorted(range(len(keys)), key=lambda row: value(keys[row]))
