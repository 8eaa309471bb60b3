"""Instance AP of point clouds at IoU 0.50, as ScanNet's benchmark has it.

    map_50 = 100 * mean over classes with references of AP at an intersection over union above 0.50
    AP     = sum over the scores of precision times half the recall between the scores on either side; precision 1 at recall 0

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes with references of the AP over all scans
    Sample      prediction: objects of one scan as sets of points with class and score; reference: class and object of every point
    State       rows of (class, points, points of void) of predictions with their scores, (class, points) of references, and shared points of
                pairs, keyed by scan
    Undefined   no reference of 100 points or more: no_reference
    Source      ScanNet (Dai et al. 2017), evaluate_semantic_instance
    Checked with  a port of that script written in the test, from its published behaviour; derivations
    Differs from  the script takes predictions in the order of files where the overlap is 0.50 or less and several find one object; here the surest comes
                first. Points with a class and object 0 are void here. The script's mean ends at 0.90 (ap_50_90); ap_50_95 has the last one too.
                Objects and predictions of fewer than 100 points do not count (`min_points`).

A prediction that finds nothing is no false alarm where more of it than the overlap lies on void or on objects too small to count.
Beside it: ap_25, ap_50_95, ap_50_90, recall (share of references found), and ap_<class number> at 0.50.

    >>> from genlevel_three_d.scenes.instance_curves import Outcome, average_precision
    >>> scans = [Outcome(np.array([0.9]), np.array([1.0]), 1, 2)]  # one of two found
    >>> average_precision(scans, np.ones(1), True)
    0.5
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import REPLICATES, Interval, bootstrap_weighted
from genlevel_three_d.forms.instances import SCANNET, Instance, Scan
from genlevel_three_d.scenes.instance_curves import Outcome, ScanMatches, average_precision, outcome

_THRESHOLDS = tuple(np.arange(0.5, 0.95, 0.05).tolist())
"""Of the script; 0.95 follows apart."""
_WORK = 20_000_000


@dataclass(frozen=True)
class Map50Parameters(Parameters):
    """Parameters of instance AP.

    Attributes:
        classes: `references` are those of the references, but 0; `scannet` the benchmark's eighteen. All others are void.
        min_points: objects of fewer points do not count, on either side.
    """

    classes: Literal["references", "scannet"] = "references"
    min_points: int = 100

    def __post_init__(self) -> None:
        if self.min_points < 1:
            raise ValueError("min_points must be 1 or more")


def observe(sample: Sample, parameters: Map50Parameters) -> Row:
    """Shared points of the objects of one scan."""
    return _row(sample.prediction, sample.reference, parameters)


def missing(sample: Sample, parameters: Map50Parameters) -> Row:
    """A scan without predictions."""
    return _row([], sample.reference, parameters)


def _row(found: Sequence[Instance], scan: Scan, parameters: Map50Parameters) -> Row:
    valid = (scan.instances > 0) & (scan.labels > 0)
    if parameters.classes == "scannet":
        valid &= np.isin(scan.labels, list(SCANNET.values()))
    keys = np.column_stack([scan.labels, scan.instances])[valid]
    objects, number, sizes = np.unique(keys, axis=0, return_inverse=True, return_counts=True) if len(keys) else (keys, np.zeros(0, np.int64), np.zeros(0, np.int64))
    place = np.full(len(scan.labels), len(objects))
    place[valid] = number.ravel()
    small = sizes < parameters.min_points
    order = sorted(range(len(found)), key=lambda at: (-_sure(found[at].score), at))
    kept = [found[at] for at in order if len(_inside(found[at], scan)) >= parameters.min_points]
    guesses, pairs = [], []
    for rank, instance in enumerate(kept):
        shared = np.bincount(place[instance.points], minlength=len(objects) + 1)
        # As the script does, void is of any class, and small objects are ignored where they have the prediction's own.
        own = objects[:, 0] == instance.label
        guesses.append((instance.label, len(instance.points), int(shared[-1] + shared[:-1][own & small].sum())))
        pairs += [(rank, int(truth), int(shared[truth])) for truth in np.flatnonzero((shared[:-1] > 0) & own & ~small)]
    return {
        "guesses": np.array(guesses, np.int64).reshape(-1, 3), "scores": [instance.score for instance in kept],
        "truths": np.column_stack([objects[:, 0], sizes * ~small]), "pairs": np.array(pairs, np.int64).reshape(-1, 3),
    }  # fmt: skip


def _sure(score: float) -> float:
    return -math.inf if math.isnan(score) else score


def _inside(instance: Instance, scan: Scan) -> NDArray[np.int64]:
    """The points, after a look at whether the scan has them."""
    if instance.size not in (None, len(scan.labels)):
        raise SampleError(
            "LENGTH_MISMATCH", f"a mask has {instance.size} points, the scan {len(scan.labels)}", remedy="write 0 or 1 for every point", side="prediction"
        )
    if len(instance.points) and instance.points[-1] >= len(scan.labels):
        raise SampleError(
            "BAD_POINT", f"an object names point {instance.points[-1]} of {len(scan.labels)}", remedy="number the points of the scan from 0", side="prediction"
        )
    return instance.points


class _Classes:
    """The scans of each class with references, and their outcomes at each threshold, each made once."""

    def __init__(self, rows: Rows) -> None:
        guesses, truths, pairs, scores = (rows.ragged(name) for name in ("guesses", "truths", "pairs", "scores"))
        every = rows.values["scores"]
        unknown = 1.0 if len(every) and np.isnan(every).all() else 0.0
        counted = rows.values["truths"]
        self.labels = np.unique(counted[counted[:, 1] > 0, 0]).tolist()
        self.scans = {
            label: [_scan(label, *parts, unknown) for parts in zip(guesses, truths, pairs, scores, strict=True)] for label in self.labels
        }  # fmt: skip
        self.predicted = {label: any(len(scan.scores) for scan in scans) for label, scans in self.scans.items()}
        self._outcomes: dict[tuple[int, float], list[Outcome]] = {}

    def outcomes(self, label: int, threshold: float) -> list[Outcome]:
        """Outcomes of all scans."""
        if (label, threshold) not in self._outcomes:
            self._outcomes[label, threshold] = [outcome(scan, threshold) for scan in self.scans[label]]
        return self._outcomes[label, threshold]

    def precisions(self, threshold: float, weights: NDArray[np.float64]) -> list[float]:
        """AP of each class; NaN for one without references under these weights."""
        return [average_precision(self.outcomes(label, threshold), weights, self.predicted[label]) for label in self.labels]


def _scan(
    label: int, guesses: NDArray[np.int64], truths: NDArray[np.int64], pairs: NDArray[np.int64], scores: NDArray[np.float64], unknown: float
) -> ScanMatches:
    mine, theirs = guesses[:, 0] == label, (truths[:, 0] == label) & (truths[:, 1] > 0)
    own = pairs[mine[pairs[:, 0]]]
    places = np.column_stack([np.cumsum(mine)[own[:, 0]] - 1, np.cumsum(theirs)[own[:, 1]] - 1, own[:, 2]])
    return ScanMatches(np.nan_to_num(scores[mine], nan=unknown), guesses[mine, 1], guesses[mine, 2], truths[theirs, 1], places)


_last: tuple[weakref.ref[Rows], _Classes] | None = None


def _classes(rows: Rows) -> _Classes:
    """Those of the last state are kept: its value, interval and details are asked for one after another."""
    global _last
    if _last is None or _last[0]() is not rows:
        _last = (weakref.ref(rows), _Classes(rows))
    return _last[1]


def score(rows: Rows, parameters: Map50Parameters) -> Score:
    """Mean over classes."""
    del parameters
    found, ones = _classes(rows), np.ones(len(rows))
    if not found.labels:
        return Score(None, "no_reference")
    at = {threshold: found.precisions(threshold, ones) for threshold in (0.25, *_THRESHOLDS, 0.95)}
    mean = {threshold: 100.0 * math.fsum(values) / len(values) for threshold, values in at.items()}
    hits = sum(part.references - part.missed for label in found.labels for part in found.outcomes(label, 0.5))
    references = sum(part.references for label in found.labels for part in found.outcomes(label, 0.5))
    companions = {
        "ap_25": mean[0.25], "ap_50_90": math.fsum(mean[place] for place in _THRESHOLDS) / len(_THRESHOLDS),
        "ap_50_95": math.fsum(mean[place] for place in (*_THRESHOLDS, 0.95)) / (len(_THRESHOLDS) + 1), "recall": 100.0 * hits / references,
        "classes": float(len(found.labels)),
    } | {f"ap_{label}": 100.0 * ap for label, ap in zip(found.labels[:256], at[0.5], strict=False)}  # fmt: skip
    strange = ~np.isin(rows.values["guesses"][:, 0], found.labels)
    share = float(strange.mean()) if len(strange) else 0.0
    companions |= {"unknown_label_share": 100.0 * share} if share else {}
    scores = rows.values["scores"]
    warnings = ("no_scores",) if len(scores) and np.isnan(scores).all() else ("some_scores_missing",) if np.isnan(scores).any() else ()
    return Score(mean[0.5], companions=companions, warnings=warnings + ("unknown_labels",) * (share > 0.5))


def interval(rows: Rows, parameters: Map50Parameters) -> Interval | None:
    """Bootstrap over scans."""
    del parameters
    found = _classes(rows)

    def value(weights: NDArray[np.float64]) -> float:
        values = np.array(found.precisions(0.5, weights))
        present = ~np.isnan(values)
        return 100.0 * float(values[present].mean()) if present.any() else math.nan

    cost = max(1, len(rows.values["scores"]) + 20 * len(rows) * len(found.labels))
    return bootstrap_weighted(rows.keys, value, max(100, min(REPLICATES, _WORK // cost)))


def samples(rows: Rows, parameters: Map50Parameters) -> NDArray[np.float64]:
    """AP of each scan alone, over the classes it has references of; NaN for one without."""
    del parameters
    found, one = _classes(rows), np.ones(1)
    total, count = np.zeros(len(rows)), np.zeros(len(rows))
    for label in found.labels:
        for scan, part in enumerate(found.outcomes(label, 0.5)):
            if part.references:
                total[scan] += average_precision([part], one, bool(len(found.scans[label][scan].scores)))
                count[scan] += 1
    return np.asarray(np.divide(100.0 * total, count, out=np.full(len(rows), np.nan), where=count > 0))


METRIC = Metric(
    id="map_50", version=1, input_kind="instances_3d", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=Map50Parameters,
    columns={
        "guesses": Column("i8", (3,), ragged=True), "scores": Column("f8", ragged=True), "truths": Column("i8", (2,), ragged=True),
        "pairs": Column("i8", (3,), ragged=True),
    },
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)  # fmt: skip
