"""Mean absolute error of counts.

    MAE = mean over samples of |predicted number - true number|

The prediction is a number, a text of which the first number counts (in digits or as an English word), or a density map whose sum
counts. A text without a number says that it saw nothing: it counts as 0, and how many there are stands beside.

    Direction     lower is better
    Range         [0, infinity)
    Unit          objects
    Pooling       sample: mean over samples
    Sample        prediction and references, counts; of several references the nearest
    State         rows (predicted, expected, without_number), keyed by sample
    Undefined     no sample has both sides: no_reference
    Source        metric-decisions, section 2
    Checked with  sklearn.metrics.mean_absolute_error
    Differs from  the public scorer, which leaves out answers that are no number and gives 0, the best value, where none is left;
                  a missing prediction lowers the coverage

>>> observe(Sample("1", Count(12.0), (Count(10.0),)), MaeParameters())
{'predicted': 12.0, 'expected': 10.0, 'without_number': 0}
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_language import means
from genlevel_language.numbers import Count


@dataclass(frozen=True)
class MaeParameters(Parameters):
    """MAE has no parameters."""


def observe(sample: Sample, parameters: MaeParameters) -> Row:
    """One sample."""
    del parameters
    given: Count = sample.prediction
    predicted = 0.0 if given.value is None else given.value
    expected = min((reference.value for reference in sample.references), key=lambda value: (abs(predicted - value), value))
    means.refuse_beyond(abs(predicted - expected), (predicted,))
    return {"predicted": predicted, "expected": expected, "without_number": int(given.value is None)}


def _errors(rows: Rows) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.asarray(rows.column("predicted") - rows.column("expected"))


def score(rows: Rows, parameters: MaeParameters) -> Score:
    """Mean error; its root mean square, the bias, and the share of answers without a number beside."""
    del parameters
    errors = _errors(rows)
    with np.errstate(over="ignore"):
        squares = errors**2
    companions = {
        "rmse": math.sqrt(means.total(squares) / len(rows)),
        "bias": means.total(errors) / len(rows),
        "without_number": means.percent(rows, "without_number"),
    }
    return Score(means.total(np.abs(errors)) / len(rows), companions=companions)


def interval(rows: Rows, parameters: MaeParameters) -> Interval | None:
    """Bootstrap of the mean."""
    del parameters
    return bootstrap_mean(rows.keys, np.abs(_errors(rows)))


METRIC = Metric(
    id="mae",
    version=1,
    input_kind="count",
    unit="objects",
    higher_is_better=False,
    value_range=(0.0, float("inf")),
    pooling="sample",
    parameters=MaeParameters,
    columns={"predicted": Column("f8"), "expected": Column("f8"), "without_number": Column("u1")},
    observe=observe,
    score=score,
    interval=interval,
    samples=lambda rows, _: np.abs(_errors(rows)),
)
