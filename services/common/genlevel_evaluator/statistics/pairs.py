"""What all pairs of rows of two feature sets say: kernel distance, precision and recall, authenticity.

One pass over blocks of pairs serves them all, since each needs nothing but inner products. Rows are moved by one centre, which keeps
the products small and so their rounding. Up to 8,192 rows a side products are float64; beyond they are float32, summed in float64,
and rows may lie on disk: no more than two blocks of either side are in memory at a time.

Kernel distance: squared maximum mean discrepancy under the kernel (x·y/d + 1)³, over all pairs and so without random subsets (KID, KVD,
KAD: Bińkowski et al. 2018), with the first-order standard error of a two-sample U-statistic.

Precision and recall (Kynkäänniemi et al. 2019): a row belongs to the manifold of a set where it lies in the ball of one of its rows; the
ball of a row reaches to its third nearest neighbour in its own set.

Authenticity (Alaa et al. 2022): a generated row is taken for a copy where the real row nearest to it has no other real row as near.

    >>> rows = np.arange(8.0)[:, None]
    >>> found = compare(rows, rows + 4.0)
    >>> found.precision, found.recall, found.authenticity
    (0.875, 0.875, 0.5)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 3
EXACT_ROWS = 8192
"""Rows a side up to which products are float64."""

_BLOCK = 1024
_ROUNDING = {np.dtype(np.float64): 1e-13, np.dtype(np.float32): 3e-6}
"""Share of their squared lengths up to which the squared distance of two rows is rounding."""

Array = NDArray[Any]


@dataclass(frozen=True)
class KernelDistance:
    """Unbiased squared kernel distance and its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class Comparison:
    """Two sets by their pairs. Shares are fractions; None where a set has no third neighbours."""

    kernel: KernelDistance
    precision: float | None
    recall: float | None
    authenticity: float


def compare(prediction: Array, reference: Array) -> Comparison | None:
    """Two sets of rows (n, d). None with fewer than two rows on a side."""
    if min(len(prediction), len(reference)) < 2:
        return None
    work = np.float64 if max(len(prediction), len(reference)) <= EXACT_ROWS else np.float32
    centre = (_sum(reference) / len(reference)).astype(work)
    x, y = (_Side(rows, centre) for rows in (prediction, reference))
    for side in (x, y):
        _within(side)
    across = _across(x, y)
    value = math.fsum(x.within) / len(x) + math.fsum(y.within) / len(y) - 2 * math.fsum(across.of_x) / len(x)
    spread = np.var(x.within - across.of_x, ddof=1) / len(x) + np.var(y.within - across.of_y, ddof=1) / len(y)
    few = min(len(x), len(y)) <= NEIGHBOURS
    precision, recall = (None if few else float(inside.mean()) for inside in (across.x_inside, across.y_inside))
    authentic = across.distance >= y.nearest[across.nearest, 1]
    return Comparison(KernelDistance(float(value), float(2 * np.sqrt(spread))), precision, recall, float(authentic.mean()))


def _sum(rows: Array) -> NDArray[np.float64]:
    total = np.zeros(rows.shape[1])
    for start in range(0, len(rows), _BLOCK):
        total += rows[start : start + _BLOCK].sum(axis=0, dtype=np.float64)
    return total


class _Side:
    """One set around the common centre, and what its own pairs say of each row.

    Attributes:
        within: mean kernel with all other rows of the set.
        nearest: squared distances to the row itself and its nearest neighbours in the set, ascending.
    """

    def __init__(self, rows: Array, centre: Array) -> None:
        self._rows, self._centre = rows, centre
        self.dimension = rows.shape[1]
        self.squares, self.offsets = np.empty(len(rows)), np.empty(len(rows))
        self.within = np.zeros(len(rows))
        self.nearest = np.full((len(rows), NEIGHBOURS + 1), np.inf, dtype=centre.dtype)
        middle = centre.astype(np.float64)
        for place in self.places():
            block = self.block(place).astype(np.float64)
            self.squares[place] = np.einsum("ij,ij->i", block, block)
            self.offsets[place] = block @ middle + middle @ middle / 2

    def __len__(self) -> int:
        return len(self._rows)

    def places(self, first: int = 0) -> list[slice]:
        return [slice(start, min(start + _BLOCK, len(self))) for start in range(first, len(self), _BLOCK)]

    def block(self, place: slice) -> Array:
        return np.asarray(self._rows[place], dtype=self._centre.dtype) - self._centre

    @property
    def radii(self) -> Array:
        return np.asarray(self.nearest[:, NEIGHBOURS])


def _within(side: _Side) -> None:
    for own in side.places():
        block = side.block(own)
        for other in side.places(own.start):
            same = other.start == own.start
            kernel, distance = _pairs(side, own, block, side, other, block if same else side.block(other))
            if same:
                np.fill_diagonal(kernel, 0.0)
                np.fill_diagonal(distance, 0.0)
            side.within[own] += kernel.sum(axis=1, dtype=np.float64)
            _keep_nearest(side.nearest[own], distance)
            if not same:
                side.within[other] += kernel.sum(axis=0, dtype=np.float64)
                _keep_nearest(side.nearest[other], distance.T)
    side.within /= len(side) - 1


def _keep_nearest(nearest: Array, distance: Array) -> None:
    """Takes the new distances into the smallest ones of each row."""
    rows = np.flatnonzero(distance.min(axis=1) < nearest[:, -1])
    found = np.concatenate([nearest[rows], distance[rows]], axis=1)
    found.partition(NEIGHBOURS, axis=1)
    nearest[rows] = np.sort(found[:, : NEIGHBOURS + 1], axis=1)


@dataclass
class _Across:
    """What the pairs of the two sets say: mean kernels of each row, who lies inside, the real row nearest to each generated one."""

    of_x: NDArray[np.float64]
    of_y: NDArray[np.float64]
    x_inside: NDArray[np.bool_]
    y_inside: NDArray[np.bool_]
    nearest: NDArray[np.int64]
    distance: Array


def _across(x: _Side, y: _Side) -> _Across:
    found = _Across(
        np.zeros(len(x)), np.zeros(len(y)), np.zeros(len(x), bool), np.zeros(len(y), bool), np.zeros(len(x), np.int64),
        np.full(len(x), np.inf, dtype=x.nearest.dtype),
    )
    for own in x.places():
        block = x.block(own)
        for other in y.places():
            kernel, distance = _pairs(x, own, block, y, other, y.block(other))
            found.of_x[own] += kernel.sum(axis=1, dtype=np.float64)
            found.of_y[other] += kernel.sum(axis=0, dtype=np.float64)
            found.x_inside[own] |= (distance <= y.radii[other]).any(axis=1)
            found.y_inside[other] |= (distance <= x.radii[own, None]).any(axis=0)
            nearest = distance.argmin(axis=1)
            least = distance[np.arange(len(nearest)), nearest]
            closer = least < found.distance[own]
            found.nearest[own][closer] = nearest[closer] + other.start
            found.distance[own][closer] = least[closer]
    found.of_x /= len(y)
    found.of_y /= len(x)
    return found


def _pairs(x: _Side, own: slice, a: Array, y: _Side, other: slice, b: Array) -> tuple[Array, Array]:
    """Kernel and squared distance of each pair; what rounding leaves of the distance of equal rows is 0."""
    product = a @ b.T
    work = product.dtype
    kernel = product + x.offsets[own, None].astype(work)
    kernel += y.offsets[other].astype(work)
    kernel /= work.type(x.dimension)
    kernel += work.type(1)
    kernel *= kernel * kernel
    size = x.squares[own, None].astype(work) + y.squares[other].astype(work)
    product *= work.type(-2)
    product += size
    size *= work.type(_ROUNDING[work])
    product[product <= size] = 0
    return kernel, product
