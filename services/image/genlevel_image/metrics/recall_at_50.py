"""Recall@50 of scene graphs: share of the reference's triples among the 50 best predicted ones.

    R@50(picture) = triples of the reference that one of the 50 best predicted triples matches / triples of the reference
    recall_at_50  = 100 * mean over pictures that have triples

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sample: the mean over pictures with triples; a missing answer finds none
    Sample      prediction and reference, lists of triples; the first reference counts. Without scores the order is the rank
    State       a row of (hits, triples, predicted, of each triple its predicate and whether it was found), keyed by sample
    Undefined   no reference with a triple: no_reference
    Source      Lu et al. 2016, arXiv 1608.00187; one predicate a pair of subject and object as in scene graph detection
    Checked with  maximum matchings of SciPy 1.17 where boxes are absent, and a transcription of the definition
    Differs from  evaluations in which one prediction may match several triples: here each matches one. Names are compared in lower case. Where the
                reference has boxes both must have an IoU of at least 0.5. Text answers have no confidence: their order of mention is the rank.

With fewer than 50 predictions nothing is lost by guessing more, so precision stands beside, and the mean of the recalls of the predicates.

    >>> hits, triples = 3, 4
    >>> 100 * hits / triples
    75.0
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
from genlevel_image.detection.box_overlap import box_format, corners_of, intersections
from genlevel_image.forms.scene_graphs import Triples


@dataclass(frozen=True)
class RecallParameters(Parameters):
    """Parameters of recall at k.

    Attributes:
        k: how many of the best predicted triples count.
        iou: smallest intersection over union of both boxes, where the reference has boxes; equality matches.
        one_predicate: of triples of one subject and object, keep only those with the predicate of the best.
        bbox_format: corners, or corner and size.
        coordinates: pixels, shares of the picture's size, or thousandths of it.
    """

    k: int = 50
    iou: float = 0.5
    one_predicate: bool = True
    bbox_format: Literal["xyxy", "xywh"] = "xyxy"
    coordinates: Literal["pixels", "unit", "per_mille"] = "pixels"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError("k must be 1 or more")
        if not 0 < self.iou <= 1:
            raise ValueError("iou must be above 0 and at most 1")


def observe(sample: Sample, parameters: RecallParameters) -> Row:
    """Which triples of the reference were found."""
    truth, guess = sample.reference, sample.prediction
    true_boxes = _corners(truth, sample, parameters, "reference")
    if np.isnan(true_boxes).any() and not np.isnan(true_boxes).all():
        raise SampleError("MIXED_BOXES", "some triples of the reference have both boxes, others not", remedy="give both boxes to all or to none", side="reference")
    boxes = _corners(guess, sample, parameters, "prediction")
    kept = _best(guess, boxes, parameters)
    found = _found(guess.names[kept], boxes[kept], truth.names, true_boxes, parameters)
    return _row(truth, found, len(kept))


def missing(sample: Sample, parameters: RecallParameters) -> Row:
    """Nothing is found."""
    del parameters
    return _row(sample.reference, np.zeros(len(sample.reference.names), dtype=bool), 0)


def score(rows: Rows, parameters: RecallParameters) -> Score:
    """Mean over pictures with triples."""
    values = samples(rows, parameters)
    defined = values[np.isfinite(values)]
    if not len(defined):
        return Score(None, "no_reference")
    predicate, found = rows.values["predicates"].reshape(-1, 2).T
    _, place = np.unique(predicate, return_inverse=True)
    each = np.bincount(place, weights=found.astype(np.float64)) / np.bincount(place)
    hits, predicted = rows.column("hits"), rows.column("predicted")
    companions = {"mean_recall": 100.0 * math.fsum(each) / len(each), "predicates": float(len(each)), "pictures": float(len(defined))}
    if predicted.sum():
        companions["precision"] = 100.0 * float(hits.sum() / predicted.sum())
    companions["predicted_per_picture"] = float(predicted.mean())
    return Score(math.fsum(defined) / len(defined), companions=companions)


def samples(rows: Rows, parameters: RecallParameters) -> NDArray[np.float64]:
    """Recall of each picture; none where the reference has no triple."""
    del parameters
    hits, triples = rows.column("hits").astype(np.float64), rows.column("triples").astype(np.float64)
    return np.asarray(np.divide(100.0 * hits, triples, out=np.full(len(rows), np.nan), where=triples > 0))


def interval(rows: Rows, parameters: RecallParameters) -> Interval | None:
    """Bootstrap over pictures with triples."""
    values = samples(rows, parameters)
    defined = np.isfinite(values)
    return bootstrap_mean([key for key, kept in zip(rows.keys, defined, strict=True) if kept], values[defined])


def _corners(triples: Triples, sample: Sample, parameters: RecallParameters, side: str) -> NDArray[np.float64]:
    """Boxes of subject and object in pixels, NaN where a triple lacks one of them."""
    result = np.full((len(triples.names), 2, 4), np.nan)
    given = ~np.isnan(triples.boxes).any(axis=(1, 2))
    form = box_format(sample.attributes, parameters.bbox_format)
    flat = corners_of(triples.boxes[given].reshape(-1, 4), form, parameters.coordinates, triples.image_size, side, "")
    result[given] = flat.reshape(-1, 2, 4)
    return result


def _best(guess: Triples, boxes: NDArray[np.float64], parameters: RecallParameters) -> NDArray[np.int64]:
    """Places of the triples that count, best first."""
    order = np.argsort(-np.where(np.isnan(guess.scores), -np.inf, guess.scores), kind="stable")
    if not parameters.one_predicate:
        return order[: parameters.k]
    chosen: dict[tuple[int, int, bytes], int] = {}
    kept = []
    for place in order.tolist():
        subject, predicate, thing = guess.names[place].tolist()
        if chosen.setdefault((subject, thing, boxes[place].tobytes()), predicate) == predicate:
            kept.append(place)
        if len(kept) == parameters.k:
            break
    return np.array(kept, dtype=np.int64)


def _found(
    names: NDArray[np.int64], boxes: NDArray[np.float64], true_names: NDArray[np.int64], true_boxes: NDArray[np.float64], parameters: RecallParameters
) -> NDArray[np.bool_]:
    """Which triples of the reference are matched: in order of rank each takes the free one that it overlaps best, the first of equals."""
    found = np.zeros(len(true_names), dtype=bool)
    for name, box in zip(names, boxes, strict=True):
        fit = np.where((true_names == name).all(axis=1) & ~found, 1.0, 0.0)
        if not np.isnan(true_boxes).any():
            overlap = np.minimum(*(_iou(box[part], true_boxes[:, part]) for part in (0, 1)))
            fit = np.where(overlap >= parameters.iou, fit * overlap, 0.0)
        if fit.max(initial=0.0) > 0:
            found[int(fit.argmax())] = True
    return found


def _iou(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU of a box with others; 0 where it is NaN."""
    if np.isnan(box).any():
        return np.zeros(len(others))
    shared = intersections(np.broadcast_to(box, others.shape), others)
    union = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0))


def _row(truth: Triples, found: NDArray[np.bool_], predicted: int) -> Row:
    predicates = np.column_stack([truth.names[:, 1], found]).astype(np.int64)
    return {"hits": int(found.sum()), "triples": len(found), "predicted": predicted, "predicates": predicates}


METRIC = Metric(
    id="recall_at_50", version=1, input_kind="scene_graph", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=RecallParameters,
    columns={"hits": Column("i8"), "triples": Column("i8"), "predicted": Column("i8"), "predicates": Column("i8", (2,), ragged=True)},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)
