"""Which boxes of one frame find which: greedy by falling score, by distance of centres or by oriented overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.forms.boxes import Boxes3D
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.scenes.box_overlap import iou_3d

DISTANCES = (0.5, 1.0, 2.0, 4.0)
ERRORS = ("ate", "ase", "aoe", "ave", "aae")
"""Of a match: metres, 1 - IoU of the sizes, radians, metres a second, 1 where the attribute is wrong."""
_AT = DISTANCES.index(2.0)
_BARRIER = label_number("barrier")


@dataclass(frozen=True)
class FrameMatches:
    """Of each prediction of a frame: whether it is a hit at each threshold, and its errors as a hit within 2 m (NaN otherwise)."""

    hits: NDArray[np.uint8]
    errors: NDArray[np.float64]


def by_distance(prediction: Boxes3D, reference: Boxes3D) -> FrameMatches:
    """Hits by distance of centres on the ground, each prediction with the nearest reference of its class that is still free."""
    hits = np.zeros((len(prediction), len(DISTANCES)), np.uint8)
    partner = np.full(len(prediction), -1)
    gap = np.linalg.norm(prediction.centers[:, None, :2] - reference.centers[None, :, :2], axis=2)
    gap[prediction.labels[:, None] != reference.labels[None, :]] = np.inf
    near = _nearest_first(gap, max(DISTANCES))
    order = _falling(prediction.scores)
    for column, threshold in enumerate(DISTANCES):
        found = _greedy(near, order, threshold)
        hits[[place for place, _ in found], column] = 1
        if column == _AT:
            for place, truth in found:
                partner[place] = truth
    return FrameMatches(hits, _errors(prediction, reference, partner, gap))


def by_overlap(prediction: Boxes3D, reference: Boxes3D, least: NDArray[np.float64]) -> FrameMatches:
    """Hits by oriented IoU, above the `least` of each prediction; each prediction takes the reference of its class it covers best."""
    rows, columns = np.nonzero(prediction.labels[:, None] == reference.labels[None, :])
    loss = np.full((len(prediction), len(reference)), np.inf)
    overlap = iou_3d(_table(prediction)[rows], _table(reference)[columns])
    kept = overlap > least[rows]
    loss[rows[kept], columns[kept]] = 1.0 - overlap[kept]
    hits, partner = np.zeros((len(prediction), len(DISTANCES)), np.uint8), np.full(len(prediction), -1)
    for place, truth in _greedy(_nearest_first(loss, 1.0), _falling(prediction.scores), np.inf):
        hits[place], partner[place] = 1, truth
    gap = np.linalg.norm(prediction.centers[:, None, :2] - reference.centers[None, :, :2], axis=2)
    return FrameMatches(hits, _errors(prediction, reference, partner, gap))


def _table(boxes: Boxes3D) -> NDArray[np.float64]:
    return np.column_stack([boxes.centers, boxes.sizes, boxes.yaws])


def _falling(scores: NDArray[np.float64]) -> list[int]:
    """Places by falling score; the last of equal ones first, as the devkit takes them."""
    filled = np.where(np.isnan(scores), -np.inf, scores)
    return [int(place) for place in np.argsort(filled, kind="stable")[::-1]]


def _nearest_first(gap: NDArray[np.float64], limit: float) -> list[list[tuple[float, int]]]:
    """References of each prediction below the limit, nearest first; the first of equal ones first."""
    found: list[list[tuple[float, int]]] = [[] for _ in gap]
    rows, columns = np.nonzero(gap < limit)
    for row, column, distance in zip(rows.tolist(), columns.tolist(), gap[rows, columns].tolist(), strict=True):
        found[row].append((distance, column))
    for candidates in found:
        candidates.sort()
    return found


def _greedy(near: Sequence[Sequence[tuple[float, int]]], order: Sequence[int], threshold: float) -> list[tuple[int, int]]:
    """Pairs of prediction and reference."""
    taken: set[int] = set()
    pairs = []
    for place in order:
        for distance, truth in near[place]:
            if distance >= threshold:
                break
            if truth not in taken:
                taken.add(truth)
                pairs.append((place, truth))
                break
    return pairs


def _errors(prediction: Boxes3D, reference: Boxes3D, partner: NDArray[np.int64], gap: NDArray[np.float64]) -> NDArray[np.float64]:
    errors = np.full((len(prediction), len(ERRORS)), np.nan)
    rows = np.flatnonzero(partner >= 0)
    if not len(rows):
        return errors
    ours, theirs = prediction.take(rows), reference.take(partner[rows])
    shared = np.minimum(ours.sizes, theirs.sizes).prod(axis=1)
    whole = ours.sizes.prod(axis=1) + theirs.sizes.prod(axis=1) - shared
    period = np.where(ours.labels == _BARRIER, np.pi, 2 * np.pi)  # a barrier looks alike from both sides
    turn = (theirs.yaws - ours.yaws + period / 2) % period - period / 2
    speed = np.linalg.norm(ours.velocities - theirs.velocities, axis=1)
    wrong = np.where(theirs.attributes == 0, np.nan, (ours.attributes != theirs.attributes).astype(np.float64))
    errors[rows] = np.column_stack([gap[rows, partner[rows]], 1.0 - shared / whole, np.abs(turn), speed, wrong])
    return errors
