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
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import confusion
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
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
        if self.classes is not None and not 1 <= self.classes <= 65_536:
            raise ValueError("classes must be 1 to 65536")


def observe(sample: Sample, parameters: MiouParameters) -> Row:
    """Counts of label pairs."""
    check_lengths(sample.prediction, sample.reference)
    return {"pairs": confusion.confusion_triples(sample.reference, sample.prediction, parameters.ignore_label)}


def missing(sample: Sample, parameters: MiouParameters) -> Row:
    """Every point of the reference is missed."""
    return {"pairs": confusion.confusion_triples(sample.reference, None, parameters.ignore_label)}


def score(rows: Rows, parameters: MiouParameters) -> Score:
    """Mean over classes."""
    counts, pairs, one_foreground = _counts(rows, parameters)
    intersection, union = counts.intersection.sum(axis=0), counts.union.sum(axis=0)
    value = float(confusion.mean_iou(intersection, union))
    if np.isnan(value):
        return Score(None, "no_valid_pixel")
    total = float(pairs[:, 2].sum())
    companions = {"one_foreground": float(one_foreground), "classes": float(np.sum(union > 0))}
    companions["point_accuracy"] = 100.0 * float(pairs[pairs[:, 0] == pairs[:, 1], 2].sum()) / total
    if not one_foreground:
        truth = np.array([pairs[pairs[:, 0] == label, 2].sum() for label in counts.classes.tolist()], dtype=np.float64)
        companions["class_accuracy"] = 100.0 * float(np.mean(intersection[truth > 0] / truth[truth > 0]))
        shown = zip(counts.classes.tolist(), intersection.tolist(), union.tolist(), strict=True)
        companions |= {f"iou_{label}": 100.0 * i / u for label, i, u in list(shown)[:256] if u}
    unknown, warnings = ({}, ()) if one_foreground else _unknown(pairs, parameters)
    return Score(100.0 * value, companions=companions | unknown, warnings=warnings)


def interval(rows: Rows, parameters: MiouParameters) -> Interval | None:
    """Bootstrap over clouds."""
    counts, _, _ = _counts(rows, parameters)
    number = len(counts.classes)

    def values(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return 100.0 * confusion.mean_iou(totals[:, :number], totals[:, number:])

    return bootstrap(rows.keys, np.hstack([counts.intersection, counts.union]), values)


def samples(rows: Rows, parameters: MiouParameters) -> NDArray[np.float64]:
    """Mean IoU of the classes of each cloud alone."""
    counts, _, _ = _counts(rows, parameters)
    return 100.0 * confusion.mean_iou(counts.intersection, counts.union)


def _counts(rows: Rows, parameters: MiouParameters) -> tuple[confusion.ClassCounts, confusion.Triples, bool]:
    """Counts a sample and class, the label pairs they come from, and whether this is a one-foreground task."""
    pairs: NDArray[np.int64] = rows.values["pairs"].astype(np.int64)
    owner = np.repeat(np.arange(len(rows)), rows.lengths["pairs"])
    labels = np.unique(pairs[:, 0])
    one_foreground = parameters.foreground == "yes" or (
        parameters.foreground == "auto" and parameters.classes in (None, 2) and int(np.sum(labels > 0)) == 1
    )
    if one_foreground:
        pairs = confusion.foreground(pairs)
        return confusion.class_counts(pairs, owner, len(rows), np.array([1])), pairs, True
    classes = labels if parameters.classes is None else np.arange(parameters.classes)
    kept = classes if parameters.background else classes[classes != 0]
    return confusion.class_counts(pairs, owner, len(rows), kept), pairs, False


def _unknown(pairs: confusion.Triples, parameters: MiouParameters) -> tuple[dict[str, float], tuple[str, ...]]:
    """Share of points predicted as no class there is; warnings where that is most of them, and where references know more than `classes`."""
    true, guess, points = pairs.T
    known = np.unique(true) if parameters.classes is None else np.arange(parameters.classes)
    strange = (guess != confusion.NO_LABEL) & ~np.isin(guess, known)
    share = 100.0 * float(points[strange].sum()) / float(points.sum())
    warnings = ("unknown_labels",) * (share > 50.0) + ("reference_beyond_classes",) * (not np.isin(true, known).all())
    return ({"unknown_label_share": share} if share else {}), warnings


METRIC = Metric(
    id="miou", version=1, input_kind="point_labels", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=MiouParameters, columns={"pairs": Column("i8", (3,), ragged=True)},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)  # fmt: skip
