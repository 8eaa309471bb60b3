"""PQ: panoptic quality, the IoU of matched segments over matched and half of the unmatched ones, mean over classes.

    PQ(c) = sum of IoU over matches of class c / (TP + FP / 2 + FN / 2); a match is an IoU above 0.5
    pq    = 100 * mean of PQ(c) over the classes with any TP, FP or FN, over all pictures together

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes of ratios of sums over pictures; every segment of a missing picture is FN
    Sample      prediction and reference, panoptic segmentations of one size; the first reference counts
    State       rows of (class, TP, FP, FN, thing) and of the sums of IoU, keyed by sample
    Undefined   no reference, or no segment on either side: no_valid_pixel
    Source      Kirillov et al. 2019, arXiv 1801.00868, as the COCO panoptic evaluation computes it
    Checked with  torchmetrics.detection.PanopticQuality 1.9, and a direct transcription of the definition
    Differs from  nothing: void pixels of the reference leave the union, a prediction more than half on void or on a crowd of its class is ignored,
                crowds are never matched. A class is one of things where any reference says so.

    >>> tp, fp, fn, iou = 2, 1, 1, 1.5
    >>> iou / (tp + fp / 2 + fn / 2)
    0.5
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.pixels.grey import same_size
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_image.forms.panoptic import Segments

_THING, _STUFF = 1, 0


@dataclass(frozen=True)
class PqParameters(Parameters):
    """PQ has no parameters: the threshold of 0.5 is what makes matches unique."""


def observe(sample: Sample, parameters: PqParameters) -> Row:
    """Matches, and what is left of either side, by class."""
    del parameters
    guess, truth = sample.prediction, sample.reference
    same_size(guess.size, truth.size)
    span = len(guess.labels) + 1
    pairs = np.bincount((truth.places.astype(np.int64) * span + guess.places).ravel(), minlength=(len(truth.labels) + 1) * span)
    return _row(guess, truth, pairs.reshape(-1, span))


def missing(sample: Sample, parameters: PqParameters) -> Row:
    """Every segment of the reference is missed."""
    del parameters
    truth = sample.reference
    nothing = Segments(np.zeros_like(truth.places), truth.labels[:0], truth.things[:0], truth.crowd[:0], truth.areas[:0])
    return _row(nothing, truth, np.bincount(truth.places.ravel(), minlength=len(truth.labels) + 1)[:, None])


def score(rows: Rows, parameters: PqParameters) -> Score:
    """Mean over classes."""
    del parameters
    classes, counts, overlap, things = _totals(rows)
    if not len(classes):
        return Score(None, "no_valid_pixel")
    sums = np.array([math.fsum(column) for column in overlap.T])
    tp, fp, fn = (counts[:, :, kind].sum(axis=0) for kind in range(3))
    recognition = tp / (tp + fp / 2 + fn / 2)
    each = {"pq": sums / (tp + fp / 2 + fn / 2), "sq": np.divide(sums, tp, out=np.zeros_like(sums), where=tp > 0), "rq": recognition}
    companions = {
        "sq": _mean(each["sq"]), "rq": _mean(recognition),
        "classes": float(len(classes)), "tp": float(tp.sum()), "fp": float(fp.sum()), "fn": float(fn.sum()),
    }
    for name, kind in (("things", _THING), ("stuff", _STUFF)):
        if (things == kind).any():
            companions |= {f"{part}_{name}": _mean(values[things == kind]) for part, values in each.items()}
    return Score(_mean(each["pq"]), companions=companions)


def interval(rows: Rows, parameters: PqParameters) -> Interval | None:
    """Bootstrap over pictures."""
    del parameters
    classes, counts, overlap, _ = _totals(rows)
    number = len(classes)
    weighted = counts @ np.array([1.0, 0.5, 0.5])
    return bootstrap(rows.keys, np.hstack([overlap, weighted]), lambda totals: 100.0 * _quality(totals[:, :number], totals[:, number:])) if number else None


def samples(rows: Rows, parameters: PqParameters) -> NDArray[np.float64]:
    """PQ of each picture alone."""
    del parameters
    _, counts, overlap, _ = _totals(rows)
    return 100.0 * _quality(overlap, counts @ np.array([1.0, 0.5, 0.5]))


def _row(guess: Segments, truth: Segments, pairs: NDArray[np.int64]) -> Row:
    """Args: pairs: pixels that each segment of the truth shares with each of the guess, void first on both sides."""
    shared = pairs[1:, 1:]
    union = truth.areas[:, None] + guess.areas[None, :] - shared - pairs[0, 1:][None, :]
    same = truth.labels[:, None] == guess.labels[None, :]
    # Above a half of the union at most one partner is possible on either side.
    ours, theirs = np.nonzero((2 * shared > union) & same & ~truth.crowd[:, None])
    matched_truth, matched_guess = np.zeros(len(truth.labels), bool), np.zeros(len(guess.labels), bool)
    matched_truth[ours] = matched_guess[theirs] = True
    on_crowd = (shared * (same & truth.crowd[:, None])).sum(axis=0)
    ignored = 2 * (pairs[0, 1:] + on_crowd) > guess.areas
    lost, extra = ~matched_truth & ~truth.crowd, ~matched_guess & ~ignored
    labels = np.concatenate([truth.labels[ours], guess.labels[extra], truth.labels[lost]])
    kinds = np.repeat([0, 1, 2], [len(ours), int(extra.sum()), int(lost.sum())])
    things = np.concatenate([truth.things[ours], np.full(int(extra.sum()), 2), truth.things[lost]])
    overlap = np.concatenate([shared[ours, theirs] / union[ours, theirs], np.zeros(len(labels) - len(ours))])
    return _by_class(labels, kinds, things, overlap)


def _by_class(labels: NDArray[np.int64], kinds: NDArray[np.int64], things: NDArray[np.int64], overlap: NDArray[np.float64]) -> Row:
    classes, place = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(classes), 5), np.int64)
    counts[:, 0], counts[:, 4] = classes, 2
    np.add.at(counts, (place, kinds + 1), 1)
    for kind in (_STUFF, _THING):  # a thing where any segment says so
        counts[place[things == kind], 4] = kind
    sums = np.array([math.fsum(overlap[place == number]) for number in range(len(classes))], dtype=np.float64)
    return {"counts": counts, "overlap": sums}


def _totals(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Classes; TP, FP and FN a picture and class; sums of IoU a picture and class; which classes are things."""
    counts = rows.values["counts"].astype(np.int64)
    classes, place = np.unique(counts[:, 0], return_inverse=True)
    owner = np.repeat(np.arange(len(rows)), rows.lengths["counts"])
    dense, overlap = np.zeros((len(rows), len(classes), 3)), np.zeros((len(rows), len(classes)))
    dense[owner, place] = counts[:, 1:4]
    overlap[owner, place] = rows.values["overlap"]
    things = np.full(len(classes), 2)
    for kind in (_STUFF, _THING):
        things[place[counts[:, 4] == kind]] = kind
    return classes, dense, overlap, things


def _quality(overlap: NDArray[np.float64], weighted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the classes that occur, in the last axis; NaN without any."""
    present = weighted > 0
    ratio = np.divide(overlap, weighted, out=np.zeros_like(overlap), where=present)
    number = present.sum(axis=-1)
    return np.asarray(np.divide(ratio.sum(axis=-1), number, out=np.full(len(number), np.nan), where=number > 0))


def _mean(values: NDArray[np.float64]) -> float:
    return 100.0 * math.fsum(values) / len(values)


COLUMNS: Mapping[str, Column] = {"counts": Column("i8", (5,), ragged=True), "overlap": Column("f8", ragged=True)}

METRIC = Metric(
    id="pq", version=1, input_kind="panoptic", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=PqParameters, columns=COLUMNS, observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)
