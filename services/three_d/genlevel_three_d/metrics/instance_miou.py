"""Part IoU per shape: the mean IoU over the parts of a shape's category, mean over shapes.

    value of a shape = mean over the parts of its category of points in both / points in either; 1 for a part on neither side
    instance_miou    = 100 * mean over shapes

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sample: the mean over shapes, whatever their categories
    Sample      prediction and reference, a part number for every point; the attribute `category` says what parts there can be
    State       rows of (reference part, predicted part, points) and the category, keyed by shape
    Undefined   no shape has a reference: no_reference
    Source      ShapeNetPart (Yi et al. 2016), as PointNet++ evaluates it (Qi et al. 2017)
    Checked with  a plain port of PointNet++'s loop, and derivations
    Differs from  PointNet++ never predicts a part of another category; here such points are wrong and their share stands beside (other_category_share).
                A category that is none of ShapeNetPart's sixteen, or has other part numbers, has the parts that its references have in the data set; a
                shape without category those of its own reference, unless the numbers are one of the sixteen's.

Beside it: class_miou, the mean over categories of the mean over their shapes; point_accuracy; the mean of each category of the sixteen.

    >>> from genlevel_three_d.scenes.parts import shape_iou
    >>> round(100 * shape_iou(np.array([[4, 4, 1], [5, 4, 1]]), np.array([4, 5])), 6)
    25.0
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
from genlevel_evaluator.statistics import confusion
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_three_d.forms.labels import check_lengths
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.scenes.parts import CATEGORIES, PARTS, UNKNOWN, parts_of, shape_iou


@dataclass(frozen=True)
class InstanceMiouParameters(Parameters):
    """Parameters of part IoU.

    Attributes:
        parts: `category` takes all parts of a category, `shape` those that the shape's own reference has.
    """

    parts: Literal["category", "shape"] = "category"


def observe(sample: Sample, parameters: InstanceMiouParameters) -> Row:
    """Counts of part pairs."""
    del parameters
    category = _category(sample)
    check_lengths(sample.prediction, sample.reference)
    return {"pairs": confusion.confusion_triples(sample.reference, sample.prediction), "category": category}


def missing(sample: Sample, parameters: InstanceMiouParameters) -> Row:
    """No part is found."""
    del parameters
    return {"pairs": confusion.confusion_triples(sample.reference, None), "category": _category(sample)}


def _category(sample: Sample) -> int:
    """Number of the category: its place among the sixteen, or beyond them for another name."""
    given = sample.attributes.get("category")
    if given is None:
        return UNKNOWN
    if isinstance(given, float) and given.is_integer():  # a message has no whole numbers
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise SampleError("WRONG_TYPE", "category is not a name", remedy="name the category of the shape", side="reference", pointer="/category")
    name = str(given).strip().lower()
    return CATEGORIES.get(name, len(PARTS) + abs(label_number(name)) // 2)


def samples(rows: Rows, parameters: InstanceMiouParameters) -> NDArray[np.float64]:
    """Value of each shape, in percent. A shape that was not predicted is worth nothing."""
    categories, triples = rows.column("category"), rows.ragged("pairs")
    labels = {number: _labels([triple for triple, own in zip(triples, categories, strict=True) if own == number]) for number in np.unique(categories).tolist()}
    values = []
    for category, triple in zip(categories.tolist(), triples, strict=True):
        alone = category == UNKNOWN or parameters.parts == "shape"
        parts = parts_of(_guessed(triple) if category == UNKNOWN else category, _labels([triple]) if alone else labels[category])
        if parameters.parts == "shape":
            parts = np.unique(triple[:, 0])
        gone = (triple[:, 1] == confusion.NO_LABEL).all()
        values.append(0.0 if gone else 100.0 * shape_iou(triple, parts))
    return np.array(values)


def _labels(triples: list[NDArray[np.int64]]) -> list[int]:
    return [int(label) for label in np.unique(np.concatenate([triple[:, 0] for triple in triples]))]


def _guessed(triple: NDArray[np.int64]) -> int:
    """The category whose parts the reference has; only numbers that no other numbering begins with say so."""
    first = int(triple[0, 0])
    return next((place for place, parts in enumerate(PARTS.values()) if first in parts and first > 5), UNKNOWN)


def score(rows: Rows, parameters: InstanceMiouParameters) -> Score:
    """Mean over shapes."""
    values, categories = samples(rows, parameters), rows.column("category")
    groups = {number: values[categories == number] for number in np.unique(categories).tolist()}
    means = {number: math.fsum(group) / len(group) for number, group in groups.items()}
    pairs = rows.values["pairs"]
    points = float(pairs[:, 2].sum())
    companions = {"class_miou": math.fsum(means.values()) / len(means), "categories": float(len(means))}
    companions["point_accuracy"] = 100.0 * float(pairs[pairs[:, 0] == pairs[:, 1], 2].sum()) / points
    companions |= {f"miou_{name}": means[place] for place, name in enumerate(PARTS) if place in means}
    strange = _strange(rows)
    companions |= {"other_category_share": strange} if strange else {}
    warnings = ("unknown_labels",) * (strange > 50.0) + ("no_category",) * bool((categories == UNKNOWN).any())
    return Score(math.fsum(values) / len(values), companions=companions, warnings=warnings)


def _strange(rows: Rows) -> float:
    """Percent of points predicted as a part that no reference of the category has."""
    categories, triples = rows.column("category"), rows.ragged("pairs")
    found = points = 0
    for number in np.unique(categories).tolist():
        own = np.concatenate([triple for triple, category in zip(triples, categories, strict=True) if category == number])
        known = parts_of(number, _labels([own]))
        found += int(own[(own[:, 1] != confusion.NO_LABEL) & ~np.isin(own[:, 1], known), 2].sum())
        points += int(own[:, 2].sum())
    return 100.0 * found / points


def interval(rows: Rows, parameters: InstanceMiouParameters) -> Interval | None:
    """Bootstrap over shapes."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


METRIC = Metric(
    id="instance_miou", version=1, input_kind="part_labels", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=InstanceMiouParameters, columns={"pairs": Column("i8", (3,), ragged=True), "category": Column("i8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)  # fmt: skip
