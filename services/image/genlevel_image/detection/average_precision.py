"""What the AP metrics share, whatever overlaps: parameters, state, and score over the matches of `matching`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import REPLICATES, Interval, bootstrap_weighted
from genlevel_image.detection import curves
from genlevel_image.detection.curves import Curve
from genlevel_image.detection.matching import AREA_RANGES, Overlap, Side, match
from genlevel_image.detection.operating_point import best_f1
from genlevel_image.detection.table import Table

COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
_COCO = range(1, 1 + len(COCO_THRESHOLDS))
"""Places of these thresholds in the state; place 0 is the metric's own."""
COLUMNS = {
    "labels": Column("i8", ragged=True),
    "scores": Column("f8", ragged=True),
    "outcome": Column("u1", (1 + len(COCO_THRESHOLDS),), ragged=True),
    "true_labels": Column("i8", ragged=True),
    "true_counted": Column("u1", ragged=True),
}
_WORK = 60_000_000
"""Detections times replicates that an interval may cost."""


@dataclass(frozen=True)
class CurveParameters(Parameters):
    """Parameters of every AP.

    Attributes:
        average: `one` is AP at the threshold, `coco` the mean over the thresholds 0.50, 0.55, ..., 0.95.
        area: ground truth that counts: all, small (to 32²), medium, or large (from 96²), in square pixels.
        max_detections: detections a picture and class that are looked at, best first.
        ties: `coco` takes equal scores in the order of samples and ranks, `grouped` as one operating point, `auto` is grouped where no
            detection of the data set has a score.
    """

    average: Literal["one", "coco"] = "one"
    area: Literal["all", "small", "medium", "large"] = "all"
    max_detections: int = 100
    ties: Literal["auto", "coco", "grouped"] = "auto"

    @property
    def threshold(self) -> float:
        """Smallest overlap of a match; equality matches."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        if self.max_detections < 1:
            raise ValueError("max_detections must be 1 or more")


@dataclass(frozen=True)
class IouParameters(CurveParameters):
    """Parameters of AP over intersections over union.

    Attributes:
        iou: smallest intersection over union of a match; equality matches.
    """

    iou: float = 0.5

    @property
    def threshold(self) -> float:
        return self.iou

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.iou <= 1:
            raise ValueError("iou must be above 0 and at most 1")


P = TypeVar("P", bound=CurveParameters)


@dataclass(frozen=True)
class Shapes(Generic[P]):
    """What overlaps.

    Attributes:
        side: from a decoded side, its sample, the parameters, and `prediction` or `reference`, to its objects.
        overlap: the overlap between the objects of two sides, of many pictures one after another.
    """

    side: Callable[[Any, Sample, P, str], Side]
    overlap: Callable[[Sequence[Side], Sequence[Side], P], Overlap]


def observed(samples: Sequence[Sample], parameters: P, shapes: Shapes[P]) -> list[Row]:
    """Matches of pictures; one without a prediction has no detections."""
    predictions, references = [], []
    for sample in samples:
        # The reference first: a fault on both sides is then the reference's, and the sample is left out.
        reference = shapes.side(sample.reference, sample, parameters, "reference")
        references.append(reference)
        given = sample.prediction
        predictions.append(_nothing(reference) if given is None else shapes.side(given, sample, parameters, "prediction"))
    thresholds = (parameters.threshold, *COCO_THRESHOLDS)
    found = match(predictions, references, shapes.overlap(predictions, references, parameters), thresholds, parameters.max_detections)
    return [{name: getattr(matches, name) for name in COLUMNS} for matches in found]


def _nothing(reference: Side) -> Side:
    none = np.zeros(0)
    return Side(none.astype(np.int64), none, none.astype(bool), none.astype(bool), none, reference.shape[:0])


class _Curves:
    """The curves of a table and their values, each made once."""

    def __init__(self, table: Table, grouped: bool) -> None:
        self.grouped = grouped
        self.curve = cache(table.curve)
        self.precisions = cache(lambda area, place: curves.average_precisions(self.curve(area, place), grouped))

    def average(self, area: int, places: Sequence[int]) -> float:
        """AP over those thresholds."""
        return _mean(np.concatenate([self.precisions(area, place) for place in places]))

    def recall(self, area: int, places: Sequence[int]) -> float:
        """Largest recall over those thresholds."""
        return _mean(np.concatenate([curves.recalls(self.curve(area, place)) for place in places]))


def score(rows: Rows, parameters: CurveParameters) -> Score:
    """Mean over the classes with ground truth."""
    table = Table.of(rows)
    grouped, warnings = _ties(rows, parameters)
    found, area, places = _Curves(table, grouped), list(AREA_RANGES).index(parameters.area), _places(parameters)
    first = found.curve(area, places[0])
    if not len(first.classes):
        return Score(None, "no_reference")
    companions = {"recall": found.recall(area, places), "classes": float(len(first.classes)), "ties_grouped": float(grouped)}
    companions |= _other_areas(found, parameters) | _coco(found, parameters) | best_f1(first)
    if not grouped and _mostly_tied(first):
        companions["grouped"] = _Curves(table, grouped=True).average(area, places)
    unknown = table.unknown_labels()
    if unknown:
        companions["unknown_label_share"] = 100.0 * unknown
    return Score(found.average(area, places), companions=companions, warnings=warnings + (("unknown_labels",) if unknown > 0.5 else ()))


def interval(rows: Rows, parameters: CurveParameters) -> Interval | None:
    """Bootstrap over pictures."""
    headline = _headline(Table.of(rows), parameters)
    if not len(headline[0].classes):
        return None
    grouped, _ = _ties(rows, parameters)
    cost = len(headline) * max(len(headline[0].place), 1)
    points = [curves.stops(curve, grouped) for curve in headline]

    def value(weights: NDArray[np.float64]) -> float:
        found = [curves.weighted_mean(curve, stops, weights) for curve, stops in zip(headline, points, strict=True)]
        return 100.0 * sum(found) / len(found)

    return bootstrap_weighted(rows.keys, value, max(100, min(REPLICATES, _WORK // cost)))


def samples(rows: Rows, parameters: CurveParameters) -> NDArray[np.float64]:
    """AP of each picture alone; NaN for one without ground truth that counts."""
    grouped, _ = _ties(rows, parameters)
    found = [curves.by_picture(curve, len(rows), grouped) for curve in _headline(Table.of(rows), parameters)]
    return np.asarray(100.0 * np.mean(found, axis=0))


def _headline(table: Table, parameters: CurveParameters) -> list[Curve]:
    """The curves whose AP is averaged."""
    bit = list(AREA_RANGES).index(parameters.area)
    return [table.curve(bit, place) for place in _places(parameters)]


def _places(parameters: CurveParameters) -> Sequence[int]:
    return _COCO if parameters.average == "coco" else (0,)


def _ties(rows: Rows, parameters: CurveParameters) -> tuple[bool, tuple[str, ...]]:
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


def _other_areas(found: _Curves, parameters: CurveParameters) -> dict[str, float]:
    places = _places(parameters)
    return {
        f"area_{name}": found.average(bit, places)
        for bit, name in enumerate(AREA_RANGES) if name != parameters.area and len(found.curve(bit, places[0]).classes)
    }


def _coco(found: _Curves, parameters: CurveParameters) -> dict[str, float]:
    """The summary of COCO: AP over all thresholds, at 0.50 and 0.75, by area; and recall likewise."""
    values: dict[str, float] = {}
    for bit, name in enumerate(AREA_RANGES):
        if not len(found.curve(bit, _COCO[0]).classes):
            continue
        suffix = "" if name == "all" else f"_{name}"
        values[f"ap_50_95{suffix}"] = found.average(bit, _COCO)
        values[f"ar_{parameters.max_detections}{suffix}"] = found.recall(bit, _COCO)
        if name == "all":
            for threshold, place in (("50", _COCO[0]), ("75", _COCO[5])):
                values |= {f"ap_{threshold}": found.average(bit, [place]), f"recall_{threshold}": found.recall(bit, [place])}
    return values


def _mean(values: NDArray[np.float64]) -> float:
    return 100.0 * math.fsum(values.tolist()) / len(values)
