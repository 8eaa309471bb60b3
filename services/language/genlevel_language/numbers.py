"""Counts and series: their input kinds. A number, a text that holds it, a density map, or a list of numbers."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from genlevel_evaluator import formats
from genlevel_evaluator.arrays import read_npy
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type
from genlevel_language import figures
from genlevel_language.texts import decode_text

MAX_VALUES = 1_000_000
"""Longest series."""
MAX_CELLS = 1 << 26
"""Largest density map."""
_LIST = re.compile(r"\[([^\[\]]*)\]")
_ONE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class Count(NamedTuple):
    """How many; None where the answer holds no number."""

    value: float | None


def _finite(value: float, pointer: str = "") -> float:
    if not math.isfinite(value):
        raise SampleError("NOT_FINITE", "a number is not finite", remedy="give finite numbers", pointer=pointer)
    return value


def _plain_number(value: Any, pointer: str = "") -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SampleError("WRONG_TYPE", f"expected a number, got {json_type(value)}", remedy="give a number", pointer=pointer)
    try:
        return _finite(float(value), pointer)
    except OverflowError:
        raise SampleError("NOT_FINITE", "a number is too large", remedy="give finite numbers", pointer=pointer) from None


def decode_count(content: Content, attributes: Mapping[str, Any]) -> Count:
    """A predicted count."""
    if content.text is not None or content.media is not None or isinstance(content.json, str):
        found = figures.first(decode_text(content, attributes))
        return Count(None if found is None else _finite(float(found)))
    if isinstance(content.json, dict):
        return Count(_density(content.json))
    return Count(_plain_number(content.json))


def decode_true_count(content: Content, attributes: Mapping[str, Any]) -> Count:
    """A reference: it holds a number that is not negative."""
    found = decode_count(content, attributes)
    if found.value is None or found.value < 0:
        remedy = "give the number of objects"
        raise SampleError("NO_COUNT", "the reference holds no number from 0 on", remedy=remedy, side="reference")
    return found


def _density(given: Mapping[str, Any]) -> float:
    """Sum of a density map."""
    file = given.get("density")
    if set(given) != {"density"}:
        raise SampleError("WRONG_TYPE", "the object is no density map", remedy='give {"density": file}')
    if not isinstance(file, dict) or not isinstance(file.get("base64"), str):
        remedy = "give the file in place, as name and base64, or the sum of the map"
        raise SampleError("DENSITY_NOT_IN_PLACE", "a density map is read in place only", remedy=remedy, pointer="/density")
    try:
        values = read_npy(base64.b64decode(file["base64"], validate=True), "the density map", MAX_CELLS * 8)
        if values.dtype.kind not in "fiu" or values.ndim not in (2, 3) or values.size > MAX_CELLS:
            raise ValueError(f"an array of type {values.dtype} and shape {values.shape} is no density map")
    except (ValueError, SampleError) as error:
        raise SampleError("BAD_DENSITY", str(error)[:200], remedy="give a .npy file of numbers", pointer="/density") from None
    return _finite(float(np.sum(values, dtype=np.float64)), "/density")


def decode_series(content: Content, attributes: Mapping[str, Any]) -> tuple[float, ...]:
    """Values of a series: a list, one number, or a text with a list between brackets or with one number."""
    if content.text is not None or content.media is not None or isinstance(content.json, str):
        return _series_in(decode_text(content, attributes))
    if not isinstance(content.json, list):
        return (_plain_number(content.json),)
    if not 0 < len(content.json) <= MAX_VALUES:
        raise SampleError("BAD_SERIES", f"a series of {len(content.json)} values", remedy=f"give 1 to {MAX_VALUES} values")
    return tuple(_plain_number(value, f"/{place}") for place, value in enumerate(content.json))


def _series_in(text: str) -> tuple[float, ...]:
    for match in _LIST.finditer(text):
        parts = match[1].replace(",", " ").split()
        if parts and all(_ONE.fullmatch(part) for part in parts):
            return tuple(_finite(float(part)) for part in parts)
    alone = _ONE.findall(text)
    if len(alone) != 1 or "[" in text:  # half a list is none
        remedy = "give a list of numbers between brackets, or one number"
        raise SampleError("NO_SERIES", f"the text holds no list of numbers and {len(alone)} numbers", remedy=remedy)
    return (_finite(float(alone[0])),)


COUNT = InputKind(
    "count", strings_are_paths=False, decode=decode_count, decode_reference=decode_true_count, schema=formats.schema("count")
)
SERIES = InputKind("series", strings_are_paths=False, decode=decode_series, schema=formats.schema("series"))
