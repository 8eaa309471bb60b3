"""Fréchet distance of two sets of feature vectors (metric-decisions R9).

    distance = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

with unbiased covariances in float64. The last trace is never taken from a matrix square root. For any factors S = F Fᵀ it is
the nuclear norm of F1ᵀ F2, so sets of no more rows than dimensions need only the singular values of an n1 x n2 matrix; and for
full-rank covariances it is the sum of the square roots of the eigenvalues of L1ᵀ S2 L1, with L1 the Cholesky factor of S1.

    >>> import numpy as np
    >>> rows = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(frechet_distance(rows, rows + 3.0), 9)
    18.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics.moments import Moments

Matrix = NDArray[np.float64]

SMALL_SAMPLE = 2048
"""Rows a side below which a Fréchet distance is mostly bias; such values carry a warning."""

_BLOCK = 4096
_ROUNDING = 1e-8


@dataclass(frozen=True)
class _Side:
    """Mean and either a factor F of the covariance F Fᵀ, or the covariance itself."""

    mean: Matrix
    trace: float
    factor: Matrix | None = None
    covariance: Matrix | None = None


def frechet_distance(prediction: NDArray[Any] | Moments, reference: NDArray[Any] | Moments) -> float:
    """Fréchet distance of two sets, each given as rows (n, d) or as moments. Zero or more; zero for identical sets to rounding.

    Raises:
        ValueError: fewer than two rows on a side, different dimensions, or a value that is not finite.
    """
    sides = [_checked(side) for side in (prediction, reference)]
    if sides[0].shape[1] != sides[1].shape[1]:
        raise ValueError(f"features have {sides[0].shape[1]} and {sides[1].shape[1]} dimensions")
    return _distance(*(side.as_factor() if side.shape[0] <= side.shape[1] else side.as_covariance() for side in sides))


def frechet_from_moments(mean1: NDArray[Any], covariance1: NDArray[Any], mean2: NDArray[Any], covariance2: NDArray[Any]) -> float:
    """Fréchet distance of two Gaussians given by mean (d,) and covariance (d, d), of any rank.

    Raises:
        ValueError: shapes that do not fit together, or a value that is not finite.
    """
    means = [np.atleast_1d(np.asarray(mean, dtype=np.float64)) for mean in (mean1, mean2)]
    covariances = [np.atleast_2d(np.asarray(cov, dtype=np.float64)) for cov in (covariance1, covariance2)]
    size = len(means[0])
    if any(m.shape != (size,) for m in means) or any(c.shape != (size, size) for c in covariances):
        raise ValueError("means must have shape (d,) and covariances (d, d), with the same d on both sides")
    if not all(np.isfinite(array).all() for array in (*means, *covariances)):
        raise ValueError("means and covariances must be finite")
    sides = [_Side(m, float(np.trace(c)), covariance=c) for m, c in zip(means, covariances, strict=True)]
    return _distance(*sides)


def sample_warnings(prediction: NDArray[Any], reference: NDArray[Any]) -> tuple[str, ...]:
    """`small_sample` when a side has fewer than 2,048 rows, `rank_deficient` when one has no more rows than dimensions."""
    count = min(len(prediction), len(reference))
    return ("small_sample",) * (count < SMALL_SAMPLE) + ("rank_deficient",) * int(count <= prediction.shape[1])


class _Set:
    """One side as given, with its number of rows and dimensions."""

    def __init__(self, given: NDArray[Any] | Moments) -> None:
        self._given = given
        self.shape = (given.count, len(given.mean)) if isinstance(given, Moments) else (given.shape[0], given.shape[1])

    def as_factor(self) -> _Side:
        """For sets of no more rows than dimensions: the centred rows are a factor. Moments are kept as they are."""
        if isinstance(self._given, Moments):
            return self.as_covariance()
        rows = np.asarray(self._given, dtype=np.float64)
        mean = rows.mean(axis=0)
        factor = (rows - mean).T / math.sqrt(len(rows) - 1)
        return _Side(mean, float(np.einsum("ij,ij->", factor, factor)), factor=factor)

    def as_covariance(self) -> _Side:
        """Mean and unbiased covariance."""
        moments = self._given if isinstance(self._given, Moments) else Moments.of(self._given)
        covariance = moments.scatter / (moments.count - 1)
        return _Side(moments.mean, float(np.trace(covariance)), covariance=covariance)


def _checked(given: NDArray[Any] | Moments) -> _Set:
    if not isinstance(given, Moments) and given.ndim != 2:
        raise ValueError(f"features must have shape (n, d), not {given.shape}")
    side = _Set(given)
    if side.shape[0] < 2:
        raise ValueError(f"a Fréchet distance needs at least two rows a side, got {side.shape[0]}")
    blocks = (given.mean, given.scatter) if isinstance(given, Moments) else (given[i : i + _BLOCK] for i in range(0, len(given), _BLOCK))
    if not all(np.isfinite(block).all() for block in blocks):
        raise ValueError("features must be finite")
    return side


def _distance(one: _Side, other: _Side) -> float:
    difference = one.mean - other.mean
    value = float(difference @ difference) + one.trace + other.trace - 2 * _trace_of_root(one, other)
    return max(value, 0.0)


def _trace_of_root(one: _Side, other: _Side) -> float:
    """tr (S1 S2)^(1/2)."""
    if one.covariance is not None and other.covariance is not None:
        value = _full_rank_trace(one.covariance, other.covariance)
        if value is not None:
            return value
    product = _factor(one).T @ _factor(other)
    return float(np.linalg.svd(product, compute_uv=False).sum()) if product.size else 0.0


def _full_rank_trace(first: Matrix, second: Matrix) -> float | None:
    """The trace from the eigenvalues of Lᵀ S2 L; None where rounding would show in their square roots."""
    # One library throughout: the thread pools of NumPy's and SciPy's BLAS would otherwise take turns spinning.
    from scipy.linalg import lapack

    if len(first) < 2:
        return None
    lower, info = lapack.dpotrf(first.T, lower=1, clean=0)
    if info:
        return None
    product, _ = lapack.dsygst(second.T, lower, itype=2, lower=1)
    _, diagonal, side_diagonal, _, _ = lapack.dsytrd(product, lower=1, lwork=64 * len(first), overwrite_a=1)
    eigenvalues, info = lapack.dsterf(diagonal, side_diagonal)
    noise = len(first) * np.finfo(np.float64).eps * eigenvalues.max()
    doubtful = int(np.sum(eigenvalues <= noise)) * math.sqrt(noise)
    if info or doubtful > _ROUNDING * (np.trace(first) + np.trace(second)):
        return None
    return float(np.sqrt(np.clip(eigenvalues, 0.0, None)).sum())


def _factor(side: _Side) -> Matrix:
    """A factor F with F Fᵀ the covariance, of as many columns as its rank, by Cholesky with pivoting."""
    if side.factor is not None:
        return side.factor
    assert side.covariance is not None
    from scipy.linalg import lapack

    packed, pivots, rank, _ = lapack.dpstrf(side.covariance, lower=1)
    factor = np.empty_like(side.covariance)
    factor[pivots - 1] = np.tril(packed)
    return np.ascontiguousarray(factor[:, :rank])
