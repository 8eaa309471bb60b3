"""Mean tube IoU: how well a tube of boxes follows the true one in space and time.

    vIoU   = sum over frames with both boxes of their IoU / frames with either
    m_viou = 100 * mean over videos of vIoU

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sequence: the mean over videos
    Sample      prediction and reference, tubes of one clip; the first reference counts
    State       rows (sum of IoU, frames with both, frames with either, frames with each), keyed by sample
    Undefined   no sample has a reference, or none has a box on either side: no_reference
    Source      Zhang et al., Where Does It Exist (VidSTG), CVPR 2020
    Checked with  the definition written out frame by frame in the tests
    Differs from  boxes have no extra pixel; one without area has IoU 0 where the public scorer has NaN. A tube that leaves the video is refused.

Four zeros, and null, are no box. Beside it: viou_30 and viou_50, the share of videos whose vIoU is above 0.3 and 0.5; temporal_iou, frames with both
over frames with either; mean_iou_inside, the IoU over the frames in which both have a box.

    >>> from genlevel_evaluator.metric import Sample
    >>> from genlevel_video.forms.tubes import Tube
    >>> truth = Tube(np.array([[0.0, 0.0, 10.0, 10.0]] * 2), 0, False)
    >>> guess = Tube(np.array([[0.0, 0.0, 10.0, 5.0]] * 2), 1, False)
    >>> row = observe(Sample("1", guess, (truth,)), TubeParameters())
    >>> row["overlap"] / row["either"]
    0.16666666666666666
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_video.forms.boxes import MAX_FRAMES, box_format, corners, count_mismatch
from genlevel_video.forms.tubes import Tube
from genlevel_video.measures.overlap import overlaps


@dataclass(frozen=True)
class TubeParameters(Parameters):
    """Parameters of the mean tube IoU.

    Attributes:
        bbox_format: corners, or corner and size.
    """

    bbox_format: Literal["xyxy", "xywh"] = "xyxy"


def observe(sample: Sample, parameters: TubeParameters) -> Row:
    """Overlap of one pair of tubes."""
    prediction, reference = sample.prediction, sample.reference
    frames = _frames(sample)
    _inside(reference, frames, "reference")
    if prediction.whole and reference.whole and len(prediction.boxes) != len(reference.boxes):
        raise count_mismatch(len(prediction.boxes), len(reference.boxes))
    _inside(prediction, frames, "prediction")
    length = max(prediction.end, reference.end, 1)
    form = box_format(sample.attributes, parameters.bbox_format)
    ours, theirs = (corners(tube.over(length), form) for tube in (prediction, reference))
    found, true = ~np.isnan(ours[:, 0]), ~np.isnan(theirs[:, 0])
    both = found & true
    return {
        "overlap": math.fsum(overlaps(ours[both], theirs[both])), "both": int(both.sum()), "either": int((found | true).sum()),
        "predicted": int(found.sum()), "true": int(true.sum()),
    }  # fmt: skip


def missing(sample: Sample, parameters: TubeParameters) -> Row:
    """No frame is found."""
    reference: Tube = sample.reference
    _inside(reference, _frames(sample), "reference")
    true = int(reference.filled.sum())
    return {"overlap": 0.0, "both": 0, "either": true, "predicted": 0, "true": true}


def _frames(sample: Sample) -> int:
    """Frames of the clip: as the sample says, else as many as the reference lists."""
    given = sample.attributes.get("frame_count")
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int | float) or given != int(given) or not 1 <= given <= MAX_FRAMES:
            message = f"frame_count is {given!r:.40}, not a number of frames"
            raise SampleError("BAD_ATTRIBUTE", message, remedy="give the frames of the clip", side="reference", pointer="/frame_count")
        return int(given)
    return len(sample.reference.boxes) if sample.reference.whole else MAX_FRAMES


def _inside(tube: Tube, frames: int, side: str) -> None:
    if tube.whole and len(tube.boxes) != frames < MAX_FRAMES:
        message = f"the {side} lists {len(tube.boxes)} frames, the clip has {frames}"
        raise SampleError("FRAME_COUNT_MISMATCH", message, remedy="give one entry for every frame of the clip", side=side)
    if tube.end > frames:
        message = f"the tube of the {side} ends at frame {tube.end - 1}, the last of the clip is {frames - 1}"
        raise SampleError("TUBE_OUTSIDE_VIDEO", message, remedy="number the frames of the clip from 0", side=side)


def remarks(sample: Sample, row: Row, parameters: TubeParameters) -> list[SampleError]:
    """Boxes that can overlap nothing."""
    found = []
    form = box_format(sample.attributes, parameters.bbox_format)
    sides: Mapping[str, Any] = {"prediction": sample.prediction, "reference": sample.reference}
    for side, tube in sides.items():
        if tube is None:
            continue
        boxes = corners(tube.boxes[tube.filled], form)
        flat = int((boxes[:, 2:] <= boxes[:, :2]).any(axis=1).sum())
        if flat:
            message = f"{side}: {flat} of {len(boxes)} boxes have no area, or end before they begin; their IoU is 0"
            found.append(SampleError("BOX_WITHOUT_AREA", message, remedy="check bbox_format", side=side))
    return found


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """vIoU of each video; NaN where neither side has a box."""
    either = rows.column("either")
    return np.asarray(np.divide(100.0 * rows.column("overlap"), either, out=np.full(len(rows), np.nan), where=either > 0))


def score(rows: Rows, parameters: TubeParameters) -> Score:
    """Mean over videos."""
    values = samples(rows, parameters)
    known = ~np.isnan(values)
    if not known.any():
        return Score(None, "no_reference")
    values, number = values[known], int(known.sum())
    both, either = rows.column("both")[known], rows.column("either")[known]
    companions = {
        "viou_30": 100.0 * int((values > 30.0).sum()) / number, "viou_50": 100.0 * int((values > 50.0).sum()) / number,
        "temporal_iou": 100.0 * math.fsum(both / either) / number, "frames": float(either.sum()), "videos": float(number),
    }  # fmt: skip
    if both.sum():
        companions["mean_iou_inside"] = 100.0 * math.fsum(rows.column("overlap")) / int(both.sum())
    return Score(math.fsum(values) / number, companions=companions, warnings=("video_without_box",) if number < len(rows) else ())


def interval(rows: Rows, parameters: TubeParameters) -> Interval | None:
    """Bootstrap over videos."""
    values = samples(rows, parameters)
    known = np.flatnonzero(~np.isnan(values))
    keys = list(rows.keys)
    return bootstrap_mean([keys[place] for place in known], values[known])


METRIC = Metric(
    id="m_viou", version=1, input_kind="tubes", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence",
    parameters=TubeParameters,
    columns={"overlap": Column("f8"), "both": Column("i8"), "either": Column("i8"), "predicted": Column("i8"), "true": Column("i8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples, remarks=remarks,
)
