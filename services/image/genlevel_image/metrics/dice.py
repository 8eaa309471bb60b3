"""Dice overlap of boxes: of the area that the boxes of a picture paint, by class.

    dice(class) = 2 * area(A and B) / (area(A) + area(B)), A and B the unions of the boxes of a class on either side
    dice        = 100 * mean over pictures of the mean of dice(class) over the classes of either side

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sample: the mean over pictures; a missing answer is 0
    Sample      prediction and reference, lists of boxes; the first reference counts. A picture without a box on both sides is 100
    State       a row of (dice, shared, both areas, Hausdorff distance, classes with and without one) of each picture, keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      Dice 1945; boxes painted as masks where a detection task is scored by it
    Checked with  monai.metrics.DiceMetric and HausdorffDistanceMetric 1.6.1
    Differs from  the ratio of sums over pictures (beside it as corpus_dice), and MONAI's default, which leaves classes out that a reference has none of.
                Areas are exact, so boxes need no whole pixels. Scores are not read: every box of an answer paints.

Beside it: hausdorff_95, the larger 95th percentile of distances between the outlines of the painted pixels, in pixels, the mean over the classes of a picture,
then over pictures. A class that only one side has, or that paints no pixel, has no distance: hausdorff_95_undefined is their share in percent.

    >>> round(2 * 50 / (100 + 50), 4)  # a box, and its left half
    0.6667
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
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_image.detection.box_overlap import box_format, corners_of, outside_picture
from genlevel_image.media import Boxes
from genlevel_image.pixels.painted import painted_areas
from genlevel_image.pixels.surface_distance import hausdorff_95

MAX_PAINTED = 2000
"""Boxes of one class and picture, both sides together: the plane has as many cells as the square of twice that."""


@dataclass(frozen=True)
class DiceParameters(Parameters):
    """Parameters of Dice.

    Attributes:
        bbox_format: corners, or corner and size.
        coordinates: pixels, shares of the picture's size, or thousandths of it.
        by_class: compare class by class; else all boxes as one class.
    """

    bbox_format: Literal["xyxy", "xywh"] = "xyxy"
    coordinates: Literal["pixels", "unit", "per_mille"] = "pixels"
    by_class: bool = True


def observe(sample: Sample, parameters: DiceParameters) -> Row:
    """The mean Dice of the classes of a picture."""
    true_labels, truth = _read(sample.reference, sample, parameters, "reference")
    labels, guess = _read(sample.prediction, sample, parameters, "prediction")
    values, areas, distances = [], [(0.0, 0.0, 0.0)], []
    for label in np.union1d(labels, true_labels):
        ours, theirs = guess[labels == label], truth[true_labels == label]
        if len(ours) + len(theirs) > MAX_PAINTED:
            message = f"{len(ours)} and {len(theirs)} boxes of one class"
            raise SampleError("TOO_MANY_BOXES", message, remedy=f"stay below {MAX_PAINTED}", side="prediction" if len(ours) > len(theirs) else "reference")
        areas.append(painted_areas(ours, theirs))
        first, second, shared = areas[-1]
        distances.append(hausdorff_95(ours, theirs))
        values.append(2 * shared / (first + second) if first + second else 1.0)
    first, second, shared = (math.fsum(column) for column in zip(*areas, strict=True))
    return {"dice": math.fsum(values) / len(values) if values else 1.0, "shared": shared, "both": first + second, **_distance(distances)}


def missing(sample: Sample, parameters: DiceParameters) -> Row:
    """No answer paints nothing, and is not right even where nothing is there."""
    labels, truth = _read(sample.reference, sample, parameters, "reference")
    nothing = np.zeros((0, 4))
    area = math.fsum(painted_areas(truth[labels == label], nothing)[0] for label in np.unique(labels))
    return {"dice": 0.0, "shared": 0.0, "both": area, **_distance([None] * len(np.unique(labels)))}


def score(rows: Rows, parameters: DiceParameters) -> Score:
    """Mean over pictures."""
    both = math.fsum(rows.column("both"))
    companions = {"corpus_dice": 200.0 * math.fsum(rows.column("shared")) / both} if both else {}
    near, apart = rows.column("near").astype(np.int64), rows.column("apart").astype(np.int64)
    if near.any():
        companions["hausdorff_95"] = math.fsum(rows.column("hausdorff")) / int(np.sum(near > 0))
    if classes := int((near + apart).sum()):
        companions["hausdorff_95_undefined"] = 100.0 * int(apart.sum()) / classes
    return Score(math.fsum(samples(rows, parameters)) / len(rows), companions=companions)


def samples(rows: Rows, parameters: DiceParameters) -> NDArray[np.float64]:
    """The Dice of each picture."""
    del parameters
    return np.asarray(100.0 * rows.column("dice"))


def interval(rows: Rows, parameters: DiceParameters) -> Interval | None:
    """Bootstrap over pictures."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


def remarks(sample: Sample, row: Row, parameters: DiceParameters) -> list[SampleError]:
    """Boxes outside the picture."""
    del row
    return outside_picture(sample, parameters)


def _distance(distances: list[float | None]) -> Row:
    """Mean of the distances there are, 0 without any; how many there are; and how many classes have none."""
    known = [distance for distance in distances if distance is not None]
    return {"hausdorff": math.fsum(known) / len(known) if known else 0.0, "near": len(known), "apart": len(distances) - len(known)}


def _read(boxes: Boxes, sample: Sample, parameters: DiceParameters, side: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    form = box_format(sample.attributes, parameters.bbox_format)
    corners = corners_of(boxes.coordinates, form, parameters.coordinates, boxes.image_size, side)
    if boxes.image_size is not None:
        corners = np.clip(corners, 0.0, np.tile(boxes.image_size, 2))  # what lies outside is not painted
    return boxes.labels if parameters.by_class else np.zeros_like(boxes.labels), corners


METRIC = Metric(
    id="dice", version=2, input_kind="boxes", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=DiceParameters, columns={
        "dice": Column("f8"), "shared": Column("f8"), "both": Column("f8"), "hausdorff": Column("f8"), "near": Column("i8"), "apart": Column("i8"),
    },
    observe=observe, score=score, missing=missing, interval=interval, samples=samples, remarks=remarks,
)
