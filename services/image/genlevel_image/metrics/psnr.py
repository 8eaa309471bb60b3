"""PSNR: peak signal-to-noise ratio of pictures against their references.

    psnr = mean over pictures of 10 log10(peak² / MSE)

    Direction   higher is better
    Range       [0, inf]
    Unit        dB
    Pooling     sample: the mean over pictures; a missing picture is 0 dB
    Sample      prediction and reference, pictures of one size and bit depth; of several references the best counts
    State       rows (decibels, perfect), keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      the usual definition (ITU-T J.340 for a peak of 255), with BT.601 luma as MATLAB's rgb2ycbcr under channel=y
    Checked with  skimage.metrics.peak_signal_noise_ratio 0.26
    Differs from  a perfect picture, infinite there, counts as 100 dB; the value is infinite only where
                all pictures are perfect. Pictures of different sizes are refused, never resized.

    >>> from genlevel_evaluator.statistics.psnr import decibels
    >>> round(decibels(65025 / 100, 255.0), 6)
    20.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_evaluator.statistics.psnr import decibels, mean_decibels, squared_error
from genlevel_image.media import Picture

# BT.601 luma of 0..1 colours, in 16..235 of 0..255.
_LUMA = np.array([65.481, 128.553, 24.966]) / 255.0


@dataclass(frozen=True)
class PsnrParameters(Parameters):
    """Parameters of PSNR.

    Attributes:
        peak: largest sample value; none takes it from the bit depth, 255 or 65535.
        channel: `rgb`, or `y` for the luma of BT.601 (deraining and super-resolution papers).
        border: pixels left out on each side.
    """

    peak: float | None = None
    channel: Literal["rgb", "y"] = "rgb"
    border: int = 0

    def __post_init__(self) -> None:
        if self.peak is not None and not 0 < self.peak < float("inf"):
            raise ValueError("peak must be above 0")
        if self.border < 0:
            raise ValueError("border must be 0 or more")


def observe(sample: Sample, parameters: PsnrParameters) -> Row:
    """The best PSNR against the references."""
    values = [_pair(sample.prediction, reference, parameters) for reference in sample.references]
    best, perfect = max(values)
    return {"decibels": best, "perfect": perfect}


def missing(sample: Sample, parameters: PsnrParameters) -> Row:
    """No picture is no signal: 0 dB."""
    del sample, parameters
    return {"decibels": 0.0, "perfect": 0}


def score(rows: Rows, parameters: PsnrParameters) -> Score:
    """Mean over pictures."""
    del parameters
    values, perfect = rows.column("decibels"), rows.column("perfect")
    mean = mean_decibels(values.tolist(), [1] * len(rows), perfect.tolist())
    return Score(mean, companions={"perfect_pictures": float(perfect.sum()), "worst": float(values.min())})


def interval(rows: Rows, parameters: PsnrParameters) -> Interval | None:
    """Bootstrap over pictures; none where the value is infinite."""
    del parameters
    if bool(np.all(rows.column("perfect"))):
        return None
    return bootstrap_mean(rows.keys, rows.column("decibels"))


def _pair(prediction: Picture, reference: Picture, parameters: PsnrParameters) -> tuple[float, int]:
    if prediction.size != reference.size:
        raise SampleError(
            "SIZE_MISMATCH", f"the prediction is {_times(prediction)} pixels, the reference {_times(reference)}",
            remedy="give the picture in the size of its reference", side="prediction",
        )
    if prediction.pixels.dtype != reference.pixels.dtype:
        raise SampleError(
            "DEPTH_MISMATCH", f"the prediction has {_bits(prediction)} bits a channel, the reference {_bits(reference)}",
            remedy="save both with the same bit depth", side="prediction",
        )
    ours, theirs = (_region(picture, parameters) for picture in (prediction, reference))
    error = squared_error(ours, theirs)
    return decibels(error, parameters.peak or reference.peak), int(error == 0.0)


def _region(picture: Picture, parameters: PsnrParameters) -> NDArray[Any]:
    border = parameters.border
    if 2 * border >= min(picture.size):
        raise SampleError("WRONG_SHAPE", f"a border of {border} leaves nothing of {_times(picture)} pixels", remedy="use a smaller border", side="reference")
    width, height = picture.size
    inner = picture.pixels[border : height - border, border : width - border]
    if parameters.channel == "rgb":
        return inner
    scale = picture.peak / 255.0
    return np.asarray(inner.astype(np.float64) @ _LUMA + 16.0 * scale)


def _times(picture: Picture) -> str:
    return "{} x {}".format(*picture.size)


def _bits(picture: Picture) -> int:
    return 8 * int(picture.pixels.itemsize)


METRIC = Metric(
    id="psnr", version=1, input_kind="image", unit="dB", higher_is_better=True, value_range=(0.0, float("inf")), pooling="sample",
    parameters=PsnrParameters, columns={"decibels": Column("f8"), "perfect": Column("u1")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: rows.column("decibels"),
)
