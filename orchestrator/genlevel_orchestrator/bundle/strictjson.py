"""JSON as the standard has it: finite numbers, whole characters."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from genlevel_orchestrator.bundle.violations import Fault

HALF = "HALF_A_CHARACTER"
_MOST_DIGITS = 300
"""Longer numbers fit no message: there all numbers are doubles."""


def _refuse_constant(word: str) -> NoReturn:
    raise Fault("NOT_FINITE", f"{word} is not JSON", "write a finite number, or leave the sample out")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Fault("NOT_FINITE", f"{text} is too large for a number", "write a finite number")
    return number


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise Fault("NOT_FINITE", f"a number of {len(text)} digits is too large", "write a finite number")
    return int(text)


DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole)


def decode(data: bytes) -> Any:
    """Strict JSON of UTF-8 bytes.

    Raises:
        Fault: with the place.
    """
    try:
        value = DECODER.decode(data.decode("utf-8"))
        if b"\\ud" in data or b"\\uD" in data:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except UnicodeEncodeError:
        raise _half() from None
    except UnicodeDecodeError as error:
        raise Fault("NOT_UTF8", f"not UTF-8 at byte {error.start}", "save the file as UTF-8") from None
    except RecursionError:
        raise too_deep() from None
    except json.JSONDecodeError as error:
        # Of one line its caller knows the number in the file.
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno} column {error.colno}"
        raise Fault("BAD_JSON", f"{error.msg.removesuffix(' at')} at {place}", "write valid JSON") from None


def decode_halves(data: bytes) -> tuple[dict[str, Any], dict[str, Fault]]:
    """An object that `decode` refused as HALF: what of it is whole, and the fault of every other key; both empty for no object.

    >>> whole, faults = decode_halves(b'{"id": 1, "a": "\\\\ud800"}')
    >>> whole, faults["a"].code
    ({'id': 1}, 'HALF_A_CHARACTER')
    """
    value = DECODER.decode(data.decode("utf-8"))
    whole: dict[str, Any] = {}
    faults: dict[str, Fault] = {}
    for name, item in value.items() if isinstance(value, dict) else ():
        try:
            json.dumps([name, item], ensure_ascii=False).encode("utf-8")
            whole[name] = item
        except UnicodeEncodeError:
            faults[name] = _half()
    return whole, faults


def _half() -> Fault:
    return Fault(HALF, "a text holds half of a surrogate pair (\\ud800 to \\udfff alone)", "write whole characters")


def too_deep() -> Fault:
    """The refusal of JSON that exhausts the stack."""
    return Fault("BAD_JSON", "JSON is nested too deeply", "write samples in the form of docs/formats.md")
