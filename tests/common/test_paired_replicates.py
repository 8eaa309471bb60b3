"""Replicates of two runs over the same samples: their differences are the paired bootstrap that numpy's multinomial resampling gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from genlevel_evaluator.statistics import intervals

SIZE = 300
KEYS = [f"sample {i}" for i in range(SIZE)]


def multinomial(draws: int = 4000) -> np.ndarray:
    return np.random.default_rng(11).multinomial(SIZE, np.full(SIZE, 1 / SIZE), draws).astype(float)


def replicates(found: intervals.Interval | None) -> np.ndarray:
    assert found is not None
    assert found.replicates is not None
    return found.replicates


def test_difference_of_means() -> None:
    hard = np.random.default_rng(0).uniform(0, 100, SIZE)
    first, second = hard + np.random.default_rng(1).normal(0, 4, SIZE), hard + np.random.default_rng(2).normal(1, 4, SIZE)
    ours = replicates(intervals.bootstrap_mean(KEYS, second)) - replicates(intervals.bootstrap_mean(KEYS, first))
    theirs = multinomial() @ (second - first) / SIZE
    # Both spreads are known to 2 %; the means to a twentieth of the spread.
    assert ours.std() == pytest.approx(theirs.std(), rel=0.06)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.1 * theirs.std())
    low, high = np.percentile(ours, [2.5, 97.5])
    found = stats.bootstrap(
        (first, second), lambda a, b, axis: np.mean(b - a, axis=axis), paired=True, method="percentile", n_resamples=4000, rng=5, vectorized=True
    ).confidence_interval
    assert (low, high) == pytest.approx((found.low, found.high), abs=0.12 * (found.high - found.low))
    unpaired = np.hypot(replicates(intervals.bootstrap_mean(KEYS, first)).std(), replicates(intervals.bootstrap_mean(KEYS, second)).std())
    assert ours.std() < 0.2 * unpaired, "what is hard for one is hard for the other"


def test_difference_of_a_pooled_f1() -> None:
    generator = np.random.default_rng(3)
    wanted = generator.integers(1, 6, SIZE)

    def counts(share: float, seed: int) -> np.ndarray:
        hits = np.random.default_rng(seed).binomial(wanted, share)
        return np.column_stack([hits, np.random.default_rng(seed + 50).poisson(1, SIZE), wanted - hits]).astype(float)

    def f1(totals: np.ndarray) -> np.ndarray:
        return np.asarray(200 * totals[:, 0] / (totals @ np.array([2.0, 1.0, 1.0])))

    first, second = counts(0.6, 1), counts(0.65, 2)
    ours = replicates(intervals.bootstrap(KEYS, second, f1)) - replicates(intervals.bootstrap(KEYS, first, f1))
    weights = multinomial()
    theirs = f1(weights @ second) - f1(weights @ first)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.06)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.1 * theirs.std())


def test_fewer_replicates_are_the_first_of_more() -> None:
    values = np.random.default_rng(0).normal(size=SIZE)

    def mean(weights: np.ndarray) -> float:
        return float(weights @ values / weights.sum())

    few = replicates(intervals.bootstrap_weighted(KEYS, mean, 150))
    np.testing.assert_allclose(few, replicates(intervals.bootstrap_mean(KEYS, values))[:150], rtol=1e-12)


@pytest.mark.parametrize("size", [2, 29, 30])
def test_a_share_has_replicates_beside_its_wilson_interval(size: int) -> None:
    hits = (np.arange(size) % 3 == 0).astype(float)
    found = intervals.proportion(KEYS[:size], hits)
    assert found is not None
    assert found.method == ("wilson" if size < 30 else "poisson_bootstrap_1000")
    assert np.nanmean(replicates(found)) == pytest.approx(100 * hits.mean(), abs=4)
    assert intervals.proportion(KEYS[:1], hits[:1]) == intervals.wilson(1, 1)
