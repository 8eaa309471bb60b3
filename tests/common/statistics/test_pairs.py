"""Pairs of two feature sets, against torch-fidelity 0.4.0 and, for authenticity, plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_kid import kernel_mmd
from torch_fidelity.metric_prc import calculate_precision_recall_full

from genlevel_evaluator.statistics import pairs
from genlevel_evaluator.statistics.pairs import Comparison, compare
from tests.common.statistics.test_frechet import features

Array = NDArray[np.float64]


def compared(a: Array, b: Array) -> Comparison:
    found = compare(a, b)
    assert found is not None
    return found


@pytest.fixture
def single(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products in float32, as for large sets."""
    monkeypatch.setattr(pairs, "EXACT_ROWS", 10)


def kid(a: Array, b: Array) -> float:
    settings_of_kid = {"poly_degree": 3, "poly_gamma": None, "poly_coef0": 1.0}
    return float(kernel_mmd(a, b, kid_kernel="poly", **{f"kid_kernel_{k}": v for k, v in settings_of_kid.items()}))


def test_kernel_distance_equals_torch_fidelity() -> None:
    a, b = features(80, 32, 1), features(80, 32, 2, shift=0.2)
    assert compared(a, b).kernel.value == pytest.approx(kid(a, b), rel=1e-10)


@pytest.mark.usefixtures("single")
def test_large_sets_agree_with_float64_far_below_the_standard_error() -> None:
    a, b = (features(2300, 256, seed, shift).astype(np.float32).astype(np.float64) for seed, shift in ((1, 0.0), (2, 0.01)))
    found = compared(a, b)
    assert abs(found.kernel.value - kid(a, b)) < 1e-4 * found.kernel.standard_error
    expected = calculate_precision_recall_full(torch.from_numpy(a), torch.from_numpy(b))
    assert (found.precision, found.recall) == pytest.approx(expected, abs=1e-3)


def test_kernel_distance_is_unbiased_and_its_error_covers() -> None:
    rng = np.random.default_rng(7)
    draws = [compared(rng.standard_normal((40, 8)), rng.standard_normal((60, 8)) + 0.8).kernel for _ in range(300)]
    values = np.array([draw.value for draw in draws])
    exact = compared(rng.standard_normal((4000, 8)), rng.standard_normal((4000, 8)) + 0.8).kernel
    assert abs(values.mean() - exact.value) < 4 * math.hypot(values.std() / math.sqrt(300), exact.standard_error)
    assert np.median([draw.standard_error for draw in draws]) == pytest.approx(values.std(), rel=0.25)


def test_one_row_has_no_pairs() -> None:
    assert compare(np.zeros((1, 2)), np.zeros((5, 2))) is None


def test_kernel_distance_does_not_depend_on_blocks() -> None:
    a, b = features(1300, 6, 1), features(1100, 6, 2)
    kernel = lambda x, y: (x @ y.T / 6 + 1) ** 3  # noqa: E731
    xx, yy, xy = kernel(a, a), kernel(b, b), kernel(a, b)
    expected = (xx.sum() - np.trace(xx)) / (1300 * 1299) + (yy.sum() - np.trace(yy)) / (1100 * 1099) - 2 * xy.mean()
    assert compared(a, b).kernel.value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("first", "second", "width"), [(60, 45, 2), (4, 200, 3), (1100, 30, 5), (40, 40, 300)])
@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_precision_and_recall_equal_torch_fidelity(first: int, second: int, width: int, shift: float) -> None:
    source = np.random.default_rng(first + width)
    generated, real = source.normal(shift, 1, (first, width)), source.normal(0, 1.3, (second, width))
    expected = calculate_precision_recall_full(torch.from_numpy(generated), torch.from_numpy(real))
    found = compared(generated, real)
    assert (found.precision, found.recall) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("width", [1, 40])
def test_equal_sets_cover_each_other_even_where_rows_repeat(width: int, request: pytest.FixtureRequest) -> None:
    rows = np.repeat(np.random.default_rng(1).normal(50, 1, (5, width)), 6, axis=0)
    found = compared(rows, rows[::-1])
    assert (found.precision, found.recall) == (1.0, 1.0)
    request.getfixturevalue("single")
    found = compared(rows, rows[::-1])
    assert (found.precision, found.recall) == (1.0, 1.0)


def test_sets_far_apart_share_nothing() -> None:
    rows = np.random.default_rng(1).normal(0, 1, (20, 4))
    found = compared(rows, rows + 100)
    assert (found.precision, found.recall) == (0.0, 0.0)


def test_three_rows_have_no_third_neighbour() -> None:
    found = compared(np.eye(3), np.eye(3) + 0.1)
    assert (found.precision, found.recall) == (None, None)


@pytest.mark.parametrize(("n", "m"), [(1200, 1100), (30, 2), (3, 1500)])
def test_authenticity_by_loops(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    real = rng.standard_normal((m, 6))
    copies = real[rng.integers(0, m, n // 3)] + rng.normal(0, 0.01, (n // 3, 6))
    generated = np.vstack([copies, rng.standard_normal((n - n // 3, 6))])
    authentic = 0
    for row in generated:
        to_real = np.linalg.norm(real - row, axis=1)
        nearest = int(to_real.argmin())
        others = np.delete(np.linalg.norm(real - real[nearest], axis=1), nearest)
        authentic += to_real[nearest] >= others.min()
    assert compared(generated, real).authenticity == pytest.approx(authentic / n, abs=1e-12)


def test_copies_are_not_authentic() -> None:
    real = features(200, 12, 1)
    assert compared(real[:50], real).authenticity == 0.0
    assert compared(features(50, 12, 2, shift=5.0), real).authenticity == 1.0
