"""SAD of mattes: sum of absolute differences of opacity, in thousands of pixels.

    sad = mean over pictures of sum over pixels |alpha - reference alpha| / 1000

    Direction   lower is better
    Range       [0, inf]
    Unit        thousands
    Pooling     sample: the mean over pictures
    Sample      prediction and reference, mattes of one size; the first reference counts. `region=trimap` needs the attribute `trimap`
    State       a row of (absolute, squared, pixels) of each picture, keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      Rhemann et al. 2009, alphamatting.com; whole pictures as in trimap-free matting
    Checked with  NumPy and OpenCV norms
    Differs from  alphamatting.com, which sums over the unknown region (`region=trimap`). The value grows with the size of a picture, so nothing is resized.

    >>> round(255 * 4000 / 255 / 1000, 3)
    4.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_image.forms import mattes


@dataclass(frozen=True)
class MatteParameters(Parameters):
    """Parameters of matting errors.

    Attributes:
        region: `whole` picture, or the unknown region of the attribute `trimap`.
    """

    region: Literal["whole", "trimap"] = "whole"


COLUMNS = {"absolute": Column("f8"), "squared": Column("f8"), "pixels": Column("i8")}


def observe(sample: Sample, parameters: MatteParameters) -> Row:
    """Sums over the pixels."""
    absolute, squared, pixels = mattes.errors(sample, parameters.region)
    return {"absolute": absolute, "squared": squared, "pixels": pixels}


def samples(rows: Rows, parameters: MatteParameters) -> NDArray[np.float64]:
    """The error of each picture."""
    del parameters
    return np.asarray(rows.column("absolute") / 1000.0)


def companions(rows: Rows) -> dict[str, float]:
    """The errors that stand beside each other, each the mean over pictures."""
    pixels = rows.column("pixels").astype(np.float64)
    each = {
        "sad": rows.column("absolute") / 1000.0, "mse": 1000.0 * rows.column("squared") / pixels,
        "mad": 1000.0 * rows.column("absolute") / pixels,
    }
    return {name: math.fsum(values) / len(values) for name, values in each.items()}


def score(rows: Rows, parameters: MatteParameters) -> Score:
    """Mean over pictures."""
    del parameters
    means = companions(rows)
    return Score(means.pop("sad"), companions=means)


def interval(rows: Rows, parameters: MatteParameters) -> Interval | None:
    """Bootstrap over pictures."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


METRIC = Metric(
    id="sad", version=1, input_kind="matting", unit="thousands", higher_is_better=False, value_range=(0.0, float("inf")), pooling="sample",
    parameters=MatteParameters, columns=COLUMNS, observe=observe, score=score, interval=interval, samples=samples,
)
