"""Root mean squared error over all points of all series.

    RMSE = sqrt(sum over samples and points of (predicted - true)^2 / number of points)

A prediction is a list, one number (a series of one point), or a text with a list of numbers between brackets. Nothing is scaled, and
nothing is cut: a forecast of another length is an issue.

    Direction     lower is better
    Range         [0, infinity)
    Unit          series units
    Pooling       corpus: all points together
    Sample        prediction and references, series; of several references the one with the smallest error
    State         rows (squared, absolute, points), keyed by sample
    Undefined     no sample has both sides: no_reference
    Source        metric-decisions, section 1
    Checked with  sklearn.metrics.root_mean_squared_error
    Differs from  the mean of the RMSE of each series, which stands beside; the public scorer, which takes unreadable output as 0.0. Here
                  a missing or unreadable prediction lowers the coverage

>>> observe(Sample("1", (1.0, 3.0), ((1.0, 1.0),)), RmseParameters())
{'squared': 4.0, 'absolute': 2.0, 'points': 2}
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_language import means


@dataclass(frozen=True)
class RmseParameters(Parameters):
    """RMSE has no parameters."""


def observe(sample: Sample, parameters: RmseParameters) -> Row:
    """One sample."""
    del parameters
    fitting = [reference for reference in sample.references if len(reference) == len(sample.prediction)]
    if not fitting:
        message = f"{len(sample.prediction)} values where the reference has {len(sample.reference)}"
        raise SampleError("LENGTH_MISMATCH", message, remedy="forecast every point; nothing is cut or repeated", side="prediction")
    rows = [_errors(sample.prediction, reference) for reference in fitting]
    best = min(rows, key=lambda row: (row["squared"], row["absolute"]))
    means.refuse_beyond(math.sqrt(best["squared"]), sample.prediction)
    return best


def _errors(prediction: tuple[float, ...], reference: tuple[float, ...]) -> dict[str, float]:
    with np.errstate(over="ignore"):
        errors = np.subtract(prediction, reference)
        squares = errors**2
    return {"squared": means.total(squares), "absolute": means.total(np.abs(errors)), "points": len(reference)}


def score(rows: Rows, parameters: RmseParameters) -> Score:
    """Root of the pooled mean; MAE and the mean RMSE of the series beside."""
    del parameters
    points = int(rows.column("points").sum())
    companions = {
        "mae": means.total(rows.column("absolute")) / points,
        "mean_of_series": means.total(np.sqrt(rows.column("squared") / rows.column("points"))) / len(rows),
        "points": float(points),
    }
    return Score(math.sqrt(means.total(rows.column("squared")) / points), companions=companions)


def _root(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(totals[:, 0] / totals[:, 1]))


def interval(rows: Rows, parameters: RmseParameters) -> Interval | None:
    """Bootstrap over series."""
    del parameters
    return bootstrap(rows.keys, np.column_stack([rows.column("squared"), rows.column("points")]).astype(np.float64), _root)


METRIC = Metric(
    id="rmse",
    version=1,
    input_kind="series",
    unit="series units",
    higher_is_better=False,
    value_range=(0.0, float("inf")),
    pooling="corpus",
    parameters=RmseParameters,
    columns={"squared": Column("f8"), "absolute": Column("f8"), "points": Column("i8")},
    observe=observe,
    score=score,
    interval=interval,
    samples=lambda rows, _: np.sqrt(rows.column("squared") / rows.column("points")),
)
