"""Confusion counts of labelled pixels or points, sparse, and the intersection over union they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WIDEST, _STRIP = 2048, 1 << 15

NO_LABEL = -1
"""Predicted label of an element that has no prediction."""

Triples = NDArray[np.int64]
"""Rows of (reference label, predicted label, count)."""


@dataclass(frozen=True)
class ClassCounts:
    """Intersection and union of each class, shape (samples, classes)."""

    classes: NDArray[np.int64]
    intersection: NDArray[np.float64]
    union: NDArray[np.float64]


def confusion_triples(reference: NDArray[Any], prediction: NDArray[Any] | None, ignore_label: int | None = None) -> Triples:
    """Counts every pair of labels that occurs; elements whose reference is `ignore_label` are left out.

    >>> confusion_triples(np.array([0, 0, 1, 255]), np.array([0, 1, 1, 1]), ignore_label=255).tolist()
    [[0, 0, 1], [0, 1, 1], [1, 1, 1]]
    """
    true = _whole(reference)
    guess = None if prediction is None else _whole(prediction)
    triples = _counted(true, guess)
    if triples is None and ignore_label is not None:  # a far ignore label alone may be what makes them many
        kept = true != ignore_label
        true, guess = true[kept], None if guess is None else guess[kept]
        triples = _counted(true, guess)
    if triples is None:
        triples = _sorted(true, guess)
    return triples if ignore_label is None else triples[triples[:, 0] != ignore_label]


def _whole(labels: NDArray[Any]) -> NDArray[Any]:
    flat = np.asarray(labels).ravel()
    return flat if flat.dtype.kind in "iu" and flat.dtype != np.uint64 else flat.astype(np.int64)


def _counted(true: NDArray[Any], guess: NDArray[Any] | None) -> Triples | None:
    """Pairs counted in a table, in strips that stay in the cache; None where labels are too far apart for one."""
    if not true.size:
        return np.zeros((0, 3), np.int64)
    sides = (true,) if guess is None else (true, guess)
    low = min(NO_LABEL if guess is None else 0, *(int(side.min()) for side in sides))
    span = max(int(side.max()) for side in sides) - low + 1
    if span > _WIDEST:
        return None
    counts = np.zeros(span * span, np.int64)
    step = max(_STRIP, span * span)
    for start in range(0, true.size, step):
        strip = slice(start, start + step)
        codes = np.multiply(true[strip], span, dtype=np.intp)
        codes += NO_LABEL if guess is None else guess[strip]
        if low:
            codes -= low * (span + 1)
        counts += np.bincount(codes, minlength=span * span)
    codes = np.flatnonzero(counts)
    return np.column_stack([codes // span + low, codes % span + low, counts[codes]]).astype(np.int64)


def _sorted(true: NDArray[Any], guess: NDArray[Any] | None) -> Triples:
    """Pairs counted by sorting; labels become their places first, so that no pair is too large a number."""
    labels, ours = np.unique(true, return_inverse=True)
    others, theirs = (np.array([NO_LABEL]), 0) if guess is None else np.unique(guess, return_inverse=True)
    codes, counts = np.unique(ours * len(others) + theirs, return_counts=True)
    return np.column_stack([labels[codes // len(others)], others[codes % len(others)], counts]).astype(np.int64)


def foreground(triples: Triples) -> Triples:
    """The same counts with every positive label read as the one foreground, 1, and all else as 0.

    >>> foreground(np.array([[255, 1, 5], [0, -1, 2], [7, 1, 1]])).tolist()
    [[1, 1, 5], [0, 0, 2], [1, 1, 1]]
    """
    return np.column_stack([triples[:, 0] > 0, triples[:, 1] > 0, triples[:, 2]]).astype(np.int64)


def class_counts(triples: Triples, sample: NDArray[np.int64], samples: int, classes: NDArray[np.int64]) -> ClassCounts:
    """Intersection and union a sample and class. `sample` says which sample each triple belongs to."""
    true, guess, count = triples.T.astype(np.int64) if len(triples) else np.zeros((3, 0), np.int64)
    of_true, of_guess = _slots(true, classes), _slots(guess, classes)
    size = samples * (len(classes) + 1)

    def total(slot: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        flat = np.bincount((sample * (len(classes) + 1) + slot)[chosen], weights=count[chosen].astype(np.float64), minlength=size)
        return flat.astype(np.float64).reshape(samples, -1)[:, : len(classes)]

    everything = np.ones(len(true), dtype=bool)
    both = total(of_true, true == guess)
    return ClassCounts(classes, both, total(of_true, everything) + total(of_guess, everything) - both)


def mean_iou(intersection: NDArray[np.float64], union: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the classes with a union, of ratios of totals in the last axis; NaN without any.

    >>> float(mean_iou(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 4.0])))
    0.625
    """
    present = union > 0
    ratio = np.divide(intersection, union, out=np.zeros_like(intersection), where=present)
    number = present.sum(axis=-1)
    total = ratio.sum(axis=-1)
    return np.asarray(np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0))


def _slots(labels: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each label among the sorted classes; one past the last for labels that are none of them."""
    if not len(classes):
        return np.zeros(len(labels), np.int64)
    place = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    return np.where(classes[place] == labels, place, len(classes)).astype(np.int64)
