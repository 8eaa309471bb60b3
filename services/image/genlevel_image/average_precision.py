"""What the AP metrics of boxes share: parameters, state and score over the matches of `detection`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import REPLICATES, Interval, bootstrap_weighted
from genlevel_image import detection
from genlevel_image.detection import AREA_RANGES, Curve
from genlevel_image.media import Boxes

COLUMNS = {
    "labels": Column("i8", ragged=True),
    "scores": Column("f8", ragged=True),
    "outcome": Column("u1", ragged=True),
    "true_labels": Column("i8", ragged=True),
    "true_counted": Column("u1", ragged=True),
}
FORMATS = ("xyxy", "xywh")
_WORK = 60_000_000
"""Detections times replicates that an interval may cost."""


@dataclass(frozen=True)
class BoxParameters(Parameters):
    """Parameters of box AP.

    Attributes:
        iou: smallest intersection over union of a match; equality matches.
        area: ground truth that counts: all, small (to 32²), medium, or large (from 96²), in square pixels.
        max_detections: detections a picture and class that are looked at, best first.
        ties: `coco` takes equal scores in the order of samples and ranks, `grouped` as one operating point, `auto` is grouped where no
            detection of the data set has a score.
        bbox_format: corners, or corner and size.
        coordinates: pixels, shares of the picture's size, or thousandths of it.
    """

    iou: float = 0.5
    area: Literal["all", "small", "medium", "large"] = "all"
    max_detections: int = 100
    ties: Literal["auto", "coco", "grouped"] = "auto"
    bbox_format: Literal["xyxy", "xywh"] = "xyxy"
    coordinates: Literal["pixels", "unit", "per_mille"] = "pixels"

    def __post_init__(self) -> None:
        if not 0 < self.iou <= 1:
            raise ValueError("iou must be above 0 and at most 1")
        if self.max_detections < 1:
            raise ValueError("max_detections must be 1 or more")


def observe(sample: Sample, parameters: BoxParameters) -> Row:
    """Matches of one picture."""
    return _row(sample.prediction, sample, parameters)


def missing(sample: Sample, parameters: BoxParameters) -> Row:
    """A picture without detections."""
    none = np.zeros(0)
    empty = Boxes(none.astype(np.int64), np.zeros((0, 4)), none, none.astype(bool), none, sample.reference.image_size)
    return _row(empty, sample, parameters)


def _row(prediction: Boxes, sample: Sample, parameters: BoxParameters) -> Row:
    given = _format(sample, parameters)
    # The reference first: a fault on both sides is then the reference's, and the sample is left out.
    truth = detection.locate(sample.reference, given, parameters.coordinates, "reference")
    ours = detection.locate(prediction, given, parameters.coordinates, "prediction")
    found = detection.match(ours, truth, parameters.iou, parameters.max_detections)
    return {name: getattr(found, name) for name in COLUMNS}


def _format(sample: Sample, parameters: BoxParameters) -> str:
    """The sample's own form of boxes, else that of the parameters."""
    given = sample.attributes.get("bbox_format", parameters.bbox_format)
    if given not in FORMATS:
        message = f"bbox_format is {given!r:.40}, not {' or '.join(FORMATS)}"
        raise SampleError("BAD_ATTRIBUTE", message, remedy="write the boxes in one of these forms", side="reference", pointer="/bbox_format")
    return str(given)


def score(rows: Rows, parameters: BoxParameters) -> Score:
    """Mean over the classes with ground truth."""
    curve = _curve(rows, parameters.area)
    if not len(curve.classes):
        return Score(None, "no_reference")
    grouped, warnings = _ties(rows, parameters)
    value = _mean(detection.average_precisions(curve, grouped))
    companions = {"recall": _mean(detection.recalls(curve)), "classes": float(len(curve.classes)), "ties_grouped": float(grouped)}
    companions |= _other_areas(rows, parameters.area, grouped)
    if not grouped and _mostly_tied(curve):
        companions["grouped"] = _mean(detection.average_precisions(curve, grouped=True))
    return Score(value, companions=companions, warnings=warnings)


def interval(rows: Rows, parameters: BoxParameters) -> Interval | None:
    """Bootstrap over pictures."""
    curve = _curve(rows, parameters.area)
    if not len(curve.classes):
        return None
    grouped, _ = _ties(rows, parameters)
    replicates = max(100, min(REPLICATES, _WORK // max(len(curve.place), 1)))
    points = detection.stops(curve, grouped)
    return bootstrap_weighted(rows.keys, lambda weights: 100.0 * detection.weighted_mean(curve, points, weights), replicates)


def _curve(rows: Rows, area: str) -> Curve:
    bit = list(AREA_RANGES).index(area)
    truth_labels, counts = rows.values["true_labels"], ((rows.values["true_counted"] >> bit) & 1).astype(np.float64)
    classes = np.unique(truth_labels[counts > 0]).astype(np.int64)
    truth_owner = np.repeat(np.arange(len(rows)), rows.lengths["true_labels"])
    truth_kept = counts > 0
    labels, outcome = rows.values["labels"], rows.values["outcome"]
    kept = np.isin(labels, classes)
    place = np.searchsorted(classes, labels[kept])
    scores = rows.values["scores"][kept]
    order = np.lexsort((-np.where(np.isnan(scores), -np.inf, scores), place))
    true = (outcome[kept] >> bit) & 1
    skipped = (outcome[kept] >> (bit + 4)) & 1
    owner = np.repeat(np.arange(len(rows)), rows.lengths["labels"])[kept]
    return Curve(
        classes, place[order], owner[order], scores[order], true[order].astype(np.float64),
        ((1 - true) * (1 - skipped))[order].astype(np.float64),
        np.searchsorted(classes, truth_labels[truth_kept]), truth_owner[truth_kept], counts[truth_kept],
    )


def _ties(rows: Rows, parameters: BoxParameters) -> tuple[bool, tuple[str, ...]]:
    unscored = np.isnan(rows.values["scores"])
    some, none = bool(unscored.any()), bool(unscored.all())
    grouped = parameters.ties == "grouped" or (parameters.ties == "auto" and some and none)
    if some and none:
        return grouped, ("no_scores",)
    return grouped, ("some_scores_missing",) if some else ()


def _mostly_tied(curve: Curve) -> bool:
    """Whether more than half of the detections share their score with another of their class."""
    scores, place = np.where(np.isnan(curve.scores), -np.inf, curve.scores), curve.place
    if len(scores) < 2:
        return False
    same = (scores[1:] == scores[:-1]) & (place[1:] == place[:-1])
    return 2 * int(np.sum(np.r_[same, False] | np.r_[False, same])) > len(scores)


def _other_areas(rows: Rows, area: str, grouped: bool) -> dict[str, float]:
    values = {}
    for name in AREA_RANGES:
        curve = _curve(rows, name)
        if name != area and len(curve.classes):
            values[f"area_{name}"] = _mean(detection.average_precisions(curve, grouped))
    return values


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return 100.0 * math.fsum(values.tolist()) / len(values)
