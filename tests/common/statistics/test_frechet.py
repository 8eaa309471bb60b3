"""Fréchet distance against pytorch-fid 0.3.0 and torch-fidelity 0.4.0, with the tolerances of metric-decisions R9."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity.metric_fid import fid_statistics_to_metric

from genlevel_evaluator.statistics.frechet import frechet_distance, frechet_from_moments, sample_warnings
from genlevel_evaluator.statistics.moments import Moments


def features(n: int, d: int, seed: int, shift: float = 0.0) -> NDArray[np.float64]:
    """Correlated, non-negative, skewed rows such as pooled activations are."""
    mixing = np.random.default_rng(99).standard_normal((d, d)) * np.exp(-np.arange(d) / (d / 4))[:, None]
    return np.maximum(np.random.default_rng(seed).standard_normal((n, d)) @ mixing * 0.2 + 0.3 + shift, 0.0)


def statistics(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False))


def pytorch_fid(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # sqrtm(disp=) in SciPy
        return float(calculate_frechet_distance(*statistics(a), *statistics(b)))


def torch_fidelity(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    sides = [dict(zip(("mu", "sigma"), statistics(x), strict=True)) for x in (a, b)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return float(fid_statistics_to_metric(*sides, verbose=False)["frechet_inception_distance"])


def close(value: float, expected: float, a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """R9: absolute 1e-6 of the total variance, relative 1e-6 as well where both sides have more rows than dimensions."""
    scale = float(np.var(a, axis=0, ddof=1).sum() + np.var(b, axis=0, ddof=1).sum())
    tight = min(len(a), len(b)) > a.shape[1]
    return abs(value - expected) <= 1e-6 * (expected if tight else scale)


SIZES = [(300, 400, 64), (65, 66, 64), (40, 50, 64), (64, 200, 64), (200, 10, 64), (2, 2, 8), (500, 500, 2)]


@pytest.mark.parametrize(("n1", "n2", "d"), SIZES)
def test_equals_both_reference_programs(n1: int, n2: int, d: int) -> None:
    a, b = features(n1, d, 1), features(n2, d, 2, shift=0.1)
    value = frechet_distance(a, b)
    assert close(value, torch_fidelity(a, b), a, b)
    assert close(value, pytorch_fid(a, b), a, b)


@pytest.mark.parametrize(("n1", "n2", "d"), SIZES)
def test_rows_and_moments_agree(n1: int, n2: int, d: int) -> None:
    a, b = features(n1, d, 1), features(n2, d, 2, shift=0.1)
    value = frechet_distance(a, b)
    moments = Moments.of(a), Moments.of(b)
    ways = [frechet_distance(moments[0], b), frechet_distance(a, moments[1]), frechet_distance(*moments)]
    ways.append(frechet_from_moments(*statistics(a), *statistics(b)))
    assert ways == pytest.approx([value] * 4, rel=1e-6, abs=1e-7 * float(a.var(axis=0).sum()))


def test_inception_width_with_few_rows() -> None:
    a, b = features(120, 2048, 3), features(150, 2048, 4)
    other = [Moments.of(a), Moments.of(b)]
    assert frechet_distance(*other) == pytest.approx(frechet_distance(a, b), rel=1e-9)


@pytest.mark.parametrize("n", [2, 30, 64, 300])
def test_identical_sets_are_at_distance_zero(n: int) -> None:
    rows = features(n, 64, 5)
    assert frechet_distance(rows, rows) <= 1e-11 * rows.var(axis=0).sum()
    assert frechet_distance(Moments.of(rows), Moments.of(rows)) <= 1e-6 * rows.var(axis=0).sum()


def test_one_dimension() -> None:
    a, b = features(50, 1, 1), features(70, 1, 2, shift=0.1)
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(a, Moments.of(b)) == pytest.approx(expected, rel=1e-9)


def test_known_value_of_commuting_gaussians() -> None:
    """For diagonal covariances the distance is the sum of (s1 - s2)^2 over standard deviations, plus the mean part."""
    s1, s2 = np.array([1.0, 2.0, 0.0, 4.0]), np.array([3.0, 2.0, 1.0, 0.0])
    value = frechet_from_moments(np.zeros(4), np.diag(s1**2), np.full(4, 0.5), np.diag(s2**2))
    assert value == pytest.approx(((s1 - s2) ** 2).sum() + 4 * 0.25, rel=1e-12)


def test_zero_covariance_is_the_distance_of_the_means() -> None:
    still = np.tile([1.0, 2.0, 3.0], (5, 1))
    assert frechet_distance(still, still + 2.0) == pytest.approx(12.0, rel=1e-12)
    assert frechet_distance(Moments.of(still), Moments.of(still + 2.0)) == pytest.approx(12.0, rel=1e-12)


@settings(max_examples=40)
@given(n1=st.integers(2, 40), n2=st.integers(2, 40), d=st.integers(1, 20), seed=st.integers(0, 2**32 - 1))
def test_laws(n1: int, n2: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((n1, d)), rng.standard_normal((n2, d)) * 2
    value = frechet_distance(a, b)
    scale = float(a.var() + b.var()) * d
    assert value >= 0.0
    assert frechet_distance(b, a) == pytest.approx(value, rel=1e-6, abs=1e-9 * scale)
    assert frechet_distance(a + 7, b + 7) == pytest.approx(value, rel=1e-6, abs=1e-9 * scale)
    assert frechet_distance(a * 3, b * 3) == pytest.approx(9 * value, rel=1e-6, abs=1e-8 * scale)
    turn, _ = np.linalg.qr(rng.standard_normal((d, d)))
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(value, rel=1e-6, abs=1e-8 * scale)
    assert frechet_distance(a[::-1], rng.permutation(b)) == pytest.approx(value, rel=1e-6, abs=1e-9 * scale)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.zeros((1, 3)), np.zeros((5, 3)), "two rows"),
        (np.zeros((5, 3)), np.zeros((5, 4)), "3 and 4"),
        (np.array([[0.0, np.nan], [1, 2]]), np.zeros((5, 2)), "finite"),
        (np.zeros(5), np.zeros((5, 2)), "shape"),
    ],
)
def test_refuses(a: NDArray[np.float64], b: NDArray[np.float64], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        frechet_distance(a, b)


def test_from_moments_refuses_wrong_shapes_and_infinity() -> None:
    with pytest.raises(ValueError, match="shape"):
        frechet_from_moments(np.zeros(2), np.eye(3), np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="finite"):
        frechet_from_moments(np.zeros(2), np.full((2, 2), np.inf), np.zeros(2), np.eye(2))


def test_small_samples_are_named() -> None:
    many, few = np.zeros((2048, 3)), np.zeros((2047, 3))
    assert sample_warnings(many, many) == ()
    assert sample_warnings(many, few) == ("small_sample",)
    assert sample_warnings(few[:3], many) == ("small_sample", "rank_deficient")


def test_moments_come_block_by_block_and_of_chosen_rows() -> None:
    rows = features(9000, 7, 1).astype(np.float32)
    chosen = np.sort(np.random.default_rng(0).choice(9000, 5000, replace=False))
    for found, data in ((Moments.of(rows), rows), (Moments.of(rows, chosen), rows[chosen])):
        assert found.count == len(data)
        np.testing.assert_allclose(found.mean, data.mean(axis=0, dtype=np.float64), rtol=1e-12)
        np.testing.assert_allclose(found.scatter / (len(data) - 1), np.cov(data, rowvar=False, dtype=np.float64), rtol=1e-10)


def test_one_side_of_few_rows_and_one_of_many() -> None:
    few, many = features(30, 64, 1), features(900, 64, 2, shift=0.1)
    assert close(frechet_distance(few, many), pytorch_fid(few, many), few, many)
    assert frechet_distance(many, few) == pytest.approx(frechet_distance(few, many), rel=1e-9)


def test_constant_features_and_columns_add_nothing() -> None:
    a, b = features(100, 8, 1), features(90, 8, 2, shift=0.1)
    still = [np.hstack([side, np.full((len(side), 3), 7.5)]) for side in (a, b)]
    assert frechet_distance(*still) == pytest.approx(frechet_distance(a, b), rel=1e-9)
    repeated = [np.hstack([side, side]) for side in (a, b)]  # singular covariances, whose smallest eigenvalues round below zero
    assert frechet_distance(*repeated) == pytest.approx(2 * frechet_distance(a, b), rel=1e-6)
    assert frechet_distance(repeated[0], repeated[0]) <= 1e-6 * repeated[0].var(axis=0).sum()
