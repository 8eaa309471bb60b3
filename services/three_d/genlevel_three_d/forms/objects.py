"""What boxes, tracks and instances have in common: labels and numbers from strangers, read with care."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import json_type

LARGEST = 1e9
"""Beyond, a length in metres is as good as infinite, and centimetres drown in rounding."""


@lru_cache(maxsize=65_536)
def label_number(label: str) -> int:
    """A stable 64-bit number for a label; labels are compared as trimmed text.

    >>> label_number("car") == label_number(" car "), label_number("4") == label_number("5")
    (True, False)
    """
    return int.from_bytes(hashlib.blake2b(label.strip().encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little", signed=True)


def read_label(value: Any, pointer: str) -> int:
    """The number of a label, text or a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise SampleError("WRONG_TYPE", f"a label is text or a whole number, got {json_type(value)}", remedy="name the class", pointer=pointer)
    return label_number(str(value))


def number(value: Any, pointer: str, limit: float = LARGEST) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SampleError("WRONG_TYPE", f"expected a number, got {json_type(value)}", remedy="give a number", pointer=pointer)
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not abs(result) < limit:
        raise SampleError("NOT_FINITE", "a number is not finite, or absurdly large", remedy="give finite metres and scores", pointer=pointer)
    return result


def vector(value: Any, count: int, pointer: str) -> list[float]:
    """That many finite numbers."""
    if not isinstance(value, list) or len(value) != count:
        raise SampleError("WRONG_SHAPE", f"expected a list of {count} numbers", remedy="see docs/formats.md", pointer=pointer)
    return [number(entry, f"{pointer}/{place}") for place, entry in enumerate(value)]


def check_object(item: Any, keys: Set[str], what: str, pointer: str) -> Mapping[str, Any]:
    """The object, with none but those keys."""
    if not isinstance(item, dict):
        raise SampleError("WRONG_TYPE", f"{what} is an object, got {json_type(item)}", remedy="see docs/formats.md", pointer=pointer)
    if not item.keys() <= keys:
        unknown = sorted(str(key) for key in item.keys() - keys)[0]
        raise SampleError("UNKNOWN_KEY", f"{what} has no key {unknown[:40]!r}", remedy=f"use {', '.join(sorted(keys))}", pointer=pointer)
    return item


def check_list(value: Any, what: str, limit: int, pointer: str = "") -> list[Any]:
    """The list, of at most that many entries."""
    if not isinstance(value, list):
        raise SampleError("WRONG_TYPE", f"expected a list of {what}, got {json_type(value)}", remedy="see docs/formats.md", pointer=pointer)
    if len(value) > limit:
        raise SampleError(f"TOO_MANY_{what.upper()}", f"{len(value)} {what}, the limit is {limit}", remedy="drop the least sure ones", pointer=pointer)
    return value
