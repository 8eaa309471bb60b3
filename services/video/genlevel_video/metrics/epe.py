"""End-point error: how far the end of each predicted flow vector is from the true one.

    epe = mean over pairs of (mean over valid pixels of |predicted (u, v) - true (u, v)|)

Pixels are valid where the reference knows its flow: |u|, |v| <= 1e9 in .flo, third channel not 0 in KITTI PNG, `valid` in
.npz. With `panorama` the left and right edges of the picture are one, so a difference in u is taken the shorter way round.

Direction   lower is better
Range       [0, inf)
Unit        px
Pooling     sample: mean over pairs of frames
Sample      prediction and reference, each a flow of the same size
State       rows keyed by sample: sum of errors, valid pixels, pixels beyond 1 px, 3 px, and KITTI's bound
Undefined   no valid pixel in any pair: no_valid_pixel
Companions  outliers_1px, outliers_3px, fl_all (above 3 px and 5 % of the true length): percent of all valid pixels;
            epe_pixels: mean over all valid pixels; valid_pixels; pairs
Source      Baker et al. 2011 (Middlebury); Menze and Geiger 2015 (Fl-all)
Checked with  plain NumPy in float64 as RAFT's evaluation script computes it; cv2.readOpticalFlow for .flo; hand-made PNG bytes
Differs from  the public scorer has no mask and adds 0.0001 to the number of pairs. A prediction must know every pixel the
            reference knows (KITTI's kit fills gaps instead), and a flow of another size is refused: whoever resizes a flow
            must scale its vectors too.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_video.flow_files import Flow
>>> still = Flow(np.zeros((1, 2, 2), np.float32), np.array([[True, False]]))
>>> moved = Flow(np.full((1, 2, 2), [3.0, 4.0], np.float32), np.array([[True, True]]))
>>> row = observe(Sample("1", moved, (still,)), EpeParameters())
>>> float(row["error"]), int(row["pixels"])
(5.0, 1)
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
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_video.flow_files import Flow


@dataclass(frozen=True)
class EpeParameters(Parameters):
    """Parameters of the end-point error.

    Attributes:
        panorama: the picture goes all the way round, so u wraps at its width.
    """

    panorama: bool = False


def observe(sample: Sample, parameters: EpeParameters) -> Row:
    """Sums over the valid pixels of one pair."""
    prediction: Flow = sample.prediction
    reference: Flow = sample.reference
    _check(prediction, reference)
    truth = reference.vectors[reference.valid].astype(np.float64)
    difference = prediction.vectors[reference.valid].astype(np.float64) - truth
    if parameters.panorama:
        width = reference.valid.shape[1]
        difference[:, 0] -= width * np.round(difference[:, 0] / width)
    errors = np.hypot(difference[:, 0], difference[:, 1])
    outlier = (errors > 3.0) & (errors > 0.05 * np.hypot(truth[:, 0], truth[:, 1]))
    return {
        "error": errors.sum(),
        "pixels": len(errors),
        "above_1px": np.count_nonzero(errors > 1.0),
        "above_3px": np.count_nonzero(errors > 3.0),
        "outliers": np.count_nonzero(outlier),
    }


def _check(prediction: Flow, reference: Flow) -> None:
    if prediction.valid.shape != reference.valid.shape:
        (height, width), (true_height, true_width) = prediction.valid.shape, reference.valid.shape
        raise SampleError(
            "SIZE_MISMATCH", f"the prediction has {width} x {height} pixels, the reference {true_width} x {true_height}",
            remedy="resize the flow to the reference's size and multiply u and v by the same factors", side="prediction",
        )  # fmt: skip
    gaps = int(np.count_nonzero(reference.valid & ~prediction.valid))
    if gaps:
        raise SampleError(
            "FLOW_INCOMPLETE", f"the prediction has no finite flow at {gaps} pixels where the reference has one",
            remedy="predict every pixel", side="prediction",
        )  # fmt: skip


def score(rows: Rows, parameters: EpeParameters) -> Score:
    """Mean over pairs."""
    pixels = rows.column("pixels")
    total = int(pixels.sum())
    if not total:
        return Score(None, "no_valid_pixel")
    values = _of_pairs(rows)
    return Score(
        math.fsum(values) / len(values),
        companions={
            "outliers_1px": 100.0 * int(rows.column("above_1px").sum()) / total,
            "outliers_3px": 100.0 * int(rows.column("above_3px").sum()) / total,
            "fl_all": 100.0 * int(rows.column("outliers").sum()) / total,
            "epe_pixels": math.fsum(rows.column("error")) / total,
            "valid_pixels": float(total),
            "pairs": float(len(values)),
        },
        warnings=("pair_without_valid_pixel",) if len(values) < len(rows) else (),
    )


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """Mean error of each pair; NaN where it has no valid pixel."""
    pixels = rows.column("pixels")
    return np.asarray(np.divide(rows.column("error"), pixels, out=np.full(len(rows), np.nan), where=pixels > 0))


def _of_pairs(rows: Rows) -> NDArray[np.float64]:
    values = samples(rows, None)
    return np.asarray(values[~np.isnan(values)])


def interval(rows: Rows, parameters: EpeParameters) -> Interval | None:
    """Bootstrap over pairs."""
    keys = [key for key, count in zip(rows.keys, rows.column("pixels"), strict=True) if count]
    return bootstrap_mean(keys, _of_pairs(rows))


METRIC = Metric(
    id="epe",
    version=1,
    input_kind="flow",
    unit="px",
    higher_is_better=False,
    value_range=(0.0, math.inf),
    pooling="sample",
    parameters=EpeParameters,
    columns={
        "error": Column("f8"),
        "pixels": Column("i8"),
        "above_1px": Column("i8"),
        "above_3px": Column("i8"),
        "outliers": Column("i8"),
    },
    observe=observe,
    score=score,
    interval=interval,
    samples=samples,
)
