"""PSNR of clips: peak signal-to-noise ratio frame by frame.

    psnr = mean over all frames of all videos of 10 log10(255² / MSE)

    Direction   higher is better
    Range       [0, inf]
    Unit        dB
    Pooling     corpus: the mean over all frames; a frame of a missing clip is 0 dB
    Sample      prediction and reference, clips of as many frames, of one size; the first reference counts
    State       rows (sum of decibels, sums of SSIM, frames, perfect frames) of each clip, keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      the usual definition (ITU-T J.340) on 8-bit RGB frames
    Checked with  skimage.metrics.peak_signal_noise_ratio and structural_similarity 0.26
    Differs from  a perfect frame counts as 100 dB, where the public scorer leaves it out; the value is infinite only where all
                frames are perfect. Clips of other lengths or sizes are refused, never cut or resized.

Beside it: ssim, of windows wholly inside, mean over channels and frames (clips with a side below 11 pixels are left out, a missing clip is -1 there);
mean_over_videos, in which every clip weighs the same; perfect_frames.

    >>> from genlevel_evaluator.statistics.psnr import decibels
    >>> round(decibels(65025 / 100, 255.0), 6)
    20.0
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.pixels.structural_similarity import ssim
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_evaluator.statistics.psnr import decibels, mean_decibels
from genlevel_video.clips import Clip
from genlevel_video.frame_limits import Frame
from genlevel_video.sampling import Sampling

_ALL = Sampling("all")
_PEAK = 255.0


@dataclass(frozen=True)
class PsnrParameters(Parameters):
    """Parameters of PSNR.

    Attributes:
        ssim: whether SSIM stands beside the value; it costs more than all else.
    """

    ssim: bool = True


def observe(sample: Sample, parameters: PsnrParameters) -> Row:
    """Sums over the frames of one pair of clips, which are decoded side by side."""
    values: list[float] = []
    alike: list[float] = []
    perfect = 0
    for ours, theirs in _pairs(sample.prediction, sample.reference):
        error = _squared_error(ours, theirs)
        perfect += error == 0
        values.append(decibels(error, _PEAK))
        if parameters.ssim:
            alike.append(_similarity(ours, theirs, error))
    return {
        "decibels": math.fsum(values), "ssim": math.fsum(alike) if parameters.ssim else math.nan, "frames": len(values), "perfect": perfect,
    }  # fmt: skip


def missing(sample: Sample, parameters: PsnrParameters) -> Row:
    """No picture is no signal: 0 dB for every frame of the reference, and as unlike as can be."""
    frames = sample.reference.info().frames
    return {"decibels": 0.0, "ssim": -float(frames) if parameters.ssim else math.nan, "frames": frames, "perfect": 0}


def _pairs(prediction: Clip, reference: Clip) -> Iterator[tuple[Frame, Frame]]:
    counts = _count(prediction, "prediction"), _count(reference, "reference")
    if counts[0] != counts[1]:
        raise _other_length(*counts)
    for place, (ours, theirs) in enumerate(zip_longest(_frames(prediction, "prediction"), _frames(reference, "reference"))):
        if ours is None or theirs is None:
            raise _other_length(*((place, counts[1]) if ours is None else (counts[0], place)))
        if ours.shape != theirs.shape:
            sizes = ours.shape[1], ours.shape[0], theirs.shape[1], theirs.shape[0]
            message = "frame {} of the prediction is {} x {} pixels, of the reference {} x {}".format(place, *sizes)
            raise SampleError("SIZE_MISMATCH", message, remedy="give the clip in the size of its reference", side="prediction")
        yield ours, theirs


def _count(clip: Clip, side: str) -> int:
    try:
        return clip.info().frames
    except SampleError as error:
        error.side = side
        raise


def _frames(clip: Clip, side: str) -> Iterator[Frame]:
    """The frames; what is wrong with them is that side's."""
    try:
        yield from clip.pick(_ALL)
    except SampleError as error:
        error.side = side
        raise


def _other_length(ours: int, theirs: int) -> SampleError:
    message = f"the prediction has {ours} frames, the reference {theirs}"
    return SampleError("FRAME_COUNT_MISMATCH", message, remedy="give as many frames as the reference has, none twice", side="prediction")


def _squared_error(ours: Frame, theirs: Frame) -> float:
    """Mean squared error; the sum is of whole numbers and exact."""
    import cv2

    return float(cv2.norm(ours, theirs, cv2.NORM_L2SQR)) / ours.size


def _similarity(ours: Frame, theirs: Frame, error: float) -> float:
    if not error and min(ours.shape[:2]) >= 11:
        return 1.0
    value = ssim(ours, theirs, _PEAK)
    return math.nan if value is None else value


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """Mean over the frames of each clip."""
    return np.asarray(rows.column("decibels") / rows.column("frames"))


def score(rows: Rows, parameters: PsnrParameters) -> Score:
    """Mean over frames."""
    frames, perfect = rows.column("frames"), rows.column("perfect")
    companions = {
        "perfect_frames": float(perfect.sum()), "frames": float(frames.sum()), "worst": float(samples(rows, parameters).min()),
        "mean_over_videos": math.fsum(samples(rows, parameters)) / len(rows),
    }  # fmt: skip
    known = ~np.isnan(rows.column("ssim"))
    if known.any():
        companions["ssim"] = math.fsum(rows.column("ssim")[known]) / int(frames[known].sum())
    return Score(mean_decibels(rows.column("decibels"), frames.tolist(), perfect.tolist()), companions=companions)


def interval(rows: Rows, parameters: PsnrParameters) -> Interval | None:
    """Bootstrap over clips; none where the value is infinite."""
    del parameters
    frames = rows.column("frames")
    if int(rows.column("perfect").sum()) == int(frames.sum()):
        return None
    return bootstrap(rows.keys, np.column_stack([rows.column("decibels"), frames]), lambda totals: totals[:, 0] / totals[:, 1])


METRIC = Metric(
    id="psnr", version=1, input_kind="video", unit="dB", higher_is_better=True, value_range=(0.0, math.inf), pooling="corpus",
    parameters=PsnrParameters, columns={"decibels": Column("f8"), "ssim": Column("f8"), "frames": Column("i8"), "perfect": Column("i8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)
