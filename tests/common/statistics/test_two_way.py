"""The bootstrap over raters and items: against one written out, however it is cut, and how often it covers the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genlevel_evaluator.statistics import intervals
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_two_way, poisson_weights


def pooled(keys: list[str], sizes: NDArray[np.int64], raters: NDArray[np.int64], values: NDArray[np.float64]) -> Interval | None:
    cells = np.column_stack([values, np.ones(len(values))])
    return bootstrap_two_way(keys, sizes, raters, cells, lambda sums: sums, lambda totals: totals[:, 0] / totals[:, 1])


def crossed(seed: int, items: int, raters: int, item_sd: float, rater_sd: float, noise: float) -> tuple[Any, ...]:
    """Every rater rates every item around 3."""
    random = np.random.default_rng(seed)
    values = 3 + random.normal(0, item_sd, (items, 1)) + random.normal(0, rater_sd, (1, raters)) + random.normal(0, noise, (items, raters))
    return [str(i) for i in range(items)], np.full(items, raters), np.tile(np.arange(raters), items), values.ravel()


def test_it_is_a_weighted_mean_in_each_replicate() -> None:
    keys, sizes, raters, values = crossed(1, 7, 4, 1, 1, 1)
    found = pooled(keys, sizes, raters, values)
    of_item, of_rater = poisson_weights(keys), poisson_weights([f"rater {r}" for r in range(4)])
    weights = np.repeat(of_item, 4, axis=1) * of_rater[:, raters]
    with np.errstate(invalid="ignore"):
        expected = (weights @ values) / weights.sum(axis=1)
    assert found is not None
    assert found.replicates is not None
    np.testing.assert_allclose(found.replicates, expected, rtol=1e-12)
    low, high = np.nanpercentile(expected, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert found.method == "two_way_poisson_bootstrap_1000"


@pytest.mark.parametrize("chunk", [1, 3, 17])
def test_it_does_not_depend_on_how_the_work_is_cut(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    sizes = random.integers(1, 6, 40)
    raters = random.integers(0, 30, sizes.sum())
    values = random.integers(2, 11, sizes.sum()) / 2
    keys = [f"item-{i}" for i in range(40)]
    whole = pooled(keys, sizes, raters, values)
    monkeypatch.setattr(intervals, "_CHUNK", chunk)
    assert pooled(keys, sizes, raters, values) == whole


def test_raters_and_items_of_one_name_are_drawn_apart() -> None:
    same = np.corrcoef(poisson_weights(["1"])[:, 0], poisson_weights(["rater 1"])[:, 0])[0, 1]
    assert abs(same) < 0.1


@pytest.mark.parametrize(("item_sd", "rater_sd", "noise"), [(0.5, 0.5, 0.5), (0.1, 0.6, 0.4), (0.6, 0.1, 0.4)])
def test_it_covers_the_truth_about_as_often_as_it_says(item_sd: float, rater_sd: float, noise: float) -> None:
    """Of 120 studies of 30 items and 25 raters 95 % should cover; three standard errors below is 0.89. Over is allowed: it errs wide."""
    hits = naive = 0
    for seed in range(120):
        keys, sizes, raters, values = crossed(seed, 30, 25, item_sd, rater_sd, noise)
        found = pooled(keys, sizes, raters, values)
        alone = intervals.bootstrap_mean(keys, values.reshape(30, 25).mean(axis=1))
        assert found is not None
        assert alone is not None
        hits += found.low <= 3 <= found.high
        naive += alone.low <= 3 <= alone.high
    assert hits / 120 >= 0.89
    if rater_sd >= 0.5:
        assert naive / 120 < 0.85, "drawing items alone takes the same raters for everyone"


def test_one_rater_or_one_item_gives_none() -> None:
    two = np.array([1, 1])
    assert pooled(["a", "b"], two, np.array([5, 5]), np.array([1.0, 2.0])) is None
    assert pooled(["a"], np.array([2]), np.array([5, 6]), np.array([1.0, 2.0])) is None
