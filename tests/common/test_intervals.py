"""Intervals: agreement between shards, and with the closed form they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from genlevel_evaluator.statistics import intervals


def test_a_weight_depends_on_its_key_alone() -> None:
    keys = [f"sample-{i}" for i in range(50)]
    whole = intervals.poisson_weights(keys)
    np.testing.assert_array_equal(whole[:, 7:9], intervals.poisson_weights(keys[7:9]))


def test_weights_are_poisson_one() -> None:
    weights = intervals.poisson_weights([str(i) for i in range(400)])
    observed = [float(np.mean(weights == k)) for k in range(5)]
    # 400,000 draws: the standard error of a share is below 8e-4.
    np.testing.assert_allclose(observed, stats.poisson.pmf(range(5), 1), atol=4e-3)
    assert abs(np.corrcoef(weights[:, 0], weights[:, 1])[0, 1]) < 0.1


def test_bootstrap_mean_covers_like_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(10, 2, 500)
    found = intervals.bootstrap_mean([str(i) for i in range(500)], values)
    assert found is not None
    half = 1.96 * values.std() / np.sqrt(500)
    assert found.low == pytest.approx(values.mean() - half, abs=0.05)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 10), (29, 29)])
def test_wilson_equals_scipy(hits: int, n: int) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    found = intervals.wilson(hits, n)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-9)
