"""MSE of mattes: mean squared difference of opacity, times 1000.

    mse = mean over pictures of 1000 * mean over pixels (alpha - reference alpha)^2

    Direction   lower is better
    Range       [0, inf]
    Unit        1e-3
    Pooling     sample: the mean over pictures
    Sample      prediction and reference, mattes of one size; the first reference counts. `region=trimap` needs the attribute `trimap`
    State       a row of (absolute, squared, pixels) of each picture, keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      Rhemann et al. 2009, alphamatting.com; whole pictures as in trimap-free matting
    Checked with  sklearn.metrics.mean_squared_error 1.9
    Differs from  alphamatting.com, which takes the unknown region (`region=trimap`), where errors are several times larger. Opacity is in 0..1: read as
                0..255 the value would be 65,025 times larger.

    >>> round(1000 * (51 / 255) ** 2, 6)
    40.0
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.states import Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_image.metrics import sad
from genlevel_image.metrics.sad import MatteParameters


def observe(sample: Sample, parameters: MatteParameters) -> Row:
    """Sums over the pixels."""
    return sad.observe(sample, parameters)


def samples(rows: Rows, parameters: MatteParameters) -> NDArray[np.float64]:
    """The error of each picture."""
    del parameters
    return np.asarray(1000.0 * rows.column("squared") / rows.column("pixels"))


def score(rows: Rows, parameters: MatteParameters) -> Score:
    """Mean over pictures."""
    del parameters
    means = sad.companions(rows)
    return Score(means.pop("mse"), companions=means)


def interval(rows: Rows, parameters: MatteParameters) -> Interval | None:
    """Bootstrap over pictures."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


METRIC = Metric(
    id="mse", version=1, input_kind="matting", unit="1e-3", higher_is_better=False, value_range=(0.0, float("inf")), pooling="sample",
    parameters=MatteParameters, columns=sad.COLUMNS, observe=observe, score=score, interval=interval, samples=samples,
)
