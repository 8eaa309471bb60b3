"""Confusion counts of labelled pixels or points, sparse, and the intersection over union they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    true = np.asarray(reference, dtype=np.int64).ravel()
    guess = np.full(true.shape, NO_LABEL, np.int64) if prediction is None else np.asarray(prediction, dtype=np.int64).ravel()
    if ignore_label is not None:
        kept = true != ignore_label
        true, guess = true[kept], guess[kept]
    if not true.size:
        return np.zeros((0, 3), np.int64)
    low = min(int(true.min()), int(guess.min()))
    span = max(int(true.max()), int(guess.max())) - low + 1
    if span <= 2048:
        counts = np.bincount((true - low) * span + (guess - low), minlength=0)
        codes = np.flatnonzero(counts)
        counts = counts[codes]
    else:
        codes, counts = np.unique((true - low) * span + (guess - low), return_counts=True)
    return np.column_stack([codes // span + low, codes % span + low, counts]).astype(np.int64)


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
