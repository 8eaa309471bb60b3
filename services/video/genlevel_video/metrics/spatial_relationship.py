"""Spatial relationship success: how well the best pair of boxes in a frame keeps the asked relation.

    spatial_relationship = mean over frames of 100 x the best score of a pair,  over the 16 middle frames of all clips

A pair is a detection of the first thing and one of the second. It keeps "left of" when the centre of the first box is left of the other's
and further away across than down; likewise right, top and bottom. A pair that keeps it scores 1 when the IoU of its boxes is below 0.1,
else 0.1 / IoU; every other pair 0.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     corpus: the mean over the frames of all clips; a missing clip is as many frames of 0
Sample      prediction: a clip, or its detections with boxes; reference: a text such as "a dog on the left of a cat", or
            {"object_a", "object_b", "relationship"}; the attribute `objects` may name the two
State       rows keyed by sample: sum of scores under the rule, sum under the public rule, frames
Undefined   no sample has a usable target: no_reference
Companions  public_rule: the value under rule=public; clips_any_frame: percent of clips with a score above 0 in any frame; frames
Source      Huang et al. 2024 (VBench), arXiv 2311.17982, dimension spatial relationship
Checked with  VBench's rule written out again in the test
Differs from  VBench takes any two boxes that carry either name and asks for the axis only, so a dog on the right of a cat, or two dogs,
            pass as "a dog on the left of a cat": `rule=public`. The SoTA was measured with that rule and with GRiT, so all else is
            not_comparable. "on top of", "above", "below" and their like are understood; targets without a side are left out.

>>> one, other = (0.0, 0.0, 10.0, 10.0), (40.0, 5.0, 50.0, 15.0)
>>> [kept(one, other, side) for side in ("left", "right", "top", "bottom")]
[1.0, 0.0, 0.0, 0.0]
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_video.objects import detectors, targets
from genlevel_video.objects.detectors import NOT_COMPARABLE, DetectorParameters, named
from genlevel_video.objects.forms import Box, Detection

FREE = 0.1
"""IoU below which two boxes do not disturb each other."""
MOST_PAIRED = 256
"""Surest boxes of a name that are held against the others in a frame."""


@dataclass(frozen=True)
class SpatialParameters(DetectorParameters):
    """Parameters of spatial relationship success.

    Attributes:
        bbox_format: with supplied detections, corners or corner and size.
    """

    bbox_format: Literal["xyxy", "xywh"] = "xyxy"


def kept(one: Box, other: Box, side: str) -> float:
    """Score of a pair. `across` and `down` ask for the axis alone."""
    across, down = _offset(one, other)
    holds = {
        "left": -across > abs(down), "right": across > abs(down), "top": -down > abs(across), "bottom": down > abs(across),
        "across": abs(across) > abs(down), "down": abs(down) > abs(across),
    }[side]  # fmt: skip
    if not holds:
        return 0.0
    share = iou(one, other)
    return 1.0 if share < FREE else FREE / share


def _offset(one: Box, other: Box) -> tuple[float, float]:
    """How far the centre of `one` is to the right of and below that of `other`."""
    return (one[0] + one[2]) / 2 - (other[0] + other[2]) / 2, (one[1] + one[3]) / 2 - (other[1] + other[3]) / 2


def iou(one: Box, other: Box) -> float:
    """Intersection over union; 0 where both are empty."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    inside = max(0.0, width) * max(0.0, height)
    union = _area(one) + _area(other) - inside
    return inside / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def observe(sample: Sample, parameters: SpatialParameters) -> Row:
    """The frames of one clip."""
    pair = targets.related(sample.reference, parameters.rule)
    frames = detectors.seen(sample, parameters)
    public = [_public(frame, pair, parameters) for frame in frames]
    scores = public if parameters.rule == "public" else [_strict(frame, pair, parameters) for frame in frames]
    return {"score": math.fsum(scores), "public": math.fsum(public), "frames": len(frames)}


def _strict(frame: Sequence[Detection], pair: targets.Pair, parameters: SpatialParameters) -> float:
    first, second = (_boxes(frame, (name,), parameters) for name in (pair.one, pair.other))
    # Detections of one name are told apart by their place, so two equal boxes are two things.
    return _best(kept(a, b, pair.side) for i, a in enumerate(first) for j, b in enumerate(second) if pair.one != pair.other or i != j)


def _public(frame: Sequence[Detection], pair: targets.Pair, parameters: SpatialParameters) -> float:
    boxes = _boxes(frame, (pair.one, pair.other), parameters)
    axis = "across" if pair.side in ("left", "right") else "down"
    return _best(kept(a, b, axis) for a, b in itertools.combinations(boxes, 2))


def _best(scores: Iterable[float]) -> float:
    """The largest; 1 is not surpassed, so nothing is looked at after it."""
    best = 0.0
    for one in scores:
        best = max(best, one)
        if best == 1.0:
            break
    return best


def _boxes(frame: Sequence[Detection], names: Sequence[str], parameters: SpatialParameters) -> list[Box]:
    chosen = [one for one in frame if named(one.label, parameters.rule) in names]
    chosen.sort(key=lambda one: (-one.score, one.box or ()))
    return [_corners(one, parameters.bbox_format) for one in chosen[:MOST_PAIRED]]


def _corners(one: Detection, form: str) -> Box:
    if one.box is None:
        raise SampleError("NO_BOX", f"a detection of {one.label!r} has no box", remedy="give the box of every detection", side="prediction")
    left, top, right, bottom = one.box
    if form == "xywh":
        right, bottom = left + right, top + bottom
    if right < left or bottom < top:
        raise SampleError("BAD_BOX", f"a box of {one.label!r} has a negative size", remedy="give [x1, y1, x2, y2], or set bbox_format=xywh", side="prediction")
    return (left, top, right, bottom)


def missing(sample: Sample, parameters: SpatialParameters) -> Row:
    """A missing clip shows nothing."""
    targets.related(sample.reference, parameters.rule)
    return {"score": 0.0, "public": 0.0, "frames": parameters.expected_frames}


def score(rows: Rows, parameters: SpatialParameters) -> Score:
    """Mean over all frames."""
    frames = int(rows.column("frames").sum())
    return Score(
        100.0 * math.fsum(rows.column("score")) / frames,
        companions={
            "public_rule": 100.0 * math.fsum(rows.column("public")) / frames,
            "clips_any_frame": 100.0 * np.count_nonzero(rows.column("score")) / len(rows),
            "frames": float(frames),
        },
        warnings=() if parameters.comparable and parameters.rule == "public" else (NOT_COMPARABLE,),
    )


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """The mean over the frames of each clip."""
    return np.asarray(100.0 * rows.column("score") / rows.column("frames"))


def interval(rows: Rows, parameters: SpatialParameters) -> Interval | None:
    """Bootstrap over clips."""
    del parameters
    return bootstrap(rows.keys, np.column_stack([rows.column("score"), rows.column("frames")]), lambda totals: 100.0 * totals[:, 0] / totals[:, 1])


def _names(given: targets.Given) -> tuple[str, str]:
    pair = targets.related(given, "strict")
    return pair.one, pair.other


METRIC = Metric(
    id="spatial_relationship", version=1, input_kind="frame_detections", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=SpatialParameters, columns={"score": Column("f8"), "public": Column("f8"), "frames": Column("i8")}, observe=observe, score=score,
    missing=missing, interval=interval, samples=samples, settle=detectors.settled, backbones=detectors.backbones(detectors.PLAIN), sides=detectors.looking_for(_names),
)
