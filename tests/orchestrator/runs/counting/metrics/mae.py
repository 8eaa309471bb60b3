"""Mean absolute error of counts."""

from __future__ import annotations

from dataclasses import dataclass

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows


@dataclass(frozen=True)
class MaeParameters(Parameters):
    """None."""


def observe(sample: Sample, parameters: MaeParameters) -> Row:
    """The error of one picture."""
    del parameters
    return {"error": abs(sample.prediction - sample.references[0])}


def score(rows: Rows, parameters: MaeParameters) -> Score:
    """The mean."""
    del parameters
    return Score(float(rows.column("error").mean()))


METRIC = Metric(
    id="mae", version=1, input_kind="count", unit="objects", higher_is_better=False, value_range=(0.0, float("inf")), pooling="sample",
    parameters=MaeParameters, columns={"error": Column("f8")}, observe=observe, score=score,
)
