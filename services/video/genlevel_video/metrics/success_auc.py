"""Success AUC: how often a tracker's box overlaps the object's, over all thresholds of overlap.

    success(t)  = share of the frames of a sequence whose IoU is greater than t
    success_auc = 100 * mean over sequences of the mean of success(t) over t = 0, 0.05, ..., 1

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sequence: the mean over sequences
    Sample      prediction and reference, a box for every frame of one clip; the first reference counts
    State       counters of frames above 21 overlaps, within 51 distances and 51 relative ones, of each sequence, keyed by sample
    Undefined   no sample has a reference that shows its object: no_reference
    Source      Wu, Lim and Yang, OTB, TPAMI 2015; absent frames as in LaSOT (Fan et al. 2019); AO and SR as in GOT-10k (Huang et al. 2021)
    Checked with  got10k 0.1.3, ExperimentOTB
    Differs from  the comparison is strict, so that a perfect tracker has 95.24 and not 100: `max_attainable` says what can be had. Toolkits that
                drop boxes at x = 0 or y = 0 as not valid are not followed. Sequences of another length are refused, never cut.

A frame in which the object is away (null, no area, or marked `absent`) is a failure of every tracker under `absent=failure` and is left out under
`absent=drop`. A predicted box without area, or none, repeats the one before. The first frame is the reference's own box, which trackers are given.

Beside it: precision (centres within 20 px, width counted as w - 1), normalised_precision (within 0.2 of the object's width and height) and its mean over
0, 0.01, ..., 0.5; average_overlap, success_rate_50 and success_rate_75 over all frames but the first in which the object is there.

    >>> from genlevel_evaluator.metric import Sample
    >>> from genlevel_video.forms.tracks import Track
    >>> still = Track(np.array([[0.0, 0.0, 10.0, 10.0]] * 2))
    >>> row = observe(Sample("1", still, (still,)), SuccessParameters())
    >>> round(float(100 * sum(row["overlaps"]) / 21 / row["frames"]), 2)
    95.24
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_video.forms.boxes import Boxes, box_format, corners, count_mismatch
from genlevel_video.forms.tracks import Track, absent_frames
from genlevel_video.measures.overlap import overlaps

OVERLAPS = np.arange(21) / 20
DISTANCES = np.arange(51, dtype=np.float64)
RELATIVE = np.arange(51) / 100
_PIXELS, _SHARE = 20, 20
"""Places of 20 px and of 0.2 among the thresholds."""


@dataclass(frozen=True)
class SuccessParameters(Parameters):
    """Parameters of the success AUC.

    Attributes:
        absent: whether frames without the object are a `failure` of the tracker (LaSOT) or left out (`drop`).
        first_frame: `truth` puts the reference's box in the first frame, as it starts the tracker; `given` takes the tracker's own.
        bbox_format: corner and size, as trackers write, or corners.
    """

    absent: Literal["failure", "drop"] = "failure"
    first_frame: Literal["truth", "given"] = "truth"
    bbox_format: Literal["xywh", "xyxy"] = "xywh"


def observe(sample: Sample, parameters: SuccessParameters) -> Row:
    """Counts of one sequence."""
    truth, there = _truth(sample, parameters)
    prediction: Track = sample.prediction
    if len(prediction) != len(truth):
        raise count_mismatch(len(prediction), len(truth))
    guess = _sized(prediction.boxes, box_format(sample.attributes, parameters.bbox_format))
    if parameters.first_frame == "truth" and there[0]:
        guess = np.concatenate([truth[:1], guess[1:]])
    guess = _repeated(guess)
    own = np.where(there, overlaps(corners(guess, "xywh"), corners(truth, "xywh")), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        across, down = ((guess[:, axis] - truth[:, axis]) + (guess[:, axis + 2] - truth[:, axis + 2]) / 2 for axis in (0, 1))
        distance = np.sqrt(across * across + down * down)
        relative = np.sqrt((across / truth[:, 2]) ** 2 + (down / truth[:, 3]) ** 2)
    distance[~there] = relative[~there] = np.inf
    later = own[1:][there[1:]]
    return {
        "frames": _counted(there, parameters), "present": int(there.sum()),
        "overlaps": len(own) - _below(own, OVERLAPS), "distances": _below(distance, DISTANCES), "relative": _below(relative, RELATIVE),
        "later": len(later), "overlap": float(later.sum()), "above_50": int((later > 0.5).sum()), "above_75": int((later > 0.75).sum()),
    }  # fmt: skip


def missing(sample: Sample, parameters: SuccessParameters) -> Row:
    """No frame is tracked."""
    _, there = _truth(sample, parameters)
    nothing = np.zeros(len(RELATIVE), np.int64)
    return {
        "frames": _counted(there, parameters), "present": int(there.sum()), "overlaps": nothing[: len(OVERLAPS)], "distances": nothing, "relative": nothing,
        "later": int(there[1:].sum()), "overlap": 0.0, "above_50": 0, "above_75": 0,
    }  # fmt: skip


def _truth(sample: Sample, parameters: SuccessParameters) -> tuple[Boxes, NDArray[np.bool_]]:
    reference: Track = sample.reference
    boxes = _sized(reference.boxes, box_format(sample.attributes, parameters.bbox_format))
    there = ~absent_frames(Track(boxes), sample.attributes)
    if not there.any():
        message = "the reference shows its object in no frame"
        raise SampleError("NO_OBJECT", message, remedy="check bbox_format, or leave the sample out", side="reference")
    return boxes, there


def _sized(boxes: Boxes, form: str) -> Boxes:
    """Corner and size."""
    return boxes if form == "xywh" else np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def _repeated(boxes: Boxes) -> Boxes:
    """Boxes without area, and those that are not there, give way to the last one before them."""
    with np.errstate(invalid="ignore"):
        whole = (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    if whole.all():
        return boxes
    last = np.maximum.accumulate(np.where(whole, np.arange(len(boxes)), -1))
    return np.where(last[:, None] < 0, np.nan, boxes[last])


def _counted(there: NDArray[np.bool_], parameters: SuccessParameters) -> int:
    return len(there) if parameters.absent == "failure" else int(there.sum())


def _below(values: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values are no greater than each threshold; infinity and NaN are greater."""
    places = np.searchsorted(thresholds, values, side="left")
    return np.asarray(np.bincount(places, minlength=len(thresholds) + 1)[:-1].cumsum())


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """The AUC of each sequence."""
    return np.asarray(100.0 * rows.column("overlaps").sum(axis=1) / (len(OVERLAPS) * rows.column("frames")))


def score(rows: Rows, parameters: SuccessParameters) -> Score:
    """Mean over sequences."""
    frames = rows.column("frames")
    shown = 100.0 * (len(OVERLAPS) - 1) / len(OVERLAPS) * (rows.column("present") / frames)
    companions = {
        "max_attainable": _mean(shown), "precision": _mean(100.0 * rows.column("distances")[:, _PIXELS] / frames),
        "normalised_precision": _mean(100.0 * rows.column("relative")[:, _SHARE] / frames),
        "normalised_precision_auc": _mean(100.0 * rows.column("relative").sum(axis=1) / (len(RELATIVE) * frames)),
        "success_50": _mean(100.0 * rows.column("overlaps")[:, 10] / frames), "frames": float(frames.sum()), "sequences": float(len(rows)),
        "absent_frames": float((frames - rows.column("present")).sum()),
    }  # fmt: skip
    if later := int(rows.column("later").sum()):
        companions["average_overlap"] = 100.0 * math.fsum(rows.column("overlap")) / later
        companions |= {f"success_rate_{t}": 100.0 * int(rows.column(f"above_{t}").sum()) / later for t in (50, 75)}
    return Score(_mean(samples(rows, parameters)), companions=companions)


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    return math.fsum(values) / len(values)


def interval(rows: Rows, parameters: SuccessParameters) -> Interval | None:
    """Bootstrap over sequences."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


METRIC = Metric(
    id="success_auc", version=1, input_kind="tracking_boxes", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence",
    parameters=SuccessParameters,
    columns={
        "frames": Column("i8"), "present": Column("i8"), "overlaps": Column("i8", (21,)), "distances": Column("i8", (51,)), "relative": Column("i8", (51,)),
        "later": Column("i8"), "overlap": Column("f8"), "above_50": Column("i8"), "above_75": Column("i8"),
    },
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)  # fmt: skip
