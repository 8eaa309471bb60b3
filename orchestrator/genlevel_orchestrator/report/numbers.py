"""Numbers for documents and for people: JSON has neither NaN nor infinity, and a person wants few digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# Units that are said otherwise before a person; the others are said as the catalogue writes them.
UNITS = {"percent": "%", "percent of distance": "%", "absolute": ""}


def json_number(value: float | None) -> float | str | None:
    """Return a number as the report writes it: infinity as the word ``Infinity``, NaN never.

    >>> json_number(1.5), json_number(float("inf")), json_number(None)
    (1.5, 'Infinity', None)

    Raises:
        ValueError: When the value is NaN, which no metric may give.
    """
    if value is None:
        return None
    if math.isnan(value):
        raise ValueError("NaN is not a value: an undefined value is None with a reason")
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def from_json(value: Any) -> float | None:
    """Return the inverse of ``json_number``.

    >>> from_json("Infinity"), from_json(2)
    (inf, 2.0)
    """
    return None if value is None else float(value)


def json_value(value: Any) -> Any:
    """Return any nested value with its numbers as ``json_number`` writes them."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, float):
        return json_number(value)
    return value


def shown(value: float | str | None, unit: str = "") -> str:
    """Return a value for a person, with its unit.

    >>> shown(83.3333333, "percent"), shown("Infinity", "dB"), shown(None), shown(0.000123)
    ('83.33 %', '∞ dB', '–', '0.000123')
    """
    number = from_json(value)
    if number is None:
        return "–"
    suffix = UNITS.get(unit, unit)
    return f"{_digits(number)} {suffix}".rstrip()


def _digits(number: float) -> str:
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    size = abs(number)
    if size >= 10_000 or (0 < size < 0.01):
        text = f"{number:.3g}"
    elif size >= 10:
        text = f"{number:.2f}"
    else:
        text = f"{number:.3f}"
    return text.replace("-", "−")
