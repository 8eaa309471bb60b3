"""Mean IoU of points: intersection over union of classes, from point counts over the data set.

    IoU(c) = points that are c on both sides / points that are c on either side, over all clouds together
    miou   = 100 * mean of IoU(c) over the classes with a union; in one-foreground tasks 100 * IoU(foreground)

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes of ratios of sums over clouds
    Sample      prediction and reference, a class for every point, in one order
    State       rows of (reference label, predicted label, points), keyed by sample
    Undefined   no reference, or every point ignored: no_valid_pixel
    Source      the Jaccard index as PASCAL VOC pools it; ScanNet, S3DIS and SemanticKITTI do the same with points
    Checked with  sklearn.metrics.confusion_matrix 1.8
    Differs from  under foreground=auto a data set whose references know one label above 0 is a one-foreground task, and the background
                does not enter the mean. Without `classes` the set of classes is that of the references, and other predicted labels are errors
                (unknown_label_share; most points: the warning unknown_labels). A reference label that `classes` has not: reference_beyond_classes.

Beside it: the IoU of each class, point_accuracy, and class_accuracy, the mean over classes of the share of their points found.

    >>> from genlevel_evaluator.metric import Sample
    >>> observe(Sample("1", np.array([0, 1, 1]), (np.array([0, 0, 1]),)), MiouParameters())["pairs"].tolist()
    [[0, 0, 1], [0, 1, 1], [1, 1, 1]]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import class_iou, confusion
from genlevel_three_d.forms.labels import check_lengths


@dataclass(frozen=True)
class MiouParameters(Parameters):
    """Parameters of mean IoU of points.

    Attributes:
        ignore_label: points with this label in the reference are left out.
        foreground: `yes` for one-foreground tasks, `no` for classes, `auto` for `yes` where the references of the data set know exactly one
            label above 0.
        classes: number of classes, 0 to classes - 1; none takes the labels of the references.
        background: whether class 0 enters the mean of `foreground=no`.
    """

    ignore_label: int | None = None
    foreground: Literal["auto", "yes", "no"] = "auto"
    classes: int | None = None
    background: bool = True

    def __post_init__(self) -> None:
        class_iou.check_classes(self.classes)


def observe(sample: Sample, parameters: MiouParameters) -> Row:
    """Counts of label pairs."""
    check_lengths(sample.prediction, sample.reference)
    return {"pairs": confusion.confusion_triples(sample.reference, sample.prediction, parameters.ignore_label)}


def missing(sample: Sample, parameters: MiouParameters) -> Row:
    """Every point of the reference is missed."""
    return {"pairs": confusion.confusion_triples(sample.reference, None, parameters.ignore_label)}


def score(rows: Rows, parameters: MiouParameters) -> Score:
    """Mean over classes."""
    found = class_iou.count(rows, parameters)
    intersection, union = found.totals
    value = float(confusion.mean_iou(intersection, union))
    if np.isnan(value):
        return Score(None, "no_valid_pixel")
    companions = {"one_foreground": float(found.one_foreground), "classes": float(np.sum(union > 0)), "point_accuracy": found.accuracy()}
    if not found.one_foreground:
        truth = np.array([found.pairs[found.pairs[:, 0] == label, 2].sum() for label in found.counts.classes.tolist()], dtype=np.float64)
        companions["class_accuracy"] = 100.0 * float(np.mean(intersection[truth > 0] / truth[truth > 0]))
        companions |= found.each()
    unknown, warnings = class_iou.unknown(found, parameters)
    return Score(100.0 * value, companions=companions | unknown, warnings=warnings)


METRIC = Metric(
    id="miou", version=1, input_kind="point_labels", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=MiouParameters, columns={"pairs": Column("i8", (3,), ragged=True)},
    observe=observe, score=score, missing=missing, interval=class_iou.interval, samples=class_iou.samples,
)  # fmt: skip
