"""Mean IoU: intersection over union of classes, from pixel counts over the data set.

    IoU(c) = pixels that are c on both sides / pixels that are c on either side, over all pictures together
    miou   = 100 * mean of IoU(c) over the classes with a union; in one-foreground tasks 100 * IoU(foreground)

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes of ratios of sums over pictures
    Sample      prediction and reference, label images of one size; the first reference counts
    State       rows of (reference label, predicted label, pixels) and of boundary counts by class, keyed by sample
    Undefined   no reference, or every pixel ignored: no_valid_pixel
    Source      the Jaccard index as PASCAL VOC and Cityscapes pool it
    Checked with  sklearn.metrics.confusion_matrix 1.8, torchmetrics MulticlassJaccardIndex 1.9; boundary F by SciPy 1.17
    Differs from  under foreground=auto a data set whose references know one label above 0 is a one-foreground task, and the background
                does not enter the mean. Without `classes` the set of classes is that of the references, and other predicted labels are errors
                (unknown_label_share; most pixels: the warning unknown_labels). A reference label that `classes` has not: reference_beyond_classes.

Beside it: the IoU of each class, pixel_accuracy, and boundary_f, the mean over classes of the mean F of boundary pixels over the pictures that have any
(Csurka et al. 2013; found within 0.75 % of the diagonal; the border of a picture and of ignored pixels is no boundary).

    >>> import numpy as np
    >>> from genlevel_evaluator.statistics.confusion import mean_iou
    >>> float(100 * mean_iou(np.array([2.0]), np.array([8.0])))
    25.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import class_iou, confusion
from genlevel_image.forms.masks import lossy_remarks
from genlevel_image.media import LabelImage
from genlevel_image.pixels import boundaries


@dataclass(frozen=True)
class MiouParameters(Parameters):
    """Parameters of mean IoU.

    Attributes:
        ignore_label: pixels with this label in the reference are left out.
        foreground: `yes` for one-foreground tasks (any value above 0 is the foreground, 255 included), `no` for classes, `auto` for
            `yes` where the references of the data set know exactly one label above 0.
        classes: number of classes, 0 to classes - 1; none takes the labels of the references.
        background: whether class 0 enters the mean of `foreground=no`.
        boundary: how far from a boundary it counts as found, as a share of the diagonal; 0 leaves boundary F out, which takes most of the time.
    """

    ignore_label: int | None = None
    foreground: Literal["auto", "yes", "no"] = "auto"
    classes: int | None = None
    background: bool = True
    boundary: float = 0.0075

    def __post_init__(self) -> None:
        class_iou.check_classes(self.classes)
        if not 0 <= self.boundary <= 0.05:
            raise ValueError("boundary must be 0 to 0.05")


def observe(sample: Sample, parameters: MiouParameters) -> Row:
    """Counts of label pairs."""
    prediction, reference = sample.prediction, sample.reference
    if prediction.size != reference.size:
        raise SampleError(
            "SIZE_MISMATCH", f"the prediction is {prediction.size[0]} x {prediction.size[1]} pixels, the reference {reference.size[0]} x {reference.size[1]}",
            remedy="give the labels in the size of the reference; they are never resized", side="prediction",
        )
    return _row(reference, prediction, parameters)


def missing(sample: Sample, parameters: MiouParameters) -> Row:
    """Every pixel of the reference is missed."""
    return _row(sample.reference, None, parameters)


def score(rows: Rows, parameters: MiouParameters) -> Score:
    """Mean over classes."""
    found = class_iou.count(rows, parameters)
    value = float(confusion.mean_iou(*found.totals))
    if np.isnan(value):
        return Score(None, "no_valid_pixel")
    classes = float(np.sum(found.totals[1] > 0))
    companions = {"one_foreground": float(found.one_foreground), "classes": classes, "pixel_accuracy": found.accuracy()}
    edges = rows.values["boundaries"].astype(np.int64)
    outline = boundaries.boundary_f(edges, np.array([boundaries.FOREGROUND]) if found.one_foreground else found.counts.classes)
    companions |= {} if np.isnan(outline) else {"boundary_f": 100.0 * outline}
    companions |= {} if found.one_foreground else found.each()
    unknown, warnings = class_iou.unknown(found, parameters)
    return Score(100.0 * value, companions=companions | unknown, warnings=warnings)


def _row(reference: LabelImage, prediction: LabelImage | None, parameters: MiouParameters) -> Row:
    guess = None if prediction is None else prediction.labels
    pairs = confusion.confusion_triples(reference.labels, guess, parameters.ignore_label)
    return {"pairs": pairs, "boundaries": _boundaries(reference.labels, guess, np.unique(pairs[:, :2]), parameters)}


def _boundaries(truth: boundaries.Labels, guess: boundaries.Labels | None, labels: NDArray[np.int64], parameters: MiouParameters) -> NDArray[np.int64]:
    """Boundary counts of the classes, and of the foreground where this may turn out to be a one-foreground task."""
    if not parameters.boundary:
        return np.zeros((0, 5), np.int64)
    options = parameters.ignore_label, parameters.boundary
    if parameters.foreground == "yes":
        return boundaries.foreground_counts(truth, guess, *options)
    rows = boundaries.boundary_counts(truth, guess, *options)
    known = labels[labels > 0]
    if parameters.foreground == "no" or parameters.classes not in (None, 2):
        return rows
    if len(known) > 1:
        return np.concatenate([rows, boundaries.foreground_counts(truth, guess, *options)])
    same = rows[np.isin(rows[:, 0], known)]  # one label above 0 on both sides is the foreground
    same[:, 0] = boundaries.FOREGROUND
    return np.concatenate([rows, same])


METRIC = Metric(
    id="miou", version=2, input_kind="masks", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=MiouParameters, columns={"pairs": Column("i8", (3,), ragged=True), "boundaries": Column("i8", (5,), ragged=True)},
    observe=observe, score=score, missing=missing, interval=class_iou.interval, samples=class_iou.samples, remarks=lossy_remarks,
)
