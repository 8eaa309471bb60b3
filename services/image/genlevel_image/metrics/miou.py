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
from genlevel_evaluator.statistics import confusion
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
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
        if self.classes is not None and not 1 <= self.classes <= 65_536:
            raise ValueError("classes must be 1 to 65536")
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
    counts, one_foreground = _counts(rows, parameters)
    intersection, union = counts.intersection.sum(axis=0), counts.union.sum(axis=0)
    value = float(confusion.mean_iou(intersection, union))
    if np.isnan(value):
        return Score(None, "no_valid_pixel")
    companions = {"one_foreground": float(one_foreground), "classes": float(np.sum(union > 0)), "pixel_accuracy": _pixel_accuracy(rows, one_foreground)}
    edges = rows.values["boundaries"].astype(np.int64)
    outline = boundaries.boundary_f(edges, np.array([boundaries.FOREGROUND]) if one_foreground else counts.classes)
    companions |= {} if np.isnan(outline) else {"boundary_f": 100.0 * outline}
    if not one_foreground:
        shown = zip(counts.classes.tolist(), intersection.tolist(), union.tolist(), strict=True)
        companions |= {f"iou_{label}": 100.0 * i / u for label, i, u in list(shown)[:256] if u}
    unknown, warnings = ({}, ()) if one_foreground else _unknown(rows, parameters)
    return Score(100.0 * value, companions=companions | unknown, warnings=warnings)


def interval(rows: Rows, parameters: MiouParameters) -> Interval | None:
    """Bootstrap over pictures."""
    counts, _ = _counts(rows, parameters)
    number = len(counts.classes)

    def values(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return 100.0 * confusion.mean_iou(totals[:, :number], totals[:, number:])

    return bootstrap(rows.keys, np.hstack([counts.intersection, counts.union]), values)


def samples(rows: Rows, parameters: MiouParameters) -> NDArray[np.float64]:
    """Mean IoU of the classes of each picture alone."""
    counts, _ = _counts(rows, parameters)
    return 100.0 * confusion.mean_iou(counts.intersection, counts.union)


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


def _counts(rows: Rows, parameters: MiouParameters) -> tuple[confusion.ClassCounts, bool]:
    """Counts a sample and class, and whether this is a one-foreground task."""
    pairs: NDArray[np.int64] = rows.values["pairs"].astype(np.int64)
    owner = np.repeat(np.arange(len(rows)), rows.lengths["pairs"])
    labels = np.unique(pairs[:, 0])
    one_foreground = parameters.foreground == "yes" or (
        parameters.foreground == "auto" and parameters.classes in (None, 2) and int(np.sum(labels > 0)) == 1
    )
    if one_foreground:
        return confusion.class_counts(confusion.foreground(pairs), owner, len(rows), np.array([1])), True
    classes = labels if parameters.classes is None else np.arange(parameters.classes)
    if not parameters.background:
        classes = classes[classes != 0]
    return confusion.class_counts(pairs, owner, len(rows), classes), False


def _pixel_accuracy(rows: Rows, one_foreground: bool) -> float:
    pairs = rows.values["pairs"].astype(np.int64)
    pairs = confusion.foreground(pairs) if one_foreground else pairs
    return 100.0 * float(pairs[pairs[:, 0] == pairs[:, 1], 2].sum()) / float(pairs[:, 2].sum())


def _unknown(rows: Rows, parameters: MiouParameters) -> tuple[dict[str, float], tuple[str, ...]]:
    """Share of pixels predicted as no class there is; warnings where that is most of them, and where references know more than `classes`."""
    pairs = rows.values["pairs"].astype(np.int64)
    true, guess, pixels = pairs.T
    known = np.unique(true) if parameters.classes is None else np.arange(parameters.classes)
    strange = (guess != confusion.NO_LABEL) & ~np.isin(guess, known)
    share = 100.0 * float(pixels[strange].sum()) / float(pixels.sum())
    warnings = ("unknown_labels",) * (share > 50.0) + ("reference_beyond_classes",) * (not np.isin(true, known).all())
    return ({"unknown_label_share": share} if share else {}), warnings


METRIC = Metric(
    id="miou", version=2, input_kind="masks", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=MiouParameters, columns={"pairs": Column("i8", (3,), ragged=True), "boundaries": Column("i8", (5,), ragged=True)},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples, remarks=lossy_remarks,
)
