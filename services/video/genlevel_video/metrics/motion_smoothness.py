"""Motion smoothness: how well the frames between can be guessed from their neighbours.

    error of a clip   = mean over odd frames of the mean over pixels and colours of |guess - frame|, of 8 bits
    motion_smoothness = 100 mean over clips of (255 - error) / 255

A network guesses frame 2 k + 1 from frames 2 k and 2 k + 2. A last odd frame has no neighbour behind and is left out.

Direction   higher is better; a still clip reaches 100, so show the dynamic degree beside it
Range       [0, 100]
Unit        percent
Pooling     sequence: mean over clips; a missing clip is 0
Sample      prediction: a clip; there is no reference
State       rows (error, frames guessed), keyed by sample
Undefined   no clip of three frames or more: too_few_samples; a shorter clip is left out, with the warning clips_without_value
Companions  clips; guessed: frames; worst_clip: smoothness of the least smooth clip
Backbones   rife-4.0: RIFE 4.0 at t = 1/2, its own weights. VBench uses AMT-S, so all values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; RIFE: Huang et al. 2022, arXiv 2011.06294
Checked with  the steps of its paper in plain functions with SciPy's interpolation, on the same weights; derivation
Differs from  VBench cuts guesses to 8 bits by dropping the fraction, which makes half a grey level of error in every pixel; here they are rounded.
            It shrinks large frames by the memory of the GPU it runs on; here the size stays.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> row = observe(Sample("1", features={("rife-4.0", "prediction"): np.array([[0.0], [5.1]], np.float32)}), SmoothnessParameters())
>>> round(row["error"], 6), row["guessed"]
(2.55, 2)
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
from genlevel_video.measures import frame_means

NOT_COMPARABLE = "not_comparable"
WHITE = 255.0


@dataclass(frozen=True)
class SmoothnessParameters(Parameters):
    """Parameters of motion smoothness.

    Attributes:
        backbone: network that guesses frames.
    """

    backbone: Literal["rife-4.0"] = "rife-4.0"


def observe(sample: Sample, parameters: SmoothnessParameters) -> Row:
    """The error of one clip."""
    return row_of(sample.features[parameters.backbone, "prediction"])


def row_of(errors: NDArray[np.float32]) -> Row:
    """The row of a clip out of the errors of its guessed frames; one below three frames says nothing."""
    if not len(errors):
        return {"error": math.nan, "guessed": 0}
    return {"error": math.fsum(errors[:, 0].astype(np.float64)) / len(errors), "guessed": len(errors)}


def missing(sample: Sample, parameters: SmoothnessParameters) -> Row:
    """A missing clip is as far off as can be."""
    del sample, parameters
    return {"error": WHITE, "guessed": 0}


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """Smoothness of each clip; NaN of one below three frames."""
    return np.asarray(100.0 * (WHITE - rows.column("error")) / WHITE)


def _known(rows: Rows) -> NDArray[np.float64]:
    values = samples(rows, None)
    return np.asarray(values[~np.isnan(values)])


def score(rows: Rows, parameters: SmoothnessParameters) -> Score:
    """Mean over clips."""
    del parameters
    guessed, known = rows.column("guessed"), _known(rows)
    companions = {"clips": float(np.count_nonzero(guessed)), "guessed": float(guessed.sum())}
    if not len(known):
        return Score(None, "too_few_samples", companions)
    left_out = (frame_means.LEFT_OUT,) if len(known) < len(rows) else ()
    return Score(math.fsum(known) / len(known), companions=companions | {"worst_clip": float(known.min())}, warnings=(NOT_COMPARABLE, *left_out))


def interval(rows: Rows, parameters: SmoothnessParameters) -> Interval | None:
    """Bootstrap over clips."""
    del parameters
    return bootstrap_mean(rows.keys.take(np.flatnonzero(~np.isnan(rows.column("error")))), _known(rows))


COLUMNS = {"error": Column("f8"), "guessed": Column("i8")}

METRIC = Metric(
    id="motion_smoothness", version=1, input_kind="video_alone", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence",
    parameters=SmoothnessParameters, columns=COLUMNS, observe=observe, score=score, missing=missing, interval=interval, reference_free=True,
    samples=samples, backbones=lambda parameters: (parameters.backbone,), reads=(),
    remarks=lambda _, row, __: frame_means.too_short(row["guessed"] > 0, "three frames"),
)  # fmt: skip
