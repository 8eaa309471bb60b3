"""Detection average precision as COCO defines it: matching inside a picture, and the precision-recall curve over all.

A picture is matched once, alone, for the four area ranges; what a match means for the curve is two bits a detection and range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_image.media import Boxes

AREA_RANGES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
# Bits of the area ranges an area lies outside of, by its place among the edges; each end of a range belongs to it.
_EDGES = np.array([edge for end in (32.0**2, 96.0**2, 1e10) for edge in (end, np.nextafter(end, np.inf))])
_OUTSIDE = np.array([0b1100, 0b1000, 0b1010, 0b0010, 0b0110, 0b0110, 0b1111], dtype=np.uint8)
_ALL = np.uint8(15)
_RECALLS = np.linspace(0.0, 1.0, 101)
_PAIRS = 1 << 20
"""Pairs of boxes compared at a time."""


@dataclass(frozen=True)
class Located:
    """Boxes in pixels: corners (n, 4), and the area of each."""

    boxes: Boxes
    corners: NDArray[np.float64]
    box_areas: NDArray[np.float64]


@dataclass(frozen=True)
class Matches:
    """Detections of one picture by falling score, and its ground truth.

    `outcome` holds a bit for a true positive and a bit, four places up, for an ignored detection, in each area range;
    `true_counted` holds a bit for each area range in which a box of the ground truth counts.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    outcome: NDArray[np.uint8]
    true_labels: NDArray[np.int64]
    true_counted: NDArray[np.uint8]


def locate(boxes: Boxes, bbox_format: str, coordinates: str, side: str) -> Located:
    """Boxes as corners in pixels.

    Raises:
        SampleError: a box of negative size, or relative coordinates without the size of the picture.
    """
    corners = boxes.coordinates.copy()
    if bbox_format == "xywh":
        corners[:, 2:] += corners[:, :2]
    if coordinates != "pixels":
        if boxes.image_size is None:
            raise SampleError("NO_IMAGE_SIZE", "relative coordinates need the size of the picture", remedy="add image_size to the sample", side=side)
        corners *= np.tile(boxes.image_size, 2) / (1000.0 if coordinates == "per_mille" else 1.0)
    sizes = corners[:, 2:] - corners[:, :2]
    if (sizes < 0).any():
        wrong = int(np.flatnonzero((sizes < 0).any(axis=1))[0])
        raise SampleError(
            "NEGATIVE_SIZE", f"box {wrong} ends before it begins", remedy=f"give {bbox_format}, or set bbox_format", side=side, pointer=f"/{wrong}/box"
        )
    return Located(boxes, corners, sizes[:, 0] * sizes[:, 1])


def match(prediction: Located, reference: Located, threshold: float, max_detections: int) -> Matches:
    """Matches the detections of one picture to its ground truth, greedily by falling score."""
    kept = _ranked(prediction.boxes, max_detections)
    truth = reference.boxes
    areas = np.where(np.isnan(truth.areas), reference.box_areas, truth.areas)
    skipped = _outside(areas) | (truth.crowd * _ALL)
    own_area = prediction.box_areas[kept]
    outcome: NDArray[np.uint8] = (_outside(own_area) << 4).astype(np.uint8)
    labels = prediction.boxes.labels[kept]
    if len(kept) and len(areas):
        pairs = _candidates(prediction.corners[kept], own_area, labels, reference, min(threshold, 1 - 1e-10))
        _resolve(outcome, pairs, skipped, truth.crowd)
    return Matches(labels, prediction.boxes.scores[kept], outcome, truth.labels, (_ALL - skipped).astype(np.uint8))


def _outside(areas: NDArray[np.float64]) -> NDArray[np.uint8]:
    bits: NDArray[np.uint8] = _OUTSIDE[np.searchsorted(_EDGES, areas, side="right")]
    return bits


def _ranked(boxes: Boxes, max_detections: int) -> NDArray[np.int64]:
    """Positions by falling score, the unscored last, at most `max_detections` of each class."""
    order = np.argsort(-np.where(np.isnan(boxes.scores), -np.inf, boxes.scores), kind="stable")
    if len(order) <= max_detections:
        return order
    by_class = order[np.argsort(boxes.labels[order], kind="stable")]
    labels = boxes.labels[by_class]
    start = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    rank = np.arange(len(labels)) - np.repeat(start, np.diff(np.r_[start, len(labels)]))
    kept = np.zeros(len(order), dtype=bool)
    kept[by_class[rank < max_detections]] = True
    best: NDArray[np.int64] = order[kept[order]]
    return best


def _candidates(
    corners: NDArray[np.float64], areas: NDArray[np.float64], labels: NDArray[np.int64], reference: Located, threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs (detection, truth, IoU) of one class that reach the threshold, by detection and then by truth."""
    step = max(1, _PAIRS // len(reference.corners))
    if len(corners) <= step:
        return _overlaps(corners, areas, labels, reference, threshold)
    found = [_overlaps(corners[i : i + step], areas[i : i + step], labels[i : i + step], reference, threshold) for i in range(0, len(corners), step)]
    detections, truths, overlaps = zip(*found, strict=True)
    offsets = np.repeat(np.arange(len(found)) * step, [len(part) for part in detections])
    return np.concatenate(detections) + offsets, np.concatenate(truths), np.concatenate(overlaps)


def _overlaps(
    corners: NDArray[np.float64], areas: NDArray[np.float64], labels: NDArray[np.int64], reference: Located, threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The same for a few detections. The union of a crowd is the detection alone."""
    truth = reference.corners
    sides = np.minimum(corners[:, None, 2:], truth[:, 2:]) - np.maximum(corners[:, None, :2], truth[:, :2])
    detection, place = np.nonzero((labels[:, None] == reference.boxes.labels) & (sides[..., 0] > 0) & (sides[..., 1] > 0))
    inter = sides[detection, place, 0] * sides[detection, place, 1]
    area = areas[detection]
    union = np.where(reference.boxes.crowd[place], area, area + reference.box_areas[place] - inter)
    overlap = inter / union
    reach = overlap >= threshold
    return detection[reach], place[reach], overlap[reach]


def _resolve(
    outcome: NDArray[np.uint8],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    skipped: NDArray[np.uint8],
    crowd: NDArray[np.bool_],
) -> None:
    """Writes true positives and ignored detections into `outcome`."""
    detection, truth, overlap = pairs
    if not len(detection):
        return
    # A pair whose two boxes have no other partner is matched whatever the area range; only the others need the greedy walk.
    alone = (np.bincount(detection)[detection] == 1) & ((np.bincount(truth)[truth] == 1) | crowd[truth])
    matched, bits = detection[alone], skipped[truth[alone]]
    outcome[matched] = (_ALL - bits) | (bits << 4)
    if alone.all():
        return
    groups: dict[int, list[tuple[int, float]]] = {}
    for found, place, value in zip(detection[~alone].tolist(), truth[~alone].tolist(), overlap[~alone].tolist(), strict=True):
        groups.setdefault(found, []).append((place, value))
    _walk(outcome, groups, skipped.tolist(), crowd.tolist())


def _walk(outcome: NDArray[np.uint8], groups: dict[int, list[tuple[int, float]]], skipped: list[int], crowd: list[bool]) -> None:
    """The greedy walk, once for all area ranges that agree on what is ignored among the truths of each detection."""
    differs = 0
    for partners in groups.values():
        for place, _ in partners[1:]:
            differs |= skipped[place] ^ skipped[partners[0][0]]
    common = _greedy(groups, skipped, crowd, 0)
    for bit in range(4):
        for found, place in (_greedy(groups, skipped, crowd, 1 << bit) if differs >> bit & 1 else common).items():
            ignored = skipped[place] >> bit & 1
            outcome[found] = outcome[found] & (255 ^ 17 << bit) | ((16 if ignored else 1) << bit)


def _greedy(groups: dict[int, list[tuple[int, float]]], skipped: list[int], crowd: list[bool], mask: int) -> dict[int, int]:
    """COCO's walk: each detection takes the free truth it overlaps most, one that counts before one that is ignored; of equal
    overlaps the last. Gives the truth of each matched detection."""
    taken: set[int] = set()
    result: dict[int, int] = {}
    for found, partners in groups.items():
        best: tuple[bool, float] = (False, -1.0)
        chosen = -1
        for place, overlap in partners:
            rank = (not skipped[place] & mask, overlap)
            if rank >= best and (crowd[place] or place not in taken):
                best, chosen = rank, place
        if chosen >= 0:
            taken.add(chosen)
            result[found] = chosen
    return result


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
    values = np.empty(len(curve.classes))
    for index in range(len(curve.classes)):
        part = slice(bounds[index], bounds[index + 1])
        ends = _group_ends(curve.scores[part]) if grouped else slice(None)
        true = np.cumsum(curve.true[part])[ends]
        false = np.cumsum(curve.false[part])[ends]
        values[index] = _area(true, false, positives[index])
    return values


def recalls(curve: Curve) -> NDArray[np.float64]:
    """Largest recall of each class, as a fraction."""
    return np.bincount(curve.place, weights=curve.true, minlength=len(curve.classes)) / curve.positives()


def _area(true: NDArray[np.float64], false: NDArray[np.float64], positives: float) -> float:
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
    class. All classes in one sweep."""
    positives = curve.positives(weights)
    present = positives > 0
    if not present.any():
        return float("nan")
    if not len(points):
        return 0.0
    weight = weights[curve.owner]
    true, false = (_running(side * weight, curve.place)[points] for side in (curve.true, curve.false))
    place = curve.place[points]
    # An offset of 2 a class keeps the classes apart in one running maximum.
    envelope = np.maximum.accumulate((_precision(true, false) - 2.0 * place)[::-1])[::-1] + 2.0 * place
    # Each detection answers for the recall points it is the first to reach.
    reached = np.searchsorted(_RECALLS, true / np.where(present, positives, np.inf)[place], side="right")
    first = np.r_[True, place[1:] != place[:-1]]
    new = np.where(first, reached, reached - np.r_[0, reached[:-1]])
    return float(np.sum((envelope * new)[present[place]]) / (len(_RECALLS) * present.sum()))


def _running(values: NDArray[np.float64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """Running sums that start again at each class."""
    sums = np.cumsum(values)
    first = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    before = np.zeros(int(place[-1]) + 1)
    before[place[first]] = sums[first] - values[first]
    return np.asarray(sums - before[place])
