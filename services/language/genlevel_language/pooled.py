"""One F1 of hits, surplus and missed items summed over the task, as micro_f1 and the F1 of entities, relations and events share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Score
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_evaluator.statistics.ngrams import ratio

COLUMNS = {name: Column("i8") for name in ("tp", "fp", "fn")}


class Counts(NamedTuple):
    """Items found, items too many, items missed."""

    hits: int
    surplus: int
    missed: int

    @property
    def row(self) -> Row:
        """The columns of the state."""
        return {"tp": self.hits, "fp": self.surplus, "fn": self.missed}


def compare(predicted: Iterable[Hashable], expected: Iterable[Hashable]) -> Counts:
    """Counts of two multisets.

    >>> compare("aab", "abc")
    Counts(hits=2, surplus=1, missed=1)
    """
    left, right = Counter(predicted), Counter(expected)
    hits = sum((left & right).values())
    return Counts(hits, left.total() - hits, right.total() - hits)


def best(candidates: Sequence[Counts]) -> int:
    """Which of the references counts: the one with the best F1, among equals the one with the fewest errors."""
    return min(range(len(candidates)), key=lambda place: (*_preference(candidates[place]), place))


def _preference(counts: Counts) -> tuple[float, int, int]:
    errors = counts.surplus + counts.missed
    return -ratio(2 * counts.hits, 2 * counts.hits + errors), errors, counts.missed


def missing(sizes: Iterable[int]) -> Counts:
    """All items of the shortest reference are missed; where there is none to miss, one error is counted."""
    expected = min(sizes)
    return Counts(0, int(not expected), expected)


def f1(rows: Rows, prefix: str = "") -> float:
    """F1 in percent of the summed counts in the columns `<prefix>tp`, `<prefix>fp`, `<prefix>fn`; 0 of nothing."""
    hits, surplus, missed = (int(rows.column(prefix + name).sum()) for name in ("tp", "fp", "fn"))
    return 100.0 * ratio(2 * hits, 2 * hits + surplus + missed)


def score(rows: Rows) -> Score:
    """One F1 of all counts, with precision, recall and the share of samples without an error."""
    hits, surplus, missed = (int(rows.column(name).sum()) for name in ("tp", "fp", "fn"))
    if not hits + surplus + missed:
        return Score(None, "no_reference")
    companions = {
        "precision": 100.0 * ratio(hits, hits + surplus),
        "recall": 100.0 * ratio(hits, hits + missed),
        "exact_sets": 100.0 * float(np.sum((rows.column("fp") == 0) & (rows.column("fn") == 0))) / len(rows),
    }
    return Score(100.0 * 2 * hits / (2 * hits + surplus + missed), companions=companions)


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """F1 of each sample alone, in percent; NaN where there was nothing to find and nothing was given."""
    hits = 2.0 * rows.column("tp")
    whole = hits + rows.column("fp")
    whole += rows.column("fn")
    hits *= 100.0
    return np.asarray(np.divide(hits, whole, out=np.full(len(rows), np.nan), where=whole > 0))


def interval(rows: Rows) -> Interval | None:
    """Bootstrap over samples of the pooled F1."""
    counts = np.column_stack([rows.column(name) for name in ("tp", "fp", "fn")])
    return bootstrap(rows.keys, counts, lambda totals: 200.0 * totals[:, 0] / (totals @ np.array([2.0, 1.0, 1.0])))
