"""Confidence intervals that agree however the samples were sharded (metric-decisions R7).

The bootstrap weight of a sample depends on (seed, key, replicate) alone, drawn from Poisson(1) by a counter-based generator,
so two shards never have to share a random state. 1,000 replicates; the interval is between the 2.5 and 97.5 percentiles.

Two runs over the same samples get the same weights, so the differences of their replicates are a paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics.poisson import BLOCK, digests, weights_of
from genlevel_evaluator.statistics.poisson import poisson_weights as poisson_weights

REPLICATES = 1000
LEVEL = 0.95
_CHUNK = 2048
_REPLICATE_BLOCK = 32
_MOST_WEIGHTS = 1 << 22  # of replicates at a time: 32 MB


@dataclass(frozen=True)
class Interval:
    """A range for a value, in its unit.

    Attributes:
        replicates: the value under each replicate of `poisson_weights`, NaN where it has none. None where the range was made
            in another way.
    """

    low: float
    high: float
    level: float
    method: str
    replicates: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)


def bootstrap(
    keys: Sequence[str],
    contributions: NDArray[Any],
    value_of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Interval | None:
    """Poisson bootstrap of a value that is a function of sums over samples.

    Args:
        keys: sample keys, n of them.
        contributions: shape (n, k), what each sample adds.
        value_of: from totals `(replicates, k)` to values `(replicates,)`; NaN where undefined.

    Returns:
        None with fewer than two samples, or where no replicate has a value.
    """
    return _bootstrap(keys, contributions.shape[1], lambda part: contributions[part], value_of)


def _bootstrap(
    keys: Sequence[str], width: int, contributions: Callable[[slice], NDArray[Any]],
    value_of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Interval | None:  # fmt: skip
    """`bootstrap` with the contributions made block by block."""
    if len(keys) < 2:
        return None
    totals = np.zeros((REPLICATES, width))
    for start in range(0, len(keys), BLOCK):
        part = slice(start, start + BLOCK)
        totals += poisson_weights(keys[part]) @ np.asarray(contributions(part), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _percentiles(value_of(totals), f"poisson_bootstrap_{REPLICATES}")


def bootstrap_mean(keys: Sequence[str], values: NDArray[Any], scale: float = 1.0) -> Interval | None:
    """Interval of `scale` times the mean of one value a sample."""

    def rows(part: slice) -> NDArray[np.float64]:
        return np.column_stack([values[part], np.ones(len(values[part]))])

    return _bootstrap(keys, 2, rows, lambda totals: scale * totals[:, 0] / totals[:, 1])


def bootstrap_two_way(
    keys: Sequence[str],
    sizes: NDArray[np.int64],
    raters: NDArray[np.int64],
    cells: NDArray[np.float64],
    per_item: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    value_of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Interval | None:
    """Bootstrap that draws items and raters alike: a judgement weighs what its item weighs times what its rater weighs.

    Both are drawn anew in each replicate, so the interval holds for other items and other people. It errs on the wide side where
    neither items nor raters differ much from one another (Owen 2007, the pigeonhole bootstrap).

    Args:
        keys: sample keys, n items.
        sizes: judgements of each item, at least one.
        raters: number of the rater of each judgement, item by item.
        cells: shape (judgements, k), what each judgement adds to its item.
        per_item: from the weighted sums of items `(replicates, items, k)` to what items add to the value `(replicates, items, m)`.
        value_of: from totals `(replicates, m)` to values `(replicates,)`; NaN where undefined.

    Returns:
        None with fewer than two items or two raters, or where no replicate has a value.
    """
    names, place = np.unique(raters, return_inverse=True)
    if len(keys) < 2 or len(names) < 2:
        return None
    known = _rater_weights(names) if len(names) <= 2 * _CHUNK else None
    totals: NDArray[np.float64] | float = 0.0
    for items, judgements in _chunks(sizes):
        mine, column = np.unique(place[judgements], return_inverse=True)
        of_rater = (_rater_weights(names[mine]) if known is None else known[:, mine])[:, column]
        starts = np.cumsum(sizes[items]) - sizes[items]
        sums = [np.add.reduceat(of_rater * cell, starts, axis=1) for cell in cells[judgements].T]
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = per_item(np.stack(sums, axis=2))
        totals = totals + np.einsum("ri,rim->rm", poisson_weights(keys[items]), parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _percentiles(value_of(np.asarray(totals)), f"two_way_poisson_bootstrap_{REPLICATES}")


def _rater_weights(names: NDArray[np.int64]) -> NDArray[np.float64]:
    # A rater called 1 must not weigh what item 1 weighs.
    return poisson_weights([f"rater {name}" for name in names.tolist()])


def _chunks(sizes: NDArray[np.int64]) -> Iterator[tuple[slice, slice]]:
    """Items, and their judgements, in blocks of bounded size."""
    ends = np.cumsum(sizes)
    first = done = 0
    while first < len(sizes):
        last = max(first + 1, int(np.searchsorted(ends, done + _CHUNK, side="right")))
        yield slice(first, last), slice(done, int(ends[last - 1]))
        first, done = last, int(ends[last - 1])


def bootstrap_weighted(
    keys: Sequence[str], value_of: Callable[[NDArray[np.float64]], float], replicates: int = REPLICATES
) -> Interval | None:
    """Bootstrap of a value that is no function of sums: `value_of(weights)` with one weight a sample."""
    if len(keys) < 2:
        return None
    values = [value_of(row) for block in _blocks_of_replicates(keys, replicates) for row in block]
    return _percentiles(np.array(values), f"poisson_bootstrap_{replicates}")


def _blocks_of_replicates(keys: Sequence[str], replicates: int) -> Iterator[NDArray[np.float64]]:
    """The weights of all replicates, shape (some, n), in blocks of bounded size."""
    known = digests(keys)
    step = max(1, min(_REPLICATE_BLOCK, _MOST_WEIGHTS // len(known)))
    for first in range(0, replicates, step):
        yield weights_of(known, replicates=min(step, replicates - first), first=first)


def bootstrap_centred(
    keys: Sequence[str], value: float, values_of: Callable[[NDArray[np.float64]], NDArray[np.float64]], replicates: int = REPLICATES
) -> Interval | None:
    """Bootstrap of a value that repeated samples bias: the replicates are moved so that their mean is the value of the set.

    Args:
        keys: sample keys, n of them.
        value: of the set itself.
        values_of: from weights `(block, n)` to values `(block,)`; NaN where undefined. Called with a few replicates at a time.
        replicates: how many.
    """
    if len(keys) < 2:
        return None
    values = np.concatenate([values_of(block) for block in _blocks_of_replicates(keys, replicates)])
    if not np.isfinite(values).any():
        return None
    return _percentiles(values + (value - np.nanmean(values)), f"centred_poisson_bootstrap_{replicates}")


def _percentiles(values: NDArray[np.float64], method: str) -> Interval | None:
    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return Interval(float(low), float(high), LEVEL, method, values)


def wilson(successes: float, trials: int) -> Interval | None:
    """Wilson interval of a proportion, in percent."""
    if trials < 1:
        return None
    z = 1.959963984540054
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * float(np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)))
    return Interval(100 * max(0.0, centre - half), 100 * min(1.0, centre + half), LEVEL, "wilson")


def proportion(keys: Sequence[str], hits: NDArray[np.float64]) -> Interval | None:
    """Interval of a share in percent: Wilson below 30 samples, else bootstrap. Either way with its replicates."""
    resampled = bootstrap_mean(keys, hits, scale=100.0)
    found = wilson(float(np.sum(hits)), len(keys)) if len(keys) < 30 else resampled
    return replace(found, replicates=resampled.replicates) if found is not None and resampled is not None else found
