"""Krippendorff's alpha against the package krippendorff 0.9.0, by its definition over pairs, and by what it must not depend on."""

from __future__ import annotations

from itertools import permutations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from genlevel_evaluator.statistics.agreement import Level, krippendorff_alpha


def flat(table: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Item and value of each rating of a table of raters (rows) and items (columns), NaN where there is none."""
    rater, item = np.nonzero(~np.isnan(table))
    return item, table[rater, item]


def random_table(seed: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    table = random.choice(values, size=(int(random.integers(2, 7)), int(random.integers(2, 30))))
    table[random.random(table.shape) < random.uniform(0, 0.7)] = np.nan
    return table


def by_definition(table: NDArray[np.float64], squared: bool) -> float:
    """1 - D_o / D_e, over every ordered pair."""

    def apart(one: float, other: float) -> float:
        return (one - other) ** 2 if squared else float(one != other)

    units = [column[~np.isnan(column)] for column in table.T]
    units = [unit for unit in units if len(unit) > 1]
    pool = np.concatenate(units)
    observed = sum(apart(*pair) / (len(unit) - 1) for unit in units for pair in permutations(unit, 2)) / len(pool)
    expected = sum(apart(*pair) for pair in permutations(pool, 2)) / (len(pool) * (len(pool) - 1))
    return 1 - observed / expected


@pytest.mark.parametrize("level", ["interval", "nominal"])
def test_it_equals_krippendorff_on_hundreds_of_tables(level: Level) -> None:
    checked = 0
    for seed in range(400):
        table = random_table(seed, np.arange(2, 11) / 2)
        found = krippendorff_alpha(*flat(table), level)
        if found is None:
            continue
        assert found == pytest.approx(krippendorff.alpha(reliability_data=table, level_of_measurement=level), abs=1e-9)
        checked += 1
    assert checked > 350


def test_it_is_what_the_definition_says() -> None:
    for seed in range(20):
        table = random_table(seed, np.array([1.0, 2.5, 3.0, 5.0]))
        for level in ("interval", "nominal"):
            found = krippendorff_alpha(*flat(table), level)
            if found is not None:
                assert found == pytest.approx(by_definition(table, level == "interval"), abs=1e-12)


@given(st.integers(0, 10_000), st.permutations(range(6)))
def test_raters_and_items_may_be_renamed(seed: int, order: list[int]) -> None:
    table = random_table(seed, np.arange(1.0, 6.0))
    shuffled = table[np.argsort(order[: len(table)])][:, ::-1]
    assert krippendorff_alpha(*flat(table), "interval") == pytest.approx(krippendorff_alpha(*flat(shuffled), "interval"), abs=1e-12)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=20).filter(lambda scores: len(set(scores)) > 1), st.integers(2, 5))
def test_full_agreement_is_one(scores: list[int], raters: int) -> None:
    item, value = np.tile(np.arange(len(scores)), raters), np.tile(np.array(scores, dtype=float), raters)
    assert krippendorff_alpha(item, value, "interval") == 1.0
    assert krippendorff_alpha(item, value, "nominal") == 1.0


def test_raters_at_random_agree_as_by_chance() -> None:
    random = np.random.default_rng(5)
    value = random.integers(1, 6, 20_000).astype(float)
    found = krippendorff_alpha(np.repeat(np.arange(5000), 4), value, "interval")
    assert found == pytest.approx(0.0, abs=0.02)


def test_nothing_to_agree_about() -> None:
    assert krippendorff_alpha(np.array([0, 0, 1, 1]), np.array([3.0, 3.0, 3.0, 3.0]), "interval") is None
    assert krippendorff_alpha(np.array([0, 1, 2]), np.array([1.0, 2.0, 3.0]), "nominal") is None
    assert krippendorff_alpha(np.zeros(0, dtype=int), np.zeros(0), "interval") is None
