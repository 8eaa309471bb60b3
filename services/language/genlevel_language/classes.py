"""Single-label classification: from a sample to its class and the class given, and the counts of each class.

A class is known by the digest of its normal form (genlevel_language.normalise.answer), so states of any shards fit together
without a list of classes. The name travels beside it, for the class table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.digests import digest
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_language import class_table, normalise
from genlevel_language.extract import EXTRACTORS

Extractor = Literal["none", "option_letter", "yes_no", "label"]

COLUMNS = {"expected": Column("i8"), "given": Column("i8"), "answered": Column("u1"), "name": Column("u1", ragged=True)}
"""Digests of both classes, whether the answer names exactly one class, and the name of the expected one in UTF-8."""

_NAME_BYTES = 96
MAX_CELLS = 1 << 24
"""Most counts (samples times classes) that are resampled for an interval."""


def observe(sample: Sample, extractor: Extractor) -> Row:
    """One sample."""
    names = [name for name in sample.prediction if name.strip()]
    found = EXTRACTORS[extractor](names[0], sample.attributes) if len(names) == 1 else None
    return _row(sample, extractor, normalise.answer(found) if found is not None else None)


def missing(sample: Sample, extractor: Extractor) -> Row:
    """A missing prediction names no class."""
    return _row(sample, extractor, None)


def _row(sample: Sample, extractor: Extractor, given: str | None) -> Row:
    expected = _majority(sample, extractor)
    name = expected.encode("utf-8", "replace")[:_NAME_BYTES]
    return {
        "expected": digest(expected),
        "given": digest(given) if given is not None else 0,
        "answered": int(given is not None),
        "name": np.frombuffer(name, dtype=np.uint8),
    }


def _majority(sample: Sample, extractor: Extractor) -> str:
    """The class most annotators gave."""
    votes: Counter[str] = Counter()
    for reference in sample.references:
        for label in reference:
            found = EXTRACTORS[extractor](label, sample.attributes)
            votes[normalise.answer(label if found is None else found)] += bool(label.strip())
    ranked = (+votes).most_common(2)
    if not ranked:
        raise SampleError("NO_CLASS", "the reference names no class", remedy="name one, or leave the sample out", side="reference")
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        message, remedy = "two classes have equally many annotations", "give the class to score against, or leave the sample out"
        raise SampleError("NO_MAJORITY", message, remedy=remedy, side="reference")
    return ranked[0][0]


@dataclass(frozen=True)
class Table:
    """Counts of each class, for all samples or (shape (samples, classes)) for each.

    Attributes:
        names: a name for each class; empty where only answers name the class.
        hits: answers that are right.
        expected: samples of the class.
        given: answers that name the class.
    """

    names: Sequence[str]
    hits: NDArray[np.float64]
    expected: NDArray[np.float64]
    given: NDArray[np.float64]


def table(rows: Rows, union: bool = False, each: bool = False) -> Table:
    """Counts of the classes in the references; with `union` of those in the answers, too."""
    expected, given = rows.column("expected"), rows.column("given")
    answered = rows.column("answered") > 0
    classes = np.union1d(expected, given[answered]) if union else np.unique(expected)
    slot, guess = np.searchsorted(classes, expected), np.searchsorted(classes, given)
    inside = answered & (classes[np.minimum(guess, len(classes) - 1)] == given)
    hit = inside & (given == expected)
    sample = np.arange(len(rows)) if each else np.zeros(len(rows), np.int64)

    def count(places: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        size = (int(sample[-1]) + 1) * len(classes)
        flat = np.bincount((sample * len(classes) + places)[chosen], minlength=size).astype(np.float64)
        return flat.reshape(-1, len(classes)) if each else flat

    everything = np.ones(len(rows), dtype=bool)
    return Table(_names(rows, classes), count(slot, hit), count(slot, everything), count(guess, inside))


def _names(rows: Rows, classes: NDArray[np.int64]) -> list[str]:
    known: dict[int, str] = {}
    names = rows.ragged("name")
    for place, value in enumerate(rows.column("expected").tolist()):
        if value not in known:
            known[value] = names[place].tobytes().decode("utf-8", "replace")
    return [known.get(value, "") for value in classes.tolist()]


def shares(rows: Rows, counts: Table) -> dict[str, float]:
    """What an expert looks for beside any mean over classes."""
    return {
        "accuracy": 100.0 * float(counts.hits.sum()) / len(rows),
        "classes": float(np.sum(counts.expected > 0)),
        "unanswered": 100.0 * float(np.sum(rows.column("answered") == 0)) / len(rows),
        "majority_baseline": 100.0 * float(counts.expected.max()) / len(rows),
        "chance": 100.0 / float(np.sum(counts.expected > 0)),
    }


def listed(counts: Table) -> dict[str, float]:
    """Precision, recall, F1 and size of the largest classes of the references."""
    columns = (numbers.tolist() for numbers in (counts.hits, counts.expected, counts.given))
    classes = [one for one in zip(counts.names, *columns, strict=True) if one[2]]
    return class_table.listed(classes, len(classes))


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """100 for each right answer, 0 for each other."""
    right = (rows.column("answered") > 0) & (rows.column("given") == rows.column("expected"))
    return np.where(right, 100.0, 0.0)


def small_enough(rows: Rows, counts: Table) -> bool:
    """Whether counts of every sample and class fit in memory."""
    return len(rows) * len(counts.names) <= MAX_CELLS
