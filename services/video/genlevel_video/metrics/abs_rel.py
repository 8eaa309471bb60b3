"""Absolute relative depth error of clips, after one scale and shift per video.

    s, t    = least squares of s * p + t = 1 / g over the valid pixels of all frames
    depth   = clip(1 / (s * p + t), 0.001, maximum_depth)
    abs_rel = mean over videos of the mean over frames of the mean over valid pixels of |depth - g| / g

Direction   lower is better
Range       [0, inf)
Unit        fraction
Pooling     sequence: the mean over videos
Sample      prediction and reference, depths of every frame of one clip, of one size; the first reference counts
State       rows (sum over frames of each error, frames, pairs of frames, scale, shift), keyed by sample
Undefined   no sample has a reference with a valid pixel: no_reference
Source      DepthCrafter (Hu et al., CVPR 2025), evaluation in depth; the errors after Eigen et al. 2014
Checked with  the definition with numpy.linalg.lstsq over all pixels at once, in the tests
Differs from  the public scorer aligns straight to depth with a limit of 80 m everywhere and pools pixels: `variant=upstream`. Predictions are not
            cut from below before they are aligned. An alignment that turns near and far round is refused.

A pixel is valid where 0.001 < g < maximum_depth. p is the predicted inverse depth; with `prediction_space=depth` it is one over the prediction. The
array that General-Bench calls `disparity` in its references holds metres; a reference whose median is below 0.2 m is refused unless `reference_space` is given.

Beside it: delta_1, the share of pixels within a factor of 1.25, rmse in metres and temporal_error, the mean difference in metres between the changes
of both sides from one frame to the next, each a mean over frames and videos; the median scale of the alignments.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_video.forms.depth_videos import DepthVideo
>>> truth = DepthVideo(np.array([[[1.0, 2.0, 4.0]]]))
>>> row = observe(Sample("1", DepthVideo(3 / truth.values - 1), (truth,)), DepthParameters())
>>> round(row["error"], 12), round(1 / row["scale"], 12)
(0.0, 3.0)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_video.forms.boxes import count_mismatch
from genlevel_video.forms.depth_videos import DepthVideo
from genlevel_video.measures.depth_alignment import Line, Values, fitted

MINIMUM = 0.001
LARGEST = 1e100
_UPSTREAM_MAXIMUM = 80.0
_NEAREST_MEDIAN = 0.2
"""Metres: a median below it is disparity, not the depth of any scene of General-Bench."""


@dataclass(frozen=True)
class DepthParameters(Parameters):
    """Parameters of the absolute relative error.

    Attributes:
        maximum_depth: metres; reference pixels must be nearer, predictions are moved down to it.
        prediction_space: whether predictions are inverse depths (up to a scale and a shift) or depths.
        reference_space: whether references are metres or one over metres; `checked` takes metres and refuses what cannot be.
        variant: `inverse` as above, or `upstream`.
    """

    maximum_depth: float = 80.0
    prediction_space: Literal["disparity", "depth"] = "disparity"
    reference_space: Literal["checked", "depth", "disparity"] = "checked"
    variant: Literal["inverse", "upstream"] = "inverse"

    def __post_init__(self) -> None:
        if not MINIMUM < self.maximum_depth < math.inf:
            raise ValueError(f"maximum_depth must be above {MINIMUM}")

    @property
    def limit(self) -> float:
        """The largest depth that counts."""
        return self.maximum_depth if self.variant == "inverse" else _UPSTREAM_MAXIMUM


def observe(sample: Sample, parameters: DepthParameters) -> Row:
    """Errors of one clip."""
    prediction: DepthVideo = sample.prediction
    reference: DepthVideo = sample.reference
    _check_reference(reference, parameters)
    _check(prediction, reference)
    line = fitted(_pairs(prediction, reference, parameters))
    if parameters.variant == "inverse" and line.scale < 0:
        raise SampleError(
            "NEGATIVE_SCALE", f"the best alignment has the scale {line.scale:.3g}: near and far are turned round",
            remedy="give inverse depths, larger where nearer, or prediction_space=depth", side="prediction",
        )  # fmt: skip
    return _errors(prediction, reference, line, parameters)


def _check(prediction: DepthVideo, reference: DepthVideo) -> None:
    if len(prediction) != len(reference):
        raise count_mismatch(len(prediction), len(reference))
    if prediction.size != reference.size:
        message = "the prediction has frames of {} x {} pixels, the reference {} x {}".format(*prediction.size, *reference.size)
        raise SampleError("SIZE_MISMATCH", message, remedy="resize the depths to the reference's size", side="prediction")


def _check_reference(reference: DepthVideo, parameters: DepthParameters) -> None:
    middles = [frame[valid] for frame, valid in _truths(reference, parameters) if valid.any()]
    if not middles:
        message = f"no pixel of the reference is between {MINIMUM:g} and {parameters.limit:g} m"
        raise SampleError("NO_VALID_PIXEL", message, remedy="check maximum_depth, and that the values are metres", side="reference")
    if parameters.reference_space == "checked" and (middle := float(np.median([np.median(part) for part in middles]))) < _NEAREST_MEDIAN:
        message = f"the reference has a median of {middle:.3g}, too near for metres"
        raise SampleError("NOT_METRES", message, remedy="say what it holds by reference_space=depth or disparity", side="reference")


def _truths(reference: DepthVideo, parameters: DepthParameters) -> Iterator[tuple[Values, NDArray[np.bool_]]]:
    """Depth and valid pixels of each frame."""
    for stored in reference.values:
        frame = stored.astype(np.float64)
        if parameters.reference_space == "disparity":
            frame = np.divide(1.0, frame, out=np.zeros_like(frame), where=frame > 0)
        yield frame, (frame > MINIMUM) & (frame < parameters.limit)


def _guess(stored: NDArray[Any], parameters: DepthParameters) -> Values:
    values = stored.astype(np.float64)
    if not np.isfinite(values).all():
        raise SampleError("NOT_FINITE", "the prediction holds NaN or infinity at valid pixels", remedy="give finite values", side="prediction")
    if len(values) and (largest := float(np.abs(values).max())) > LARGEST:
        message = f"the prediction holds values up to {largest:.3g}, whose squares overflow"
        raise SampleError("OUT_OF_RANGE", message, remedy=f"scale them below {LARGEST:g}; the scale is fitted anyway", side="prediction")
    if parameters.variant == "upstream":
        return np.maximum(values, MINIMUM)
    return 1.0 / np.maximum(values, MINIMUM) if parameters.prediction_space == "depth" else values


def _pairs(prediction: DepthVideo, reference: DepthVideo, parameters: DepthParameters) -> Iterator[tuple[Values, Values]]:
    """What is aligned with what, at the valid pixels of each frame."""
    for stored, (truth, valid) in zip(prediction.values, _truths(reference, parameters), strict=True):
        target = truth[valid]
        yield _guess(stored[valid], parameters), target if parameters.variant == "upstream" else 1.0 / target


def _depth(values: Values, line: Line, parameters: DepthParameters) -> Values:
    aligned = line(values)
    if parameters.variant == "inverse":
        aligned = 1.0 / np.maximum(aligned, 1.0 / parameters.limit)
    return np.clip(aligned, MINIMUM, parameters.limit)


def _errors(prediction: DepthVideo, reference: DepthVideo, line: Line, parameters: DepthParameters) -> Row:
    """Means over valid pixels, added up over frames."""
    sums: dict[str, list[float]] = {"error": [], "pixel_error": [], "close": [], "rmse": [], "change": []}
    pixels, before = 0, None
    for stored, (truth, valid) in zip(prediction.values, _truths(reference, parameters), strict=True):
        depth = np.full(truth.shape, np.nan)
        depth[valid] = _depth(_guess(stored[valid], parameters), line, parameters)
        off = depth - truth
        if before is not None and not np.isnan(steps := off - before).all():
            sums["change"].append(float(np.nanmean(np.abs(steps))))
        before = off
        if not valid.any():
            continue
        found, true = depth[valid], truth[valid]
        relative = np.abs(found - true) / true
        sums["error"].append(float(relative.mean()))
        sums["pixel_error"].append(float(relative.sum()))
        sums["close"].append(float((np.maximum(found / true, true / found) < 1.25).mean()))
        sums["rmse"].append(math.sqrt(float(np.square(found - true).mean())))
        pixels += len(true)
    return {
        **{name: math.fsum(values) for name, values in sums.items()}, "frames": len(sums["error"]), "steps": len(sums["change"]), "pixels": pixels,
        "scale": line.scale, "shift": line.shift,
    }  # fmt: skip


def samples(rows: Rows, parameters: DepthParameters) -> NDArray[np.float64]:
    """The error of each video."""
    if parameters.variant == "upstream":
        return np.asarray(rows.column("pixel_error") / rows.column("pixels"))
    return np.asarray(rows.column("error") / rows.column("frames"))


def score(rows: Rows, parameters: DepthParameters) -> Score:
    """Mean over videos."""
    frames, steps = rows.column("frames"), rows.column("steps")
    companions = {
        "delta_1": math.fsum(rows.column("close") / frames) / len(rows), "rmse": math.fsum(rows.column("rmse") / frames) / len(rows),
        "median_scale": float(np.median(rows.column("scale"))), "frames": float(frames.sum()), "valid_pixels": float(rows.column("pixels").sum()),
    }  # fmt: skip
    moving = steps > 0
    if moving.any():
        companions["temporal_error"] = math.fsum(rows.column("change")[moving] / steps[moving]) / int(moving.sum())
    return Score(math.fsum(samples(rows, parameters)) / len(rows), companions=companions)


def interval(rows: Rows, parameters: DepthParameters) -> Interval | None:
    """Bootstrap over videos."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


METRIC = Metric(
    id="abs_rel", version=1, input_kind="depth_video", unit="fraction", higher_is_better=False, value_range=(0.0, math.inf), pooling="sequence",
    parameters=DepthParameters,
    columns={
        **{name: Column("f8") for name in ("error", "pixel_error", "close", "rmse", "change", "scale", "shift")},
        **{name: Column("i8") for name in ("frames", "steps", "pixels")},
    },
    observe=observe, score=score, interval=interval, samples=samples,
)
