"""COCO's matching of detections to ground truth inside pictures, whatever their overlap is: of boxes, of masks, or of keypoints.

A picture is matched alone. Many pictures are matched at once here because that is faster; no pair crosses a picture or a class.
What a match means for the precision-recall curve is two bits a detection, area range and threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

AREA_RANGES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
# Bits of the area ranges an area lies outside of, by its place among the edges; each end of a range belongs to it.
_EDGES = np.array([edge for end in (32.0**2, 96.0**2, 1e10) for edge in (end, np.nextafter(end, np.inf))])
_OUTSIDE = np.array([0b1100, 0b1000, 0b1010, 0b0010, 0b0110, 0b0110, 0b1111], dtype=np.uint8)
_ALL = np.uint8(15)
_PAIRS = 1 << 17
"""Pairs of objects compared at a time."""

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]
Overlap = Callable[[Integers, Integers, Integers], Numbers]
"""From detections, their truths, and the group (picture and class) of each pair to how far they overlap, 0 to 1."""


@dataclass(frozen=True)
class Side:
    """The objects of one side of a picture.

    Attributes:
        labels: a stable 64-bit number for each label.
        scores: NaN where an object has none.
        crowd: stands for a group: not counted, and any number of detections may match it.
        ignored: not counted.
        areas: decide in which area ranges an object counts.
        shape: what the overlap is computed of, one entry an object.
    """

    labels: Integers
    scores: Numbers
    crowd: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    areas: Numbers
    shape: Any


@dataclass(frozen=True)
class Matches:
    """Detections of one picture by falling score, and its ground truth.

    `outcome` holds, for each threshold, a bit for a true positive and a bit, four places up, for an ignored detection, in each area
    range; `true_counted` holds a bit for each area range in which an object of the ground truth counts.
    """

    labels: Integers
    scores: Numbers
    outcome: NDArray[np.uint8]
    true_labels: Integers
    true_counted: NDArray[np.uint8]


@dataclass(frozen=True)
class _Pairs:
    """Detections and truths that overlap, by detection and then by truth, with their picture and class as one number."""

    detection: Integers
    truth: Integers
    group: Integers
    overlap: Numbers

    def take(self, kept: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(self.detection[kept], self.truth[kept], self.group[kept], self.overlap[kept])


def match(
    predictions: Sequence[Side], references: Sequence[Side], overlap: Overlap, thresholds: Sequence[float], max_detections: int
) -> list[Matches]:
    """Matches the detections of each picture to its ground truth at every threshold, greedily by falling score.

    `overlap` gets places among the objects of all pictures, one picture after another, as they were given.
    """
    owner, true_owner = _owners(predictions), _owners(references)
    labels, true_labels = (np.concatenate([side.labels for side in sides]) for sides in (predictions, references))
    scores = np.concatenate([side.scores for side in predictions])
    kept = _ranked(owner, labels, scores, max_detections)
    crowd = np.concatenate([side.crowd for side in references])
    skipped = _outside(references) | (crowd | np.concatenate([side.ignored for side in references])) * _ALL
    pairs = _candidates(kept, (owner, labels), (true_owner, true_labels), overlap, min(thresholds))
    outcome = np.repeat((_outside(predictions)[kept] << 4)[:, None], len(thresholds), axis=1)
    for place, threshold in enumerate(thresholds):
        reach = pairs.take(pairs.overlap >= _reach(threshold))
        column = outcome[:, place].copy()
        _resolve(column, reach, skipped, crowd)
        outcome[:, place] = column
    ends = np.searchsorted(owner[kept], np.arange(len(predictions) + 1))
    true_ends = np.searchsorted(true_owner, np.arange(len(predictions) + 1))
    counted = _ALL - skipped
    return [
        Matches(labels[kept[a:b]], scores[kept[a:b]], outcome[a:b], true_labels[c:d], counted[c:d])
        for a, b, c, d in zip(ends[:-1].tolist(), ends[1:].tolist(), true_ends[:-1].tolist(), true_ends[1:].tolist(), strict=True)
    ]


def _reach(threshold: float) -> float:
    return min(threshold, 1 - 1e-10)


def _owners(sides: Sequence[Side]) -> Integers:
    return np.asarray(np.repeat(np.arange(len(sides)), [len(side.labels) for side in sides]))


def _outside(sides: Sequence[Side]) -> NDArray[np.uint8]:
    areas = np.concatenate([side.areas for side in sides])
    bits: NDArray[np.uint8] = _OUTSIDE[np.searchsorted(_EDGES, areas, side="right")]
    return bits


def _ranked(owner: Integers, labels: Integers, scores: Numbers, max_detections: int) -> Integers:
    """Places by picture and falling score, the unscored last, at most `max_detections` of each class of a picture."""
    order: Integers = np.lexsort((-np.where(np.isnan(scores), -np.inf, scores), owner))
    if len(order) <= max_detections:
        return order
    by_class = order[np.lexsort((labels[order], owner[order]))]
    starts = np.r_[True, (np.diff(labels[by_class]) != 0) | (np.diff(owner[by_class]) != 0)]
    first = np.flatnonzero(starts)
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    kept = np.zeros(len(order), dtype=bool)
    kept[by_class[rank < max_detections]] = True
    best: Integers = order[kept[order]]
    return best


def _candidates(
    kept: Integers, detections: tuple[Integers, Integers], truths: tuple[Integers, Integers], overlap: Overlap, threshold: float
) -> _Pairs:
    """Pairs of one picture and class that reach the threshold; detections are numbered by their place in `kept`."""
    group, true_group = _groups((detections[0][kept], detections[1][kept]), truths)
    order = np.argsort(true_group, kind="stable")
    low = np.searchsorted(true_group[order], group, side="left")
    partners = np.searchsorted(true_group[order], group, side="right") - low
    found = []
    for part in _portions(partners):
        detection = np.repeat(np.arange(part.start, part.stop), partners[part])
        ends = np.cumsum(partners[part])
        offset = np.arange(len(detection)) - np.repeat(ends - partners[part], partners[part])
        truth = order[np.repeat(low[part], partners[part]) + offset]
        overlaps = overlap(kept[detection], truth, group[detection])
        found.append(_Pairs(detection, truth, group[detection], overlaps).take(overlaps >= _reach(threshold)))
    return _Pairs(*(np.concatenate([getattr(pairs, name) for pairs in found]) for name in ("detection", "truth", "group", "overlap")))


def _groups(detections: tuple[Integers, Integers], truths: tuple[Integers, Integers]) -> tuple[Integers, Integers]:
    """One number for each picture and class, on both sides."""
    owner, labels = (np.concatenate(pair) for pair in zip(detections, truths, strict=True))
    names, place = np.unique(labels, return_inverse=True)
    number = owner * len(names) + place
    return number[: len(detections[0])], number[len(detections[0]) :]


def _portions(partners: Integers) -> list[slice]:
    """Detections in runs with a bounded number of pairs each; at least one run."""
    ends = np.cumsum(partners)
    cuts = [0]
    while cuts[-1] < len(partners):
        done = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
        cuts.append(max(cuts[-1] + 1, int(np.searchsorted(ends, done + _PAIRS, side="right"))))
    return [slice(a, b) for a, b in pairwise(cuts)] or [slice(0, 0)]


def _resolve(outcome: NDArray[np.uint8], pairs: _Pairs, skipped: NDArray[np.uint8], crowd: NDArray[np.bool_]) -> None:
    """Writes true positives and ignored detections of one threshold into `outcome`."""
    if not len(pairs.detection):
        return
    # A truth whose detections have no other truth goes to the best of them (a crowd to all), whatever the area range.
    choosing = np.bincount(pairs.detection)[pairs.detection] > 1
    simple = np.bincount(pairs.truth, weights=choosing)[pairs.truth] == 0
    first = np.zeros(len(pairs.truth), dtype=bool)
    first[np.unique(pairs.truth, return_index=True)[1]] = True
    # Of a crowd that a choosing detection overlaps too, nothing is used up.
    settled = (simple & first) | (crowd[pairs.truth] & ~choosing)
    bits = skipped[pairs.truth[settled]]
    outcome[pairs.detection[settled]] = (_ALL - bits) | (bits << 4)
    rest = pairs.take(~simple & ~(crowd[pairs.truth] & ~choosing))
    if not len(rest.detection):
        return
    used = np.unique(rest.truth).tolist()
    lookup = {place: int(skipped[place]) for place in used}, {place for place in used if crowd[place]}
    groups: dict[int, Partners] = {}
    for group, found, place, value in zip(*(part.tolist() for part in (rest.group, rest.detection, rest.truth, rest.overlap)), strict=True):
        groups.setdefault(group, {}).setdefault(found, []).append((place, value))
    for partners in groups.values():
        _walk(outcome, partners, *lookup)


Partners = dict[int, list[tuple[int, float]]]
"""Truths of each detection and how far they overlap."""


def _walk(outcome: NDArray[np.uint8], detections: Partners, skipped: dict[int, int], crowd: set[int]) -> None:
    """The greedy walk of a picture and class, once for all area ranges that agree on what is ignored among the truths of each detection."""
    differs = 0
    for partners in detections.values():
        for place, _ in partners[1:]:
            differs |= skipped[place] ^ skipped[partners[0][0]]
    common = _greedy(detections, skipped, crowd, 0)
    for bit in range(4):
        for found, place in (_greedy(detections, skipped, crowd, 1 << bit) if differs >> bit & 1 else common).items():
            ignored = skipped[place] >> bit & 1
            outcome[found] = outcome[found] & (255 ^ 17 << bit) | ((16 if ignored else 1) << bit)


def _greedy(detections: Partners, skipped: dict[int, int], crowd: set[int], mask: int) -> dict[int, int]:
    """COCO's walk: each detection takes the free truth it overlaps most, one that counts before one that is ignored; of equal
    overlaps the last. Gives the truth of each matched detection."""
    taken: set[int] = set()
    result: dict[int, int] = {}
    for found, partners in detections.items():
        best: tuple[bool, float] = (False, -1.0)
        chosen = -1
        for place, overlap in partners:
            rank = (not skipped[place] & mask, overlap)
            if rank >= best and (place in crowd or place not in taken):
                best, chosen = rank, place
        if chosen >= 0:
            taken.add(chosen)
            result[found] = chosen
    return result
