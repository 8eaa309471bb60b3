"""Boundary F: how well the borders of segments lie, class by class (Csurka et al. 2013).

A boundary pixel is one of a class with a neighbour, to a side, of another class; the border of the picture is none. It is found where the other side
has a boundary pixel of the same class within the tolerance. Pixels whose reference is ignored have no boundary, nor does what touches them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]
_NONE = np.int32(np.iinfo(np.int32).min)
FOREGROUND = -(1 << 40)
"""Class of all labels above 0 together."""
_PATIENCE, _DISTANCE_COST = 16, 4
"""Steps before maps of distances may take over, and what a pixel of such a map costs, in steps of one pixel."""
_Places = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class _Disk:
    """A radius, and the steps in memory to all pixels within it, the nearest first."""

    radius: float
    offsets: NDArray[np.int64]


def boundary_counts(reference: Labels, prediction: Labels | None, ignore_label: int | None, tolerance: float) -> NDArray[np.int64]:
    """Rows of (class, reference pixels found, reference pixels, predicted pixels found, predicted pixels), for classes with a boundary.

    Args:
        reference: label image.
        prediction: of the same size; None where it is missing.
        ignore_label: of pixels of the reference to leave out.
        tolerance: share of the picture's diagonal.
    """
    radius = tolerance * math.hypot(*reference.shape)
    kept = None if ignore_label is None else reference != ignore_label
    margin = int(radius)
    true = _marks(reference, kept, margin)
    guess = np.full_like(true, _NONE) if prediction is None else _marks(prediction, kept, margin)
    disk = _Disk(radius, _offsets(radius, true.shape[1]))
    of_true, of_guess = (np.flatnonzero(side != _NONE) for side in (true, guess))
    sides = [
        _found(true, guess, (of_true, of_guess), disk), true.ravel()[of_true], _found(guess, true, (of_guess, of_true), disk), guess.ravel()[of_guess],
    ]
    classes = np.unique(np.concatenate([sides[1], sides[3]]))
    places = [np.bincount(np.searchsorted(classes, labels), minlength=len(classes)) for labels in sides]
    return np.asarray(np.column_stack([classes.astype(np.int64), *places]), dtype=np.int64)


def foreground_counts(reference: Labels, prediction: Labels | None, ignore_label: int | None, tolerance: float) -> NDArray[np.int64]:
    """The same of all labels above 0 as one class."""
    ignored = None if ignore_label is None else 2
    true = (reference > 0).astype(np.int32)
    if ignored is not None:
        true[reference == ignore_label] = ignored
    guess = None if prediction is None else (prediction > 0).astype(np.int32)
    found = boundary_counts(true, guess, ignored, tolerance)
    rows: NDArray[np.int64] = found[found[:, 0] == 1]
    rows[:, 0] = FOREGROUND
    return rows


def boundary_f(rows: NDArray[np.int64], classes: NDArray[np.int64]) -> float:
    """Mean over classes of the mean F over the pictures in which the class has a boundary; NaN without any."""
    rows = rows[np.isin(rows[:, 0], classes)]
    found_true, true, found_guess, guess = rows[:, 1:].T.astype(np.float64)
    # 2PR / (P + R), with P and R of found pixels over all.
    below = found_guess * true + found_true * guess
    each = np.divide(2 * found_true * found_guess, below, out=np.zeros(len(rows)), where=below > 0)
    _, place = np.unique(rows[:, 0], return_inverse=True)
    return float(np.mean(np.bincount(place, weights=each) / np.bincount(place))) if len(rows) else math.nan


def _marks(labels: Labels, kept: NDArray[np.bool_] | None, margin: int) -> Labels:
    """The label of each boundary pixel, nothing elsewhere, in a frame of that width."""
    edge = np.zeros(labels.shape, dtype=bool)
    for near, far in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        differs = labels[near] != labels[far]
        if kept is not None:
            differs &= kept[near] & kept[far]
        edge[near] |= differs
        edge[far] |= differs
    framed = np.full((labels.shape[0] + 2 * margin, labels.shape[1] + 2 * margin), _NONE)
    framed[margin : margin + labels.shape[0], margin : margin + labels.shape[1]] = np.where(edge, labels, _NONE)
    return framed


def _offsets(radius: float, stride: int) -> NDArray[np.int64]:
    """Steps in memory to all pixels within a radius, the nearest first."""
    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    squares = x * x + y * y
    order = np.argsort(squares, kind="stable")
    order = order[squares[order] <= radius * radius]
    return np.asarray(y[order] * stride + x[order], dtype=np.int64)


def _found(marks: Labels, others: Labels, places: _Places, disk: _Disk) -> Labels:
    """Labels of the boundary pixels that are near one of their class on the other side."""
    mine, theirs = places
    flat, other = marks.ravel(), others.ravel()
    labels = flat[mine]
    known = np.isin(labels, other[theirs])
    waiting, wanted = mine[known], labels[known]
    found: list[Labels] = [labels[:0]]
    for done, offset in enumerate(disk.offsets):
        if done == _PATIENCE and len(waiting) * len(disk.offsets) > _DISTANCE_COST * len(np.unique(wanted)) * others.size:
            found.append(wanted[_near(others, waiting, wanted, disk.radius)])
            break
        hit = other[waiting + offset] == wanted
        if hit.any():
            found.append(wanted[hit])
            waiting, wanted = waiting[~hit], wanted[~hit]
        if not len(waiting):
            break
    return np.concatenate(found)


def _near(others: Labels, waiting: NDArray[np.int64], wanted: Labels, radius: float) -> NDArray[np.bool_]:
    """The same by a map of distances for each class, where many pixels are far from any of theirs."""
    import cv2

    near = np.zeros(len(waiting), dtype=bool)
    for label in np.unique(wanted):
        distance = np.asarray(cv2.distanceTransform((others != label).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
        mine = wanted == label
        # Squares of distances are whole numbers.
        near[mine] = np.rint(np.square(distance.ravel()[waiting[mine]], dtype=np.float64)) <= radius * radius
    return near
