"""Companions of Fréchet distances: the line to endlessly many rows, and which names there are."""

from __future__ import annotations

import numpy as np
import pytest

from genlevel_evaluator.statistics import set_companions
from genlevel_evaluator.statistics.frechet import frechet_distance
from genlevel_evaluator.statistics.set_companions import companions, infinity
from tests.common.statistics.test_frechet import features


def test_infinity_is_the_same_every_time_and_sees_no_order_of_memory() -> None:
    generated, real = np.random.default_rng(1).normal(size=(2, 520, 8)).astype(np.float32)
    assert infinity(generated, real) == infinity(np.asfortranarray(generated), real.copy())


def test_the_line_of_infinity_is_least_squares() -> None:
    places, values = np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.1, 4.9, 7.2, 8.8])
    at_zero, error = set_companions._intercept(places, values)
    (slope, intercept), covariance = np.polyfit(places, values, 1, cov=True)
    assert at_zero == pytest.approx(intercept)
    assert slope > 0
    assert error == pytest.approx(np.sqrt(covariance[1, 1]))


@pytest.mark.parametrize("n", [600, 2000])
def test_infinity_is_nearer_to_the_distance_of_many_rows(n: int) -> None:
    real = features(20000, 100, 1)
    far = frechet_distance(features(20000, 100, 5, shift=0.1), real)
    generated = features(n, 100, 6, shift=0.1)
    found, error = infinity(generated, real)
    assert abs(found - far) < 0.35 * (frechet_distance(generated, real) - far)
    assert error > 0


def test_names_and_the_number_of_rows_they_need() -> None:
    few = companions(features(40, 8, 1), features(40, 8, 2), "fvd", "kvd")
    assert sorted(few) == ["authenticity", "kvd", "kvd_standard_error", "precision", "recall"]
    assert companions(np.zeros((1, 8)), features(40, 8, 2), "fvd", "kvd") == {}
    enough = companions(features(500, 8, 1), features(500, 8, 2), "fvd", "kvd")
    assert set(enough) - set(few) == {"fvd_infinity", "fvd_infinity_standard_error"}
    assert set(companions(features(500, 250, 1), features(500, 250, 2), "fvd", "kvd")) == set(few), "half of 500 is no more than 250"
    assert all(0 <= enough[name] <= 100 for name in ("precision", "recall", "authenticity"))
