"""Accuracy: share of samples whose answer equals a reference answer.

    accuracy = 100 * correct / samples

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sample: the mean of 0 and 1 over samples
    Sample      prediction and references, both text; any of several references will do
    State       rows (correct), keyed by sample
    Undefined   no sample has a reference: no_reference

placeholder of the contract: the language evaluator's author completes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from genlevel_evaluator.metric import Metric, Parameters, Sample, Score
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion


@dataclass(frozen=True)
class AccuracyParameters(Parameters):
    """Parameters of accuracy."""


def observe(sample: Sample, parameters: AccuracyParameters) -> Row:
    return {"correct": float(any(sample.prediction.strip().casefold() == r.strip().casefold() for r in sample.references))}


def missing(sample: Sample, parameters: AccuracyParameters) -> Row:
    return {"correct": 0.0}


def score(rows: Rows, parameters: AccuracyParameters) -> Score:
    return Score(100.0 * math.fsum(rows.column("correct")) / len(rows))


def interval(rows: Rows, parameters: AccuracyParameters) -> Interval | None:
    return proportion(rows.keys, rows.column("correct"))


METRIC = Metric(
    id="accuracy", version=1, input_kind="text", unit="percent", higher_is_better=True, value_range=(0.0, 100.0),
    pooling="sample", parameters=AccuracyParameters, columns={"correct": Column("f8")},
    observe=observe, score=score, missing=missing, interval=interval,
)
