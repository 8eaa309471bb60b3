"""Mean IoU of classes from keyed label pairs: which classes count, their IoU, and what is said beside it, of pixels and points alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.states import Rows
from genlevel_evaluator.statistics import confusion
from genlevel_evaluator.statistics.intervals import Interval, bootstrap

_SHOWN = 256
"""Classes whose IoU is shown, at the most."""


class Choices(Protocol):
    """What the parameters of a metric say of classes."""

    @property
    def foreground(self) -> Literal["auto", "yes", "no"]:
        """`yes` for one-foreground tasks, `no` for classes, `auto` for `yes` where the references know exactly one label above 0."""
        ...

    @property
    def classes(self) -> int | None:
        """Number of classes, 0 to classes - 1; none takes the labels of the references."""
        ...

    @property
    def background(self) -> bool:
        """Whether class 0 enters the mean of `foreground=no`."""
        ...


def check_classes(classes: int | None) -> None:
    """Raises ValueError for a number of classes that nobody has."""
    if classes is not None and not 1 <= classes <= 65_536:
        raise ValueError("classes must be 1 to 65536")


@dataclass(frozen=True)
class Counted:
    """Counts of a data set.

    Attributes:
        counts: intersection and union of each sample and class.
        pairs: the label pairs they come from, with how often they occur.
        one_foreground: whether this is a one-foreground task.
    """

    counts: confusion.ClassCounts
    pairs: confusion.Triples
    one_foreground: bool

    @property
    def totals(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Intersection and union of each class over all samples."""
        return self.counts.intersection.sum(axis=0), self.counts.union.sum(axis=0)

    def accuracy(self) -> float:
        """Percent of the elements that have their label."""
        return 100.0 * float(self.pairs[self.pairs[:, 0] == self.pairs[:, 1], 2].sum()) / float(self.pairs[:, 2].sum())

    def each(self) -> dict[str, float]:
        """IoU of each class in percent."""
        shown = list(zip(self.counts.classes.tolist(), *(side.tolist() for side in self.totals), strict=True))[:_SHOWN]
        return {f"iou_{label}": 100.0 * intersection / union for label, intersection, union in shown if union}


def count(rows: Rows, choices: Choices) -> Counted:
    """Counts of the column `pairs`."""
    pairs: NDArray[np.int64] = rows.values["pairs"].astype(np.int64)
    owner = np.repeat(np.arange(len(rows)), rows.lengths["pairs"])
    labels = np.unique(pairs[:, 0])
    one_foreground = choices.foreground == "yes" or (
        choices.foreground == "auto" and choices.classes in (None, 2) and int(np.sum(labels > 0)) == 1
    )
    if one_foreground:
        pairs = confusion.foreground(pairs)
        return Counted(confusion.class_counts(pairs, owner, len(rows), np.array([1])), pairs, True)
    classes = labels if choices.classes is None else np.arange(choices.classes)
    kept = classes if choices.background else classes[classes != 0]
    return Counted(confusion.class_counts(pairs, owner, len(rows), kept), pairs, False)


def unknown(found: Counted, choices: Choices) -> tuple[dict[str, float], tuple[str, ...]]:
    """Share of elements predicted as no class there is; warnings where that is most of them, and where references know more than `classes`."""
    if found.one_foreground:
        return {}, ()
    true, guess, elements = found.pairs.T
    known = np.unique(true) if choices.classes is None else np.arange(choices.classes)
    strange = (guess != confusion.NO_LABEL) & ~np.isin(guess, known)
    share = 100.0 * float(elements[strange].sum()) / float(elements.sum())
    warnings = ("unknown_labels",) * (share > 50.0) + ("reference_beyond_classes",) * (not np.isin(true, known).all())
    return ({"unknown_label_share": share} if share else {}), warnings


def interval(rows: Rows, choices: Choices) -> Interval | None:
    """Bootstrap over samples."""
    counts = count(rows, choices).counts
    number = len(counts.classes)

    def values(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return 100.0 * confusion.mean_iou(totals[:, :number], totals[:, number:])

    return bootstrap(rows.keys, np.hstack([counts.intersection, counts.union]), values)


def samples(rows: Rows, choices: Choices) -> NDArray[np.float64]:
    """Mean IoU of the classes of each sample alone."""
    counts = count(rows, choices).counts
    return 100.0 * confusion.mean_iou(counts.intersection, counts.union)
