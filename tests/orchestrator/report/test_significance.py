"""Tests of two runs: p-values against scipy 1.17, laws, and Holm's adjustment by its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genlevel_evaluator.statistics.intervals import bootstrap_mean
from genlevel_orchestrator.report.significance import (
    EXACT_BITS,
    FLIPS,
    holm,
    mcnemar,
    paired_bootstrap,
    sign_flips,
)


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (7, 2), (30, 12), (400, 500), (1100, 1300), (3000, 0)])
def test_mcnemar_is_a_binomial_test_of_the_discordant_samples(gained: int, lost: int) -> None:
    first = [0.0] * gained + [100.0] * lost + [100.0, 0.0]
    second = [100.0] * gained + [0.0] * lost + [100.0, 0.0]
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert mcnemar(first, second).p == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert mcnemar(second, first) == mcnemar(first, second)


def scipy_p(differences: list[float], resamples: float) -> float:
    # With one sample of pairs, scipy swaps the two of each pair: the signs of the differences.
    zeros = np.zeros(len(differences))
    found = stats.permutation_test(
        (differences, zeros), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples", n_resamples=resamples, vectorized=True
    )
    return float(found.pvalue)


@given(st.lists(st.integers(-6, 6).map(lambda n: n / 4), min_size=2, max_size=9))
@settings(max_examples=60)
def test_few_differences_are_gone_through(differences: list[float]) -> None:
    found = sign_flips(differences)
    assert found.method == "sign_flip_exact"
    assert found.p == pytest.approx(scipy_p(differences, np.inf) if any(differences) else 1.0)


@pytest.mark.parametrize(("shift", "size"), [(0.0, 20), (0.4, 30), (0.15, 203)])
def test_many_differences_are_drawn(shift: float, size: int) -> None:
    differences = (np.random.default_rng(size).normal(size=size) + shift).tolist()
    found = sign_flips(differences)
    assert found.method == f"sign_flip_{FLIPS}"
    expected = scipy_p(differences, 30_000)
    # Five standard errors of either side.
    assert found.p == pytest.approx(expected, abs=7 * math.sqrt(expected * (1 - expected) / FLIPS) + 2e-4)
    assert sign_flips(differences) == found
    assert sign_flips([-item for item in differences]).p == found.p


def test_draws_agree_with_all_flips_at_the_border() -> None:
    differences = np.random.default_rng(5).normal(0.4, 1, EXACT_BITS).tolist()
    exact = sign_flips(differences).p
    drawn = sign_flips([*differences, 1e-12]).p
    assert drawn == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / FLIPS))


def test_no_difference_has_p_one() -> None:
    assert sign_flips([0.0] * 40).p == 1.0
    assert mcnemar([100.0] * 5, [100.0] * 5).p == 1.0
    same = np.random.default_rng(0).normal(size=1000).tolist()
    found = paired_bootstrap(same, same)
    assert found is not None
    assert (found.low, found.high, found.test.p) == (0.0, 0.0, 1.0)


def test_paired_bootstrap_by_hand() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.normal(10, 1, 1000), generator.normal(12, 1, 1000)
    first[3] = second[8] = np.nan
    found = paired_bootstrap(first.tolist(), second.tolist())
    assert found is not None
    differences = (second - first)[np.isfinite(second - first)]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(differences, [2.5, 97.5])))
    assert found.test.p == pytest.approx(2 * (min(np.sum(differences <= 0), np.sum(differences >= 0)) + 1) / 999)
    back = paired_bootstrap(second.tolist(), first.tolist())
    assert back is not None
    assert (back.low, back.high, back.test.p) == pytest.approx((-found.high, -found.low, found.test.p))


def test_few_replicates_make_no_interval() -> None:
    assert paired_bootstrap([1.0] * 99, [2.0] * 1000) is None
    assert paired_bootstrap([], []) is None
    assert paired_bootstrap([math.nan] * 1000, [1.0] * 1000) is None


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_by_its_definition(values: list[float]) -> None:
    order = np.argsort(values, kind="stable")
    scaled = np.minimum(1.0, np.array(values)[order] * (len(values) - np.arange(len(values))))
    expected = np.empty(len(values))
    expected[order] = np.maximum.accumulate(scaled)
    assert holm(values) == pytest.approx(expected.tolist())
    assert all(adjusted >= p for adjusted, p in zip(holm(values), values, strict=True))


def test_equal_models_are_told_apart_as_rarely_as_promised() -> None:
    """100 pairs of models that differ by noise alone: 95 % intervals hold 0, and p-values below 0.05 are about one in twenty."""
    held, flips, matches = [], [], []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        keys, hardness = [f"{seed} {i}" for i in range(150)], generator.uniform(0, 100, 150)
        first, second = hardness + generator.normal(0, 8, 150), hardness + generator.normal(0, 8, 150)
        drawn = [bootstrap_mean(keys, side) for side in (first, second)]
        one, other = (item.replicates.tolist() for item in drawn if item is not None and item.replicates is not None)
        found = paired_bootstrap(one, other)
        assert found is not None
        held.append(found.low <= 0.0 <= found.high)
        flips.append(sign_flips((second - first).tolist()).p < 0.05)
        right = 100.0 * (generator.random((2, 150)) < 1 / (1 + np.exp(-generator.normal(0, 2, 150))))
        matches.append(mcnemar(*right.tolist()).p < 0.05)
    # 95 of 100 with a standard error of 2.2; exact tests of counts stay below their level.
    assert 88 <= sum(held) <= 100
    assert sum(flips) <= 12
    assert sum(matches) <= 12
