"""Micro F1 of label sets: hits, surplus and missed labels summed over the task, one F1.

    F1 = 100 * 2 TP / (2 TP + FP + FN)

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus
    Sample        prediction and references, label sets: a list, or a text split at <p> (never at a comma); trimmed, lower case on
                  both sides. Of several references the one with the best F1 counts, among equals the one with the fewest errors
    State         rows (tp, fp, fn, exact), keyed by sample
    Undefined     neither side has any label in any sample: no_reference
    Source        metric-decisions, section 1
    Checked with  sklearn.metrics.f1_score(average="micro") on a multilabel indicator
    Differs from  the public scorer, which counts two empty sets as a hit (empty_pairs=hit) and lowers the reference only
                  (lower=reference). A missing prediction misses all labels, and counts one error where there are none to miss

>>> observe(Sample("1", ("joy", "Fear"), (("joy", "trust"),)), MicroF1Parameters())
{'tp': 1, 'fp': 1, 'fn': 1, 'exact': 0}

With exactly one label on each side it equals accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_evaluator.statistics.ngrams import ratio


@dataclass(frozen=True)
class MicroF1Parameters(Parameters):
    """Parameters of micro F1."""

    empty_pairs: Literal["skip", "hit"] = "skip"
    lower: Literal["both", "reference"] = "both"


def _labels(given: Iterable[str], lower: bool) -> frozenset[str]:
    trimmed = (label.strip() for label in given)
    return frozenset(label.lower() if lower else label for label in trimmed if label)


def _counts(predicted: frozenset[str], expected: frozenset[str], parameters: MicroF1Parameters) -> tuple[int, int, int]:
    if not predicted and not expected and parameters.empty_pairs == "hit":
        return 1, 0, 0
    return len(predicted & expected), len(predicted - expected), len(expected - predicted)


def _preference(counts: tuple[int, int, int]) -> tuple[float, int, int]:
    hits, surplus, missed = counts
    return -ratio(2 * hits, 2 * hits + surplus + missed), surplus + missed, missed


def observe(sample: Sample, parameters: MicroF1Parameters) -> Row:
    """One sample."""
    predicted = _labels(sample.prediction, parameters.lower == "both")
    candidates = [_counts(predicted, _labels(reference, True), parameters) for reference in sample.references]
    hits, surplus, missed = min(candidates, key=_preference)
    return {"tp": hits, "fp": surplus, "fn": missed, "exact": int(not surplus and not missed)}


def missing(sample: Sample, parameters: MicroF1Parameters) -> Row:
    """Every label of the shortest reference is missed; where there is none, one error is counted."""
    del parameters
    expected = min(len(_labels(reference, True)) for reference in sample.references)
    return {"tp": 0, "fp": int(not expected), "fn": expected, "exact": 0}


def score(rows: Rows, parameters: MicroF1Parameters) -> Score:
    """One F1 of all counts, with precision, recall and the share of samples whose sets are equal."""
    del parameters
    hits, surplus, missed = (int(rows.column(name).sum()) for name in ("tp", "fp", "fn"))
    if not hits + surplus + missed:
        return Score(None, "no_reference")
    companions = {
        "precision": 100.0 * ratio(hits, hits + surplus),
        "recall": 100.0 * ratio(hits, hits + missed),
        "exact_sets": 100.0 * math.fsum(rows.column("exact")) / len(rows),
    }
    return Score(100.0 * 2 * hits / (2 * hits + surplus + missed), companions=companions)


def interval(rows: Rows, parameters: MicroF1Parameters) -> Interval | None:
    """Bootstrap over samples of the pooled F1."""
    del parameters
    counts = np.column_stack([rows.column(name) for name in ("tp", "fp", "fn")]).astype(np.float64)
    return bootstrap(rows.keys, counts, lambda totals: 200.0 * totals[:, 0] / (totals @ np.array([2.0, 1.0, 1.0])))


METRIC = Metric(
    id="micro_f1",
    version=1,
    input_kind="labels",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=MicroF1Parameters,
    columns={name: Column("i8") for name in ("tp", "fp", "fn", "exact")},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
)
