"""mae and rmse against scikit-learn, and the numbers they read."""

from __future__ import annotations

import base64
import io
import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import evaluate, value
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

numbers = st.floats(-1e6, 1e6, allow_nan=False)
counts = st.one_of(st.integers(0, 5000), st.floats(0, 1e4))


@settings(max_examples=150)
@given(st.lists(st.tuples(numbers, counts), min_size=1, max_size=20))
def test_mae_equals_sklearn(task: list[tuple[float, float]]) -> None:
    left, right = [one for one, _ in task], [other for _, other in task]
    result, issues = evaluate("mae", [(one, [other]) for one, other in task])
    assert issues == []
    assert result.value == pytest.approx(float(mean_absolute_error(right, left)), rel=1e-12, abs=1e-9)
    assert result.companions["rmse"] == pytest.approx(float(root_mean_squared_error(right, left)), rel=1e-9, abs=1e-9)
    assert result.companions["bias"] == pytest.approx(float(np.mean(left) - np.mean(right)), abs=1e-6)


@settings(max_examples=100)
@given(st.lists(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12), min_size=1, max_size=8))
def test_rmse_equals_sklearn(task: list[list[tuple[float, float]]]) -> None:
    result, issues = evaluate("rmse", [([one for one, _ in each], [[other for _, other in each]]) for each in task])
    assert issues == []
    left, right = ([pair[side] for each in task for pair in each] for side in (0, 1))
    assert result.value == pytest.approx(float(root_mean_squared_error(right, left)), rel=1e-9, abs=1e-9)
    assert result.companions["mae"] == pytest.approx(float(mean_absolute_error(right, left)), rel=1e-9, abs=1e-9)
    series = [float(root_mean_squared_error([other for _, other in each], [one for one, _ in each])) for each in task]
    assert result.companions["mean_of_series"] == pytest.approx(math.fsum(series) / len(series), rel=1e-9, abs=1e-9)


def test_large_tasks_equal_sklearn() -> None:
    source = random.Random(3)
    truth = [source.randrange(3000) for _ in range(3000)]
    guess = [number + source.randint(-40, 30) for number in truth]
    kept = [(one, other) for one, other in zip(guess, truth, strict=True) if one >= 0]
    result, _ = evaluate("mae", [(f"There are {one} of them." if place % 2 else one, [other]) for place, (one, other) in enumerate(kept)])
    assert result.value == pytest.approx(float(mean_absolute_error([b for _, b in kept], [a for a, _ in kept])), abs=1e-9)
    assert result.interval is not None
    assert result.interval.low < result.value < result.interval.high
    series = [[source.gauss(0, 1) for _ in range(source.randint(1, 48))] for _ in range(1000)]
    forecast = [[point + source.gauss(0, 0.3) for point in one] for one in series]
    result, _ = evaluate("rmse", [(f"Here: {one}", [other]) for one, other in zip(forecast, series, strict=True)])
    oracle = root_mean_squared_error([x for one in series for x in one], [x for one in forecast for x in one])
    assert result.value == pytest.approx(float(oracle), abs=1e-9)
    assert result.interval is not None
    assert result.interval.low < result.value < result.interval.high


@pytest.mark.parametrize(
    ("text", "number"),
    [("I see 12 birds.", 12), ("twenty-one", 21), ("1,200", 1200), ("about 2.5", 2.5), ("-3", -3), ("none", 0), ("", 0), ("One or 2", 1)],
)
def test_numbers_in_answers(text: str, number: float) -> None:
    assert value("mae", [(text, [100])]) == abs(100 - number)


def test_answers_without_a_number_are_counted() -> None:
    result, issues = evaluate("mae", [("I cannot tell", [4]), ("4", ["4 cats"])])
    assert issues == []
    assert (result.value, result.companions["without_number"]) == (2.0, 50.0)


def test_the_nearest_reference_counts() -> None:
    assert value("mae", [(10, [4, 11, 30])]) == 1.0
    assert value("rmse", [([1, 2], [[1, 2, 3], [1, 4], [1, 2.5]])]) == pytest.approx(math.sqrt(0.125))


def density(values: Any) -> dict[str, Any]:
    stream = io.BytesIO()
    np.save(stream, values)
    return {"density": {"name": "a.npy", "base64": base64.b64encode(stream.getvalue()).decode()}}


def test_the_sum_of_a_density_map_counts() -> None:
    values = np.random.default_rng(1).random((7, 9)).astype(np.float32)
    assert value("mae", [(density(values), [100])]) == pytest.approx(100 - float(values.sum(dtype=np.float64)), abs=1e-9)
    assert value("mae", [(3, [density(np.ones((1, 2, 3)))])]) == 3.0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"density": "a.npy"}, "DENSITY_NOT_IN_PLACE"),
        ({"density": {"name": "a.npy", "base64": "AAAA"}}, "BAD_DENSITY"),
        ({"density": {"name": "a.npy", "base64": "?"}}, "BAD_DENSITY"),
        (density(np.array(["a"])), "BAD_DENSITY"),
        (density(np.full((2, 2), np.inf)), "NOT_FINITE"),
        (density(np.zeros(3)), "BAD_DENSITY"),
        ({"count": 3}, "WRONG_TYPE"),
        ([3], "WRONG_TYPE"),
        (True, "WRONG_TYPE"),
        (10**400, "NOT_FINITE"),
        ("9" * 400, "NOT_FINITE"),
    ],
)
def test_bad_counts_are_issues_and_lower_the_coverage(wrong: Any, code: str) -> None:
    result, issues = evaluate("mae", [(wrong, [3]), (4, [3])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert (result.value, result.present, result.expected) == (1.0, 1, 2)


@pytest.mark.parametrize("wrong", ["no number", -1, ""])
def test_a_reference_without_a_count_is_an_issue(wrong: Any) -> None:
    _, issues = evaluate("mae", [(3, [wrong])])
    assert [(issue.code, issue.severity) for issue in issues] == [("NO_COUNT", "reference")]


@pytest.mark.parametrize(
    ("text", "series"),
    [("[1, 2.5]", [1, 2.5]), ("The next values: [1e1 -2.]", [10, -2]), ("see [a] and [3]", [3]), ("3.5", [3.5]), ("It will be 7", [7])],
)
def test_series_in_answers(text: str, series: list[float]) -> None:
    assert value("rmse", [(text, [series])]) == 0.0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("no list", "NO_SERIES"),
        ("1 and 2", "NO_SERIES"),
        ("[1, nan]", "NO_SERIES"),
        ([], "BAD_SERIES"),
        ([1, None], "WRONG_TYPE"),
        ([1, True], "WRONG_TYPE"),
        ([1], "LENGTH_MISMATCH"),
        ([1, 2, 3], "LENGTH_MISMATCH"),
        ({"values": [1, 2]}, "WRONG_TYPE"),
    ],
)
def test_bad_series_are_issues_and_lower_the_coverage(wrong: Any, code: str) -> None:
    result, issues = evaluate("rmse", [(wrong, [[1, 2]]), ([1, 4], [[1, 2]])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert result.value == pytest.approx(math.sqrt(2))
    assert (result.present, result.expected) == (1, 2)


def test_a_missing_prediction_lowers_the_coverage() -> None:
    for metric, right in (("mae", 3), ("rmse", [1, 2])):
        result, issues = evaluate(metric, [(None, [right]), (right, [right])])
        assert issues == []
        assert (result.value, result.present, result.expected) == (0.0, 1, 2)


@pytest.mark.parametrize(("metric", "far", "near"), [("rmse", [1e200, 0], [2, 0]), ("mae", 1.7e308, 2)])
def test_errors_beyond_floating_point_are_issues_and_no_infinite_value(metric: str, far: Any, near: Any) -> None:
    result, issues = evaluate(metric, [(far, [near]), (near, [near]), (near, [far]), (far, [far])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [
        ("0", "TOO_LARGE", "prediction"), ("2", "TOO_LARGE", "reference"),
    ]  # fmt: skip
    assert (result.value, result.present, result.expected) == (0.0, 2, 3)
