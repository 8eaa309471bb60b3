"""nuScenes detection mAP: average precision of boxes found by the distance of their centres on the ground.

    map = 100 * mean over classes, and over the distances 0.5, 1, 2 and 4 m, of AP
    AP  = mean over the recalls 0.11, 0.12, ..., 1 of max(0, precision - 0.1) / 0.9

A prediction takes the nearest reference of its class that no surer one has taken, and is a hit below the distance.

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes of the AP over all frames
    Sample      prediction and reference, oriented boxes of one frame; scores belong to predictions
    State       rows of (class, score, hit at four distances, five errors) a prediction and of classes of references, keyed by frame
    Undefined   no class has a reference: no_reference
    Source      nuScenes (Caesar et al. 2020, arXiv 1903.11027); for `measure=iou3d` KITTI (Geiger et al. 2012; forty recalls: Simonelli et al. 2019)
    Checked with  nuscenes-devkit 1.2.0, accumulate, calc_ap, calc_tp and DetectionMetrics; shapely 2.0 for oriented overlap
    Differs from  the devkit counts all ten classes of nuScenes, and one without a reference as 0 (`classes=nuscenes`); by default classes
                with references count. Where no prediction has a score, all are one operating point. Scores may be negative. The devkit leaves out bicycles inside racks,
                which no annotation here names. KITTI's program takes its recalls from the scores of hits and knows difficulties and
                "don't care" regions; here every box counts, and predictions are matched surest first.

References further from the ego vehicle than their class is judged (30 to 50 m) and those without a point are left out, and predictions beyond
that range. Beside it: nds; mate (m), mase, maoe (rad), mave (m/s) and maae of hits within 2 m, the last two where references have velocities
and attributes; AP of each distance and of nuScenes' classes; max_recall.

    >>> import numpy as np
    >>> from genlevel_three_d.scenes.detection_curves import Detections
    >>> hits = np.array([[1.0], [0.0], [1.0]])
    >>> round(Detections(np.array([0.9, 0.8, 0.7]), hits, hits, np.ones(3), 2.0).average_precision(0), 6)  # right, wrong, right, of two
    0.737654
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
from genlevel_evaluator.statistics.intervals import REPLICATES, Interval, bootstrap_weighted
from genlevel_three_d.forms.boxes import Boxes3D
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.scenes.detection_curves import Detections
from genlevel_three_d.scenes.detection_table import NAMES, NUSCENES_RANGES, ClassTable, class_tables
from genlevel_three_d.scenes.frame_matches import DISTANCES, ERRORS, by_distance, by_overlap

_TWO_METRES = DISTANCES.index(2.0)
_WORK = 60_000_000
_RANGES = {label_number(name): reach for name, reach in NUSCENES_RANGES.items()}
_KITTI_CARS = {label_number(name) for name in ("car", "Car", "van", "Van", "truck", "Truck", "bus", "Bus")}
# Cones have no front and no attribute, and stand; barriers stand.
_WITHOUT = {label_number("traffic_cone"): {"aoe", "ave", "aae"}, label_number("barrier"): {"ave", "aae"}}


@dataclass(frozen=True)
class MapParameters(Parameters):
    """Parameters of nuScenes detection mAP.

    Attributes:
        measure: `centre` is distance on the ground, `iou3d` oriented overlap in space over forty recalls as KITTI.
        iou: overlap that a hit of `iou3d` must exceed; none is 0.7 for cars, vans, trucks and buses, and 0.5 for others.
        classes: `present` are those with references, `nuscenes` all ten.
        ranges: `nuscenes` leaves out boxes beyond the range of their class, where it is one of the ten; `none` keeps all.
        max_boxes: most predictions a frame.
    """

    measure: Literal["centre", "iou3d"] = "centre"
    iou: float | None = None
    classes: Literal["present", "nuscenes"] = "present"
    ranges: Literal["nuscenes", "none"] = "nuscenes"
    max_boxes: int = 500

    def __post_init__(self) -> None:
        if self.iou is not None and not 0 <= self.iou < 1:
            raise ValueError("iou must be at least 0 and below 1")
        if self.max_boxes < 1:
            raise ValueError("max_boxes must be 1 or more")


def observe(sample: Sample, parameters: MapParameters) -> Row:
    """Hits of one frame."""
    prediction: Boxes3D = sample.prediction
    if len(prediction) > parameters.max_boxes:
        raise SampleError(
            "TOO_MANY_BOXES", f"{len(prediction)} boxes in one frame, at most {parameters.max_boxes} are taken", remedy="give the surest ones", side="prediction"
        )
    return _row(sample.reference, _in_range(prediction, parameters), parameters)


def missing(sample: Sample, parameters: MapParameters) -> Row:
    """A frame without predictions."""
    return _row(sample.reference, sample.reference.take(np.zeros(0, np.int64)), parameters)


def _row(reference: Boxes3D, prediction: Boxes3D, parameters: MapParameters) -> Row:
    truth = _in_range(reference.take(reference.points != 0), parameters)
    if parameters.measure == "centre":
        found = by_distance(prediction, truth)
    else:
        default = [0.7 if label in _KITTI_CARS else 0.5 for label in prediction.labels.tolist()]
        found = by_overlap(prediction, truth, np.array(default if parameters.iou is None else [parameters.iou] * len(prediction), np.float64))
    return {
        "labels": prediction.labels, "scores": prediction.scores, "hits": found.hits, "errors": found.errors, "true_labels": truth.labels,
        "known": [np.isfinite(truth.velocities).any(), (truth.attributes != 0).any()],
    }  # fmt: skip


def _in_range(boxes: Boxes3D, parameters: MapParameters) -> Boxes3D:
    if parameters.ranges == "none":
        return boxes
    reach = np.array([_RANGES.get(label, math.inf) for label in boxes.labels.tolist()])
    return boxes.take(np.hypot(boxes.centers[:, 0], boxes.centers[:, 1]) < reach)


def score(rows: Rows, parameters: MapParameters) -> Score:
    """Mean over classes and distances."""
    tables = class_tables(rows, parameters.classes == "nuscenes")
    if not len(rows.values["true_labels"]):
        return Score(None, "no_reference")
    values = np.array([_precisions(table.detections(), parameters) for table in tables])
    value = 100.0 * float(values.mean())
    companions = {f"ap_{NAMES[table.label]}": 100.0 * float(row.mean()) for table, row in zip(tables, values, strict=True) if table.label in NAMES}
    if parameters.measure == "centre":
        companions |= {f"ap_{distance:g}m": 100.0 * float(ap) for distance, ap in zip(DISTANCES, values.mean(axis=0), strict=True)}
    companions |= {"classes": float(len(tables))} | _errors(rows, tables, value, parameters)
    unknown = ~np.isin(rows.values["labels"], [table.label for table in tables])
    share = float(unknown.mean()) if len(unknown) else 0.0
    companions |= {"unknown_label_share": 100.0 * share} if share else {}
    return Score(value, companions=companions, warnings=_warnings(rows, share))


def _precisions(table: Detections, parameters: MapParameters) -> list[float]:
    """AP at each distance, or over overlap."""
    if not table.positives:
        return [0.0] * (len(DISTANCES) if parameters.measure == "centre" else 1)
    return [table.average_precision(column) for column in range(len(DISTANCES))] if parameters.measure == "centre" else [table.forty_recalls(0)]


def _errors(rows: Rows, tables: list[ClassTable], value: float, parameters: MapParameters) -> dict[str, float]:
    """Errors of hits, and what nuScenes makes of all together."""
    column = _TWO_METRES if parameters.measure == "centre" else 0
    means = {}
    for kind, name in enumerate(ERRORS):
        found = [
            table.detections().error(kind, column) if len(table.truth_owner) else 1.0
            for table in tables if name not in _WITHOUT.get(table.label, ())
        ]  # fmt: skip
        if found:
            means[name] = math.fsum(found) / len(found)
    reached = [float(table.hits[:, column].sum()) / len(table.truth_owner) for table in tables if len(table.truth_owner)]
    named = {"max_recall": 100.0 * math.fsum(reached) / len(reached)}
    if parameters.measure == "centre" and len(means) == len(ERRORS):
        named["nds"] = (5.0 * value + 100.0 * math.fsum(max(0.0, 1.0 - error) for error in means.values())) / 10.0
    velocity, attribute = (bool(known.any()) for known in rows.column("known").T)
    shown = ("ate", "ase", "aoe", *("ave",) * velocity, *("aae",) * attribute)
    return named | {f"m{name}": means[name] for name in shown if name in means}


def _warnings(rows: Rows, unknown: float) -> tuple[str, ...]:
    unscored = np.isnan(rows.values["scores"])
    scores = ("no_scores",) if len(unscored) and unscored.all() else ("some_scores_missing",) if unscored.any() else ()
    return scores + ("unknown_labels",) * (unknown > 0.5)


def interval(rows: Rows, parameters: MapParameters) -> Interval | None:
    """Bootstrap over frames."""
    every = parameters.classes == "nuscenes"
    tables = class_tables(rows, every)

    def value(weights: NDArray[np.float64]) -> float:
        weighted = [table.detections(weights) for table in tables]
        found = [np.mean(_precisions(table, parameters)) for table in weighted if every or table.positives]
        return 100.0 * float(np.mean(found)) if found else math.nan

    cost = max(1, 4 * sum(len(table.scores) for table in tables))
    return bootstrap_weighted(rows.keys, value, max(100, min(REPLICATES, _WORK // cost)))


def samples(rows: Rows, parameters: MapParameters) -> NDArray[np.float64]:
    """mAP of each frame alone, over the classes it has references of; NaN for one without."""
    total, count = np.zeros(len(rows)), np.zeros(len(rows))
    for table in class_tables(rows, False):
        for frame, detections in table.by_frame():
            total[frame] += np.mean(_precisions(detections, parameters))
            count[frame] += 1
    return np.asarray(np.divide(100.0 * total, count, out=np.full(len(rows), np.nan), where=count > 0))


METRIC = Metric(
    id="map", version=1, input_kind="boxes_3d", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=MapParameters,
    columns={
        "labels": Column("i8", ragged=True), "scores": Column("f8", ragged=True), "hits": Column("u1", (len(DISTANCES),), ragged=True),
        "errors": Column("f8", (len(ERRORS),), ragged=True), "true_labels": Column("i8", ragged=True), "known": Column("u1", (2,)),
    },
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)  # fmt: skip
