"""Curves over all pixels of all pictures, from exact histograms of their scores.

A score in 0..1 falls into one of 65,536 bins; scores of 8 and 16 bits each have their own. A histogram is a sorted list of whole numbers, each a
bin and a count. Two more bins stand for pixels of a missing map: below all, where an anomalous pixel is never found, and above all, where a normal
one is always a false alarm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics.intervals import Interval, bootstrap

BINS = 65_536
NEVER, ALWAYS = 0, BINS + 1
"""Bins of the pixels of a missing map. Scores are in 1 to 65,536."""
LOST, ALARM = -math.inf, math.inf
"""Top score of a missing map, of an affected picture and of another."""

_COUNT_BITS = 40
_GROUPS = 512
_FEW_LEVELS = 256
Packed = NDArray[np.int64]
Counts = NDArray[np.float64]


def bins_of(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bin of each score in 0..1.

    >>> bins_of(np.array([0.0, 1.0, 128 / 255], np.float32)).tolist()
    [1, 65536, 32897]
    """
    return np.asarray(np.rint(scores * np.float32(BINS - 1)).astype(np.int64) + 1)


def packed(bins: NDArray[np.int64]) -> Packed:
    """The histogram of bins.

    >>> (packed(np.array([5, 5, 9])) % 2**40).tolist()
    [2, 1]
    """
    counts = np.bincount(bins)
    used = np.flatnonzero(counts)
    return (used << _COUNT_BITS) + counts[used]


def constant(place: int, pixels: int) -> Packed:
    """The histogram of that many pixels in one bin."""
    return np.array([(place << _COUNT_BITS) + pixels] if pixels else [], dtype=np.int64)


def places(top: NDArray[np.float64]) -> NDArray[np.int64]:
    """A bin for each picture by its top score, one for every score that there is: pictures are few, so none are taken for equal.

    >>> places(np.array([0.5, math.inf, 0.5000001, -math.inf, 0.5])).tolist()
    [1, 3, 2, 0, 1]
    """
    levels = np.unique(top[np.isfinite(top)])
    bins = np.searchsorted(levels, top) + 1
    return np.where(top == LOST, NEVER, bins).astype(np.int64)


def totals(histograms: Packed, size: int = BINS + 2) -> Counts:
    """Pixels in each of `size` bins or more, from the histograms of any number of pictures. Whole numbers, so the order of addition does not matter."""
    counts = np.bincount(histograms >> _COUNT_BITS, weights=(histograms & ((1 << _COUNT_BITS) - 1)).astype(np.float64), minlength=size)
    return counts.astype(np.float64)


def _both(positives: Packed, negatives: Packed) -> tuple[Counts, Counts]:
    """Totals of both over the same bins."""
    size = int(max(histogram.max(initial=0) for histogram in (positives, negatives)) >> _COUNT_BITS) + 1
    return totals(positives, max(size, BINS + 2)), totals(negatives, max(size, BINS + 2))


def average_precision(positives: Counts, negatives: Counts) -> NDArray[np.float64]:
    """Step-wise average precision of counts by rising score in the last axis, the first bin never found; NaN without a positive."""
    hits = np.cumsum(positives[..., :0:-1], axis=-1)
    alarms = np.cumsum(negatives[..., :0:-1], axis=-1)
    found = hits + alarms
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    total = positives.sum(axis=-1)
    area = (precision * positives[..., :0:-1]).sum(axis=-1)
    return np.asarray(np.divide(area, total, out=np.full_like(total, np.nan), where=total > 0))


def roc_area(positives: Counts, negatives: Counts) -> NDArray[np.float64]:
    """Area under the ROC of counts by rising score in the last axis, ties half; NaN with one class."""
    below = np.cumsum(negatives, axis=-1) - negatives / 2
    pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
    area = (positives * below).sum(axis=-1)
    return np.asarray(np.divide(area, pairs, out=np.full_like(area, np.nan), where=pairs > 0))


def alone(positives: list[Packed], negatives: list[Packed], area: str) -> NDArray[np.float64]:
    """The percent of each picture by itself, from its own bins; NaN where it has none."""
    return np.array([_one(ours, theirs, area) for ours, theirs in zip(positives, negatives, strict=True)], dtype=np.float64)


def interval(keys: Sequence[str], positives: list[Packed], negatives: list[Packed], area: str) -> Interval | None:
    """Bootstrap over pictures, of bins joined into a few hundred groups of about as many pixels."""
    if not keys:
        return None
    group = _groups(*_both(np.concatenate(positives), np.concatenate(negatives)))
    size = int(group.max()) + 1

    def sums(histogram: Packed) -> Counts:
        weights = (histogram & ((1 << _COUNT_BITS) - 1)).astype(np.float64)
        return np.bincount(group[histogram >> _COUNT_BITS], weights=weights, minlength=size).astype(np.float64)

    rows = np.array([np.concatenate([sums(ours), sums(theirs)]) for ours, theirs in zip(positives, negatives, strict=True)])
    curve = average_precision if area == "precision" else roc_area
    return bootstrap(keys, rows, lambda replicate: 100.0 * curve(replicate[:, :size], replicate[:, size:]))


def percent(positives: Packed, negatives: Packed, area: str) -> float | None:
    """The value over all pictures, or None where it is undefined."""
    curve = average_precision if area == "precision" else roc_area
    value = float(curve(*_both(positives, negatives)))
    return None if math.isnan(value) else 100.0 * value


def coarse(*histograms: Packed) -> tuple[str, ...]:
    """A warning where all scores lie within 1/256 of 0..1: at most 256 levels are told apart there, and scores that differ may be ties.

    >>> coarse(packed(bins_of(np.array([0.9, 0.9001], np.float32)))), coarse(packed(bins_of(np.array([0.1, 0.9], np.float32))))
    (('coarse_scores',), ())
    """
    bins = np.concatenate(histograms) >> _COUNT_BITS
    scores = bins[(bins != NEVER) & (bins != ALWAYS)]
    return ("coarse_scores",) if len(scores) and int(np.ptp(scores)) <= _FEW_LEVELS else ()


def _one(positives: Packed, negatives: Packed, area: str) -> float:
    bins, place = np.unique(np.concatenate([[NEVER], positives >> _COUNT_BITS, negatives >> _COUNT_BITS]), return_inverse=True)
    weights = np.concatenate([positives, negatives]) & ((1 << _COUNT_BITS) - 1)
    cut = 1 + len(positives)
    ours = np.bincount(place[1:cut], weights=weights[: len(positives)].astype(np.float64), minlength=len(bins))
    theirs = np.bincount(place[cut:], weights=weights[len(positives) :].astype(np.float64), minlength=len(bins))
    curve = average_precision if area == "precision" else roc_area
    return 100.0 * float(curve(ours.astype(np.float64), theirs.astype(np.float64)))


def _groups(positives: Counts, negatives: Counts) -> NDArray[np.int64]:
    """A group for each bin: those of few pixels are joined with their neighbours, the two of missing maps stay alone."""
    share = positives / max(positives.sum(), 1.0) + negatives / max(negatives.sum(), 1.0)
    inner = np.floor(np.cumsum(share[1:-1]) / 2 * _GROUPS * (1 - 1e-12)).astype(np.int64)
    _, inner = np.unique(inner, return_inverse=True)
    return np.concatenate([[0], inner + 1, [int(inner.max()) + 2]]).astype(np.int64)
