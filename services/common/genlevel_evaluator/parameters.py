"""Metric parameters: frozen dataclasses, read strictly from plain values."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from genlevel_evaluator.errors import Code, EvaluatorError


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Base of every metric's parameters. Fields are bool, int, float, str, Literal of strings, or one of these or None."""


P = TypeVar("P", bound=Parameters)


_types: dict[type, dict[str, Any]] = {}


def field_types(cls: type[Parameters]) -> dict[str, Any]:
    """Declared type of each field of a parameters class."""
    if cls not in _types:
        hints = get_type_hints(cls)
        _types[cls] = {item.name: hints[item.name] for item in dataclasses.fields(cls)}
    return _types[cls]


def type_name(declared: Any) -> str:
    """The type as a person writes it."""
    return declared.__name__ if isinstance(declared, type) else str(declared).replace("typing.", "")


def parse(cls: type[P], given: Mapping[str, Any], metric: str) -> P:
    """Builds parameters from plain values.

    Raises:
        EvaluatorError: INVALID_ARGUMENT that names every unknown parameter and every value of the wrong type.
    """
    declared = field_types(cls)
    faults: list[str] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            faults.append(f"{name}: no such parameter" + (f", did you mean {near[0]}?" if near else f"; there are {sorted(declared) or 'none'}"))
            continue
        try:
            values[name] = _convert(declared[name], value)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if not faults:
        try:
            return cls(**values)
        except ValueError as error:  # a dataclass may check its own values in __post_init__
            faults.append(str(error))
    raise EvaluatorError(
        Code.INVALID_ARGUMENT, "BAD_PARAMETER", f"parameters of {metric}: " + "; ".join(faults),
        f"see `genlevel catalogue show {metric}`",
    )


def _convert(declared: Any, value: Any) -> Any:
    origin = get_origin(declared)
    if origin is Literal:
        if value not in get_args(declared):
            raise ValueError(f"{value!r} is not one of {list(get_args(declared))}")
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(declared):
            return None
        inner = [item for item in get_args(declared) if item is not type(None)]
        return _convert(inner[0], value)
    return _convert_plain(declared, value)


def _convert_plain(declared: type, value: Any) -> Any:
    if declared is bool and isinstance(value, bool):
        return value
    if declared in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return declared(_number(declared, value))
    if declared is str and isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not of type {declared.__name__}")


def _number(declared: type, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    # google.protobuf.Struct carries every number as a double.
    if declared is int and number != int(number):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def as_plain(parameters: Parameters) -> dict[str, Any]:
    """All parameters as plain values, in order of declaration."""
    return dataclasses.asdict(parameters)
