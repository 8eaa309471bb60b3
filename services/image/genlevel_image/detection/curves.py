"""Precision-recall curves over all pictures, and average precision as COCO defines it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Curve:
    """Detections of all pictures sorted by class and falling score, in one area range, with the ground truth of each class."""

    classes: NDArray[np.int64]
    place: NDArray[np.int64]
    owner: NDArray[np.int64]
    scores: NDArray[np.float64]
    true: NDArray[np.float64]
    false: NDArray[np.float64]
    truth_place: NDArray[np.int64]
    truth_owner: NDArray[np.int64]
    truth_counts: NDArray[np.float64]

    def positives(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Ground truth of each class, with one weight a picture."""
        counts = self.truth_counts if weights is None else self.truth_counts * weights[self.truth_owner]
        return np.bincount(self.truth_place, weights=counts, minlength=len(self.classes)).astype(np.float64)


def average_precisions(curve: Curve, grouped: bool) -> NDArray[np.float64]:
    """AP of each class with ground truth, as a fraction. Grouped: detections of equal score are one operating point."""
    positives = curve.positives()
    bounds = np.searchsorted(curve.place, np.arange(len(curve.classes) + 1))
    if not grouped:
        return _by_true_positives(curve, positives, bounds)
    values = np.empty(len(curve.classes))
    for index in range(len(curve.classes)):
        part = slice(bounds[index], bounds[index + 1])
        ends = _group_ends(curve.scores[part])
        true = np.cumsum(curve.true[part])[ends]
        false = np.cumsum(curve.false[part])[ends]
        values[index] = area_under(true, false, positives[index])
    return values


def _by_true_positives(curve: Curve, positives: NDArray[np.float64], bounds: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same of all classes at once: where every detection is a point of its own, the best precision is that of a true positive."""
    hits = np.flatnonzero(curve.true)
    starts = np.searchsorted(hits, bounds)
    place = curve.place[hits]
    false = np.r_[0.0, np.cumsum(curve.false)]
    envelope = np.zeros(len(hits) + 1)  # what is never reached counts 0
    number = np.arange(len(hits)) - starts[place] + 1.0
    envelope[:-1] = number / (number + (false[hits + 1] - false[bounds[place]]))
    for start, end in pairwise(starts.tolist()):
        envelope[start:end] = np.maximum.accumulate(envelope[start:end][::-1])[::-1]
    if not len(positives):
        return np.zeros(0)
    needed = np.stack([_needed(int(count)) for count in positives])
    reached = needed < (starts[1:] - starts[:-1])[:, None]
    return np.asarray(envelope[np.where(reached, starts[:-1, None] + needed, len(hits))].mean(axis=1))


@lru_cache(maxsize=4096)
def _needed(positives: int) -> NDArray[np.int64]:
    """Which true positive of that many, counted from 0, is the first to reach each recall point."""
    return np.searchsorted(np.arange(1, positives + 1) / positives, _RECALLS, side="left")


def recalls(curve: Curve) -> NDArray[np.float64]:
    """Largest recall of each class, as a fraction."""
    return np.bincount(curve.place, weights=curve.true, minlength=len(curve.classes)) / curve.positives()


def area_under(true: NDArray[np.float64], false: NDArray[np.float64], positives: float) -> float:
    if not len(true):
        return 0.0
    envelope = np.maximum.accumulate(_precision(true, false)[::-1])[::-1]
    reached = np.searchsorted(true / positives, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[reached].mean())


def _precision(true: NDArray[np.float64], false: NDArray[np.float64]) -> NDArray[np.float64]:
    total = true + false
    return np.asarray(np.divide(true, total, out=np.zeros_like(total), where=total > 0))


def _group_ends(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Last place of each run of equal scores; unscored detections are one run."""
    filled = np.where(np.isnan(scores), -np.inf, scores)
    return np.flatnonzero(np.r_[filled[1:] != filled[:-1], np.ones(min(1, len(filled)), dtype=bool)])


def stops(curve: Curve, grouped: bool) -> NDArray[np.int64]:
    """Places where a curve has a point that matters: true positives, or the ends of runs of equal score."""
    if not grouped:
        return np.flatnonzero(curve.true)
    filled = np.where(np.isnan(curve.scores), -np.inf, curve.scores)
    last = np.ones(len(filled), dtype=bool)
    last[:-1] = (filled[1:] != filled[:-1]) | (curve.place[1:] != curve.place[:-1])
    return np.flatnonzero(last)


def weighted_mean(curve: Curve, points: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """Mean AP of the classes that have ground truth under one weight a picture, over the points `stops` gives; NaN without any
    class."""
    values = sweep(curve, points, weights)
    present = ~np.isnan(values)
    return float(np.sum(values[present]) / present.sum()) if present.any() else float("nan")


def sweep(curve: Curve, points: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """AP of each class under one weight a picture, all classes in one sweep; NaN for a class without ground truth."""
    positives = curve.positives(weights)
    values = np.where(positives > 0, 0.0, np.nan)
    if not len(points):
        return values
    weight = weights[curve.owner]
    true, false = (_running(side * weight, curve.place)[points] for side in (curve.true, curve.false))
    place = curve.place[points]
    # An offset of 2 a class keeps the classes apart in one running maximum.
    envelope = np.maximum.accumulate((_precision(true, false) - 2.0 * place)[::-1])[::-1] + 2.0 * place
    # Each detection answers for the recall points it is the first to reach.
    reached = np.searchsorted(_RECALLS, true / np.where(positives > 0, positives, np.inf)[place], side="right")
    first = np.r_[True, place[1:] != place[:-1]]
    new = np.where(first, reached, reached - np.r_[0, reached[:-1]])
    return np.asarray(values + np.bincount(place, weights=envelope * new, minlength=len(values)) / len(_RECALLS))


def _running(values: NDArray[np.float64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """Running sums that start again at each class."""
    sums = np.cumsum(values)
    first = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    before = np.zeros(int(place[-1]) + 1)
    before[place[first]] = sums[first] - values[first]
    return np.asarray(sums - before[place])


def by_picture(curve: Curve, pictures: int, grouped: bool) -> NDArray[np.float64]:
    """AP of each picture alone, the mean over the classes it has ground truth of; NaN where there is none."""
    names, truth_place = np.unique(curve.truth_owner * len(curve.classes) + curve.truth_place, return_inverse=True)
    mine = curve.owner * len(curve.classes) + curve.place
    kept = np.isin(mine, names)
    order = np.flatnonzero(kept)[np.argsort(mine[kept], kind="stable")]
    place = np.searchsorted(names, mine[order])
    alone = Curve(
        names, place, place, curve.scores[order], curve.true[order], curve.false[order], truth_place, truth_place, curve.truth_counts
    )
    owner = names // max(len(curve.classes), 1)
    count = np.bincount(owner, minlength=pictures)
    total = np.bincount(owner, weights=average_precisions(alone, grouped), minlength=pictures)
    return np.asarray(np.divide(total, count, out=np.full(pictures, np.nan), where=count > 0))
