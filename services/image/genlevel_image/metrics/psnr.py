"""PSNR: peak signal-to-noise ratio of pictures against their references.

    psnr = mean over pictures of 10 log10(peak² / MSE)

    Direction   higher is better
    Range       [0, inf]
    Unit        dB
    Pooling     sample: the mean over pictures; a missing picture is 0 dB
    Sample      prediction and reference, pictures of one size and bit depth; of several references the best counts
    State       rows (decibels, perfect, decibels of the luma, SSIM, LPIPS) of each picture, keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      the usual definition (ITU-T J.340 for a peak of 255), with BT.601 luma as MATLAB's rgb2ycbcr under channel=y
    Checked with  skimage.metrics.peak_signal_noise_ratio and structural_similarity 0.26, torchmetrics' LPIPS 1.9
    Differs from  a perfect picture, infinite there, counts as 100 dB; the value is infinite only where
                all pictures are perfect. Pictures of different sizes are refused, never resized.

Beside it: y_psnr, the same of the luma; ssim, of windows wholly inside, mean over channels (a missing picture is -1, one below 11 pixels a side
is left out); with `lpips`, the mean distance of the pictures that are there to their first references.

    >>> from genlevel_evaluator.statistics.psnr import decibels
    >>> round(decibels(65025 / 100, 255.0), 6)
    20.0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_evaluator.statistics.psnr import decibels, mean_decibels
from genlevel_image.backbones.pairs import Pair
from genlevel_image.media import Picture
from genlevel_image.pixels import restoration


@dataclass(frozen=True)
class PsnrParameters(Parameters):
    """Parameters of PSNR.

    Attributes:
        peak: largest sample value; none takes it from the bit depth, 255 or 65535.
        channel: `rgb`, or `y` for the luma of BT.601 (deraining and super-resolution papers).
        border: pixels left out on each side.
        ssim: whether SSIM stands beside the value, of the same channel and region; it costs more than all else.
        lpips: the network whose LPIPS stands beside the value, of whole pictures in colour.
    """

    peak: float | None = None
    channel: Literal["rgb", "y"] = "rgb"
    border: int = 0
    ssim: bool = True
    lpips: Literal["none", "alex", "vgg"] = "none"

    def __post_init__(self) -> None:
        if self.peak is not None and not 0 < self.peak < float("inf"):
            raise ValueError("peak must be above 0")
        if self.border < 0:
            raise ValueError("border must be 0 or more")


def networks(parameters: PsnrParameters) -> tuple[str, ...]:
    """Names of the networks needed."""
    return () if parameters.lpips == "none" else (f"lpips.{parameters.lpips}",)


def sides(sample: Sample) -> Mapping[str, Any]:
    """What a network looks at: the picture with its first reference."""
    both = sample.prediction is not None and sample.references and sample.reference is not None
    return {"pair": Pair(sample.prediction, sample.reference) if both else None}


def observe(sample: Sample, parameters: PsnrParameters) -> Row:
    """The best PSNR against the references, and what stands beside it of the same one."""
    values = [_pair(sample.prediction, reference, parameters) for reference in sample.references]
    place = max(range(len(values)), key=lambda index: values[index][:2])
    best, perfect, luma = values[place]
    distances = [float(value) for name in networks(parameters) for value in sample.features.get((name, "pair"), ())]
    return {
        "decibels": best, "perfect": perfect, "luma": luma, "ssim": _similarity(sample.prediction, sample.references[place], parameters),
        "lpips": distances[0] if distances else math.nan,
    }


def missing(sample: Sample, parameters: PsnrParameters) -> Row:
    """No picture is no signal: 0 dB, and as unlike as can be."""
    del sample
    return {"decibels": 0.0, "perfect": 0, "luma": 0.0, "ssim": -1.0 if parameters.ssim else math.nan, "lpips": math.nan}


def score(rows: Rows, parameters: PsnrParameters) -> Score:
    """Mean over pictures."""
    del parameters
    values, perfect = rows.column("decibels"), rows.column("perfect")
    counts = [1] * len(rows)
    companions = {"perfect_pictures": float(perfect.sum()), "worst": float(values.min()), "y_psnr": mean_decibels(rows.column("luma").tolist(), counts, perfect.tolist())}
    for name in ("ssim", "lpips"):
        known = rows.column(name)
        known = known[np.isfinite(known)]
        companions |= {name: math.fsum(known) / len(known)} if len(known) else {}
    return Score(mean_decibels(values.tolist(), counts, perfect.tolist()), companions=companions)


def interval(rows: Rows, parameters: PsnrParameters) -> Interval | None:
    """Bootstrap over pictures; none where the value is infinite."""
    del parameters
    if bool(np.all(rows.column("perfect"))):
        return None
    return bootstrap_mean(rows.keys, rows.column("decibels"))


def remarks(sample: Sample, row: Row, parameters: PsnrParameters) -> list[SampleError]:
    """A picture that the network of LPIPS does not take."""
    if parameters.lpips == "none" or sample.prediction is None or not math.isnan(row["lpips"]):
        return []
    message = f"a picture of {restoration.times(sample.prediction)} pixels is too small or too large for lpips={parameters.lpips}; it is left out of that mean"
    return [SampleError("LPIPS_LEFT_OUT", message, remedy="see docs/formats.md for the sizes it takes, or use lpips=none", side="prediction")]


def _pair(prediction: Picture, reference: Picture, parameters: PsnrParameters) -> tuple[float, int, float]:
    restoration.comparable(prediction, reference)
    ours, theirs = (restoration.inner(picture, parameters.border) for picture in (prediction, reference))
    peak = parameters.peak or reference.peak
    colour, luma = restoration.squared_errors(ours, theirs)
    error = luma if parameters.channel == "y" else colour
    return decibels(error, peak), int(error == 0.0), decibels(luma, peak)


def _similarity(prediction: Picture, reference: Picture, parameters: PsnrParameters) -> float:
    if not parameters.ssim:
        return math.nan
    ours, theirs = (restoration.inner(picture, parameters.border) for picture in (prediction, reference))
    return restoration.similarity(ours, theirs, parameters.peak or reference.peak, parameters.channel)


METRIC = Metric(
    id="psnr", version=2, input_kind="image", unit="dB", higher_is_better=True, value_range=(0.0, float("inf")), pooling="sample",
    parameters=PsnrParameters,
    columns={"decibels": Column("f8"), "perfect": Column("u1"), "luma": Column("f8"), "ssim": Column("f8"), "lpips": Column("f8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: rows.column("decibels"), companion_backbones=networks, sides=sides,
    remarks=remarks,
)
