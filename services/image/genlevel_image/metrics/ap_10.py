"""Visual grounding accuracy: share of expressions whose one box has an IoU of at least 0.50 with the reference.

    ap_10 = 100 * mean of [area(prediction and reference) / area(prediction or reference) >= 0.50]

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sample
    Sample      prediction and reference, one box each; of several predicted boxes the best scored, without scores the first
    State       a row of the IoU of each expression, keyed by sample
    Undefined   no expression: no_reference
    Source      accuracy at 0.5 of referring expression comprehension (Yu et al. 2016, arXiv 1608.00272)
    Checked with  torchvision 0.26.0, ops.box_iou
    Differs from  the label AP10: read as a threshold of 0.10 (`iou=0.1`, with the warning loose_threshold) nearly every box passes. The SoTA
                values are those of accuracy at 0.50.

Several references are alternatives; the best counts. Beside it stand the mean IoU and the share at other thresholds.

    >>> import numpy as np
    >>> round(float(iou_of(np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[0.0, 0.0, 10.0, 20.0]]))[0]), 3)
    0.5
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
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion
from genlevel_image.detection.box_overlap import box_format, corners_of, intersections, outside_picture

_BESIDE = {"accuracy_10": 0.1, "accuracy_25": 0.25, "accuracy_50": 0.5, "accuracy_75": 0.75}


@dataclass(frozen=True)
class GroundingParameters(Parameters):
    """Parameters of visual grounding accuracy.

    Attributes:
        iou: smallest intersection over union of a hit; equality hits.
        bbox_format: corners, or corner and size.
        coordinates: pixels, shares of the picture's size, or thousandths of it.
    """

    iou: float = 0.5
    bbox_format: Literal["xyxy", "xywh"] = "xyxy"
    coordinates: Literal["pixels", "unit", "per_mille"] = "pixels"

    def __post_init__(self) -> None:
        if not 0 < self.iou <= 1:
            raise ValueError("iou must be above 0 and at most 1")


def observe(sample: Sample, parameters: GroundingParameters) -> Row:
    """The IoU of the answer with the best reference."""
    form = box_format(sample.attributes, parameters.bbox_format)
    truths = []
    for reference in sample.references:  # first: a fault on both sides is the reference's
        corners = corners_of(reference.coordinates, form, parameters.coordinates, reference.image_size, "reference", "")
        if (corners[:, 2:] == corners[:, :2]).any():
            message = "the box of the reference has no area, so nothing overlaps it"
            raise SampleError("NO_AREA", message, remedy=f"give {form}, or set bbox_format", side="reference")
        truths.append(corners)
    given = sample.prediction
    ours = corners_of(given.coordinates, form, parameters.coordinates, given.image_size, "prediction", "")
    return {"iou": max((float(iou_of(ours, truth)[0]) for truth in truths), default=0.0) if len(ours) else 0.0, "answered": len(ours)}


def missing(sample: Sample, parameters: GroundingParameters) -> Row:
    """No answer overlaps nothing."""
    del sample, parameters
    return {"iou": 0.0, "answered": 0}


def iou_of(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of pairs of boxes, as corners; 0 where neither has an area."""
    inter = intersections(ours, theirs)
    areas = [np.prod(side[:, 2:] - side[:, :2], axis=1) for side in (ours, theirs)]
    return np.asarray(np.divide(inter, areas[0] + areas[1] - inter, out=np.zeros_like(inter), where=inter > 0))


def score(rows: Rows, parameters: GroundingParameters) -> Score:
    """Share of hits."""
    overlap = rows.column("iou")
    companions = {name: 100.0 * float(np.mean(overlap >= threshold)) for name, threshold in _BESIDE.items()}
    companions |= {"mean_iou": 100.0 * math.fsum(overlap) / len(overlap), "unanswered": 100.0 * float(np.mean(rows.column("answered") == 0))}
    value = 100.0 * float(np.mean(overlap >= parameters.iou))
    return Score(value, companions=companions, warnings=("loose_threshold",) if parameters.iou < 0.5 else ())


def interval(rows: Rows, parameters: GroundingParameters) -> Interval | None:
    """Interval of a proportion."""
    return proportion(rows.keys, (rows.column("iou") >= parameters.iou).astype(np.float64))


def samples(rows: Rows, parameters: GroundingParameters) -> NDArray[np.float64]:
    """100 for a hit, else 0."""
    return np.where(rows.column("iou") >= parameters.iou, 100.0, 0.0)


def remarks(sample: Sample, row: Row, parameters: GroundingParameters) -> list[SampleError]:
    """Answers outside the picture."""
    del row
    return outside_picture(sample, parameters, "")


METRIC = Metric(
    id="ap_10", version=1, input_kind="grounding", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=GroundingParameters, columns={"iou": Column("f8"), "answered": Column("u1")},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples, remarks=remarks,
)
