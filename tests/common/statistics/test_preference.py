"""Strengths from choices against the package choix 0.4.1, the condition of a maximum, and simulated systems."""

from __future__ import annotations

import choix
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from genlevel_evaluator.statistics.preference import sign_test, strengths


def grouped(choices: list[tuple[int, tuple[int, ...]]], systems: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Choices of one among several, as sets with counts."""
    sets = sorted({tuple(sorted(options)) for _, options in choices})
    offered = np.array([[system in options for system in range(systems)] for options in sets])
    chosen = np.zeros(offered.shape)
    for winner, options in choices:
        chosen[sets.index(tuple(sorted(options))), winner] += 1
    return offered, chosen


def simulated(seed: int, systems: int, votes: int, most: int) -> list[tuple[int, tuple[int, ...]]]:
    random = np.random.default_rng(seed)
    true = random.dirichlet(np.full(systems, 3.0))
    choices = []
    for _ in range(votes):
        options = random.permutation(systems)[: int(random.integers(2, most + 1))]
        choices.append((int(random.choice(options, p=true[options] / true[options].sum())), tuple(options.tolist())))
    return choices


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("systems", "most"), [(2, 2), (4, 2), (5, 4)])
def test_it_equals_choix(seed: int, systems: int, most: int) -> None:
    choices = simulated(seed, systems, 300, most)
    found = strengths(*grouped(choices, systems))
    data = [(winner, tuple(option for option in options if option != winner)) for winner, options in choices]
    expected = np.exp(choix.mm_top1(systems, data, tol=1e-12, max_iter=100_000))
    assert found is not None
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-6)


def test_at_the_maximum_each_wins_as_often_as_expected() -> None:
    offered, chosen = grouped(simulated(11, 6, 500, 5), 6)
    found = strengths(offered, chosen)
    assert found is not None
    shares = offered * found / (offered @ found)[:, None]
    np.testing.assert_allclose((shares * chosen.sum(axis=1)[:, None]).sum(axis=0), chosen.sum(axis=0), rtol=1e-8)


def test_two_systems_get_their_shares() -> None:
    found = strengths(np.array([[True, True]]), np.array([[37.5, 12.5]]))
    assert found is not None
    assert found.tolist() == pytest.approx([0.75, 0.25], abs=1e-12)


@pytest.mark.parametrize(
    "choices",
    [
        [(0, (0, 1)), (0, (0, 1))],  # one never wins
        [(0, (0, 1)), (1, (0, 1)), (2, (2, 3)), (3, (2, 3))],  # two islands
        [(0, (0, 1)), (1, (0, 1)), (0, (0, 2))],  # one never wins against the rest
    ],
)
def test_there_are_no_strengths_where_systems_do_not_hang_together(choices: list[tuple[int, tuple[int, ...]]]) -> None:
    assert strengths(*grouped(choices, 4 if len(choices) == 4 else 3 if len(choices) == 3 else 2)) is None


@pytest.mark.parametrize(("wins", "decided"), [(0, 0), (0, 1), (5, 10), (6, 10), (0, 12), (400, 900), (50_000, 101_000)])
def test_the_sign_test_is_scipys(wins: int, decided: int) -> None:
    expected = stats.binomtest(wins, decided).pvalue if decided else 1.0
    assert sign_test(wins, decided) == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert sign_test(decided - wins, decided) == pytest.approx(expected, rel=1e-9, abs=1e-300)
