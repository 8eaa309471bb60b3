"""RMS depth error: root mean squared error of distances over the valid pixels of a picture, in centimetres.

    rms(picture) = 100 * sqrt(mean over valid pixels (depth - reference depth)^2), depths in metres
    depth_rms    = mean over pictures

    Direction   lower is better
    Range       [0, inf]
    Unit        cm
    Pooling     sample: the mean over pictures
    Sample      prediction and reference, depth maps of one size; the first reference counts
    State       a row of (squared, relative, logarithmic, close, valid pixels) of each picture, keyed by sample
    Undefined   no sample has a reference with a valid pixel: no_reference
    Source      Eigen et al. 2014, arXiv 1406.2283; the range and the mean over pictures as in AdaBins on NYUv2
    Checked with  sklearn.metrics.root_mean_squared_error and mean_absolute_percentage_error 1.9
    Differs from  the root over the pixels of all pictures together (beside it as pooled_rms), which is larger. Pixels are valid by the reference alone; a
                prediction without a measurement there counts as the smallest depth. No crop, and no alignment unless `alignment=median`.

    >>> import numpy as np
    >>> round(100 * float(np.sqrt(np.mean(np.square(np.array([1.0, 2.5]) - np.array([1.3, 2.1]))))), 4)
    35.3553
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.pixels.grey import Grey, same_size
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean


@dataclass(frozen=True)
class DepthParameters(Parameters):
    """Parameters of the depth error.

    Attributes:
        depth_scale: what one metre is in a 16-bit picture: 1000 for millimetres, 5000 for TUM, 256 for KITTI.
        min_depth: metres; reference pixels must be farther, predictions are moved up to it.
        max_depth: metres; reference pixels must be nearer, predictions are moved down to it.
        alignment: `none`, or `median` to scale a prediction by the ratio of the medians.
    """

    depth_scale: float = 1000.0
    min_depth: float = 0.001
    max_depth: float = 10.0
    alignment: Literal["none", "median"] = "none"

    def __post_init__(self) -> None:
        if not 0 < self.depth_scale < math.inf:
            raise ValueError("depth_scale must be above 0")
        if not 0 < self.min_depth < self.max_depth < math.inf:
            raise ValueError("depths must be 0 < min_depth < max_depth")


def observe(sample: Sample, parameters: DepthParameters) -> Row:
    """Means over the valid pixels."""
    truth = _metres(sample.reference, parameters)
    valid = (truth > parameters.min_depth) & (truth < parameters.max_depth)  # false where the reference is NaN
    if not valid.any():
        message = f"no pixel of the reference is between {parameters.min_depth:g} and {parameters.max_depth:g} m"
        raise SampleError("NO_VALID_PIXEL", message, remedy="check depth_scale and max_depth", side="reference")
    same_size(sample.prediction.size, sample.reference.size)
    truth, guess = truth[valid], _metres(sample.prediction, parameters)[valid]
    if not np.isfinite(guess).all():
        raise SampleError("NOT_FINITE", "the prediction holds NaN or infinity at valid pixels", remedy="give finite metres", side="prediction")
    if parameters.alignment == "median":
        guess = _aligned(guess, truth)
    guess = np.clip(guess, parameters.min_depth, parameters.max_depth)
    ratio = guess / truth
    return {
        "squared": float(np.mean(np.square(guess - truth))), "relative": float(np.mean(np.abs(ratio - 1))),
        "logarithmic": float(np.mean(np.abs(np.log10(ratio)))), "close": float(np.mean(np.maximum(ratio, 1 / ratio) < 1.25)),
        "valid": int(valid.sum()),
    }


def score(rows: Rows, parameters: DepthParameters) -> Score:
    """Mean over pictures."""
    squared, pixels = rows.column("squared"), rows.column("valid")
    pooled = math.fsum(squared * pixels) / float(pixels.sum())
    names = {"abs_rel": "relative", "log10": "logarithmic", "delta_1": "close"}
    companions = {name: math.fsum(rows.column(column)) / len(rows) for name, column in names.items()}
    companions |= {"pooled_rms": 100.0 * math.sqrt(pooled), "valid_pixels": float(pixels.sum())}
    return Score(math.fsum(samples(rows, parameters)) / len(rows), companions=companions)


def samples(rows: Rows, parameters: DepthParameters) -> NDArray[np.float64]:
    """The error of each picture."""
    del parameters
    return np.asarray(100.0 * np.sqrt(rows.column("squared")))


def interval(rows: Rows, parameters: DepthParameters) -> Interval | None:
    """Bootstrap over pictures."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


def _metres(depth: Grey, parameters: DepthParameters) -> NDArray[np.float64]:
    values = depth.values.astype(np.float64)
    return values / parameters.depth_scale if depth.values.dtype.kind == "u" else values


def _aligned(guess: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = float(np.median(guess))
    if not middle > 0:
        raise SampleError("DEGENERATE", "the median of the predicted depths is not above 0", remedy="give distances, or alignment=none", side="prediction")
    return guess * (float(np.median(truth)) / middle)


METRIC = Metric(
    id="depth_rms", version=1, input_kind="depth", unit="cm", higher_is_better=False, value_range=(0.0, float("inf")), pooling="sample",
    parameters=DepthParameters,
    columns={"squared": Column("f8"), "relative": Column("f8"), "logarithmic": Column("f8"), "close": Column("f8"), "valid": Column("i8")},
    observe=observe, score=score, interval=interval, samples=samples,
)
