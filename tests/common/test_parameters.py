"""Parameters as plain values: numbers that are none, and what is named."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_evaluator.kinds import parse_json
from genlevel_evaluator.parameters import Parameters, parse


@dataclasses.dataclass(frozen=True)
class _Given(Parameters):
    share: float = 0.5
    times: int = 1


@dataclasses.dataclass(frozen=True)
class _None(Parameters):
    pass


def test_a_whole_number_may_come_as_a_double() -> None:
    assert parse(_Given, {"times": 3.0, "share": 1}, "m") == _Given(share=1.0, times=3)
    assert isinstance(parse(_Given, {"times": 3.0}, "m").times, int)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("times", math.inf, "inf is not finite"),
        ("times", math.nan, "nan is not finite"),
        ("times", 1.5, "1.5 is not a whole number"),
        ("times", True, "True is not of type int"),
        ("times", 10**400, "too large"),
        ("share", -math.inf, "-inf is not finite"),
        ("share", math.nan, "nan is not finite"),
        ("share", 10**400, "too large"),
        ("share", "0.5", "'0.5' is not of type float"),
        ("shar", 1, "did you mean share"),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: Any, words: str) -> None:
    with pytest.raises(EvaluatorError, match=words) as caught:
        parse(_Given, {name: value}, "m")
    assert caught.value.reason == "BAD_PARAMETER"
    assert f"parameters of m: {name}: " in caught.value.message


def test_a_metric_without_parameters_says_so() -> None:
    with pytest.raises(EvaluatorError, match="no such parameter; there are none"):
        parse(_None, {"x": 1}, "m")


def test_json_with_a_number_of_thousands_of_digits_is_named() -> None:
    with pytest.raises(SampleError, match="too many digits"):
        parse_json("[" + "9" * 5000 + "]")
