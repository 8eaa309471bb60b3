"""AMOTA: accuracy of 3D tracks, averaged over forty recalls.

    amota = 100 * mean over classes of the mean over the recalls 0.1, ..., 1 of MOTAR
    MOTAR = max(0, 1 - (misses + switches + false alarms - (1 - recall) objects) / (recall objects))

A track may hold an object of its class less than 2 m away on the ground; the score of a track is the mean of its boxes'. Each recall is
reached at a score that comes from the matches of all scenes; a recall that is not reached counts 0.

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes with references, each over all scenes
    Sample      prediction and reference, the boxes of one whole scene, frame by frame, each with its track
    State       rows of (frame, track, class, x, y, score) of both sides, keyed by scene
    Undefined   no class has a reference: no_reference
    Source      nuScenes tracking (Caesar et al. 2020, arXiv 1903.11027); Weng et al. 2020; CLEAR MOT: Bernardin and Stiefelhagen 2008;
                HOTA: Luiten et al. 2021; IDF1: Ristani et al. 2016
    Checked with  nuscenes-devkit 1.2.0 (create_tracks, TrackingEvaluation, on motmetrics 1.4) and TrackEval 1.0.0
    Differs from  the devkit takes distances from squares of world coordinates, whose rounding shows in the motp of boxes at one place; of tracks at exactly one distance either may hold an object.
                Fill-ins between the frames of a track weigh its two ends the wrong way round there, which matters for gaps of two frames and
                more; `fill=devkit` does the same, `fill=linear` does not. Frames half a second apart are assumed for tid and lgd.

Beside it, at the score of the best MOTA of each class: mota, recall (percent), motp (m), ids, frag, mt, ml, tp, fp, fn, tid, lgd (s), faf;
amotp (m, over the recalls); hota, deta, assa, idf1 (percent); AMOTA of nuScenes' classes. The interval draws scenes and keeps the scores of the recalls.

    >>> from genlevel_three_d.scenes.association import Frame, associate
    >>> frames = [Frame([1], {7: 0.9}, [0.9], [{7: 0.5}]), Frame([1], {8: 0.9}, [0.9], [{8: 0.1}]), Frame([1], {}, [], [{}])]
    >>> scene = associate(frames, 0.5)
    >>> scene.matches, scene.switches, scene.misses, scene.false
    (1, 1, 1, 0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_three_d.forms.tracks import Tracks
from genlevel_three_d.scenes.identity import identity_measures
from genlevel_three_d.scenes.scene_tracks import NAMES, aligned, averaged, filled, in_range, whole_stamps
from genlevel_three_d.scenes.tracking import ClassCurve, alone, class_curves

_SUMMED = ("mt", "ml", "tp", "fp", "fn", "ids", "frag")
_PERCENT = ("mota", "recall")


@dataclass(frozen=True)
class AmotaParameters(Parameters):
    """Parameters of AMOTA.

    Attributes:
        fill: how the frames are filled in that a track is away for: `devkit` with the ends of the gap swapped, `linear` along the line.
        ranges: `nuscenes` leaves out boxes beyond the range of their class where the reference says where the ego vehicle is.
    """

    fill: Literal["devkit", "linear"] = "devkit"
    ranges: Literal["nuscenes", "none"] = "nuscenes"


def observe(sample: Sample, parameters: AmotaParameters) -> Row:
    """The boxes of one scene."""
    return _row(sample.reference, aligned(sample.prediction, sample.reference), parameters)


def missing(sample: Sample, parameters: AmotaParameters) -> Row:
    """A scene without tracks."""
    return _row(sample.reference, sample.reference.take(np.zeros(0, np.int64)), parameters)


def _row(reference: Tracks, prediction: Tracks, parameters: AmotaParameters) -> Row:
    times = np.arange(reference.frames, dtype=np.float64) if reference.times is None else whole_stamps(reference.times)
    ego = reference.ego if parameters.ranges == "nuscenes" else None
    mirrored = parameters.fill == "devkit"
    truth = filled(in_range(reference.take(reference.points != 0), ego), times, mirrored)
    kept = in_range(prediction, ego)
    guess = filled(replace(kept, scores=averaged(kept)), times, mirrored)
    return {
        "places": np.column_stack([guess.frame, guess.tracks, guess.labels]), "values": np.column_stack([guess.centers, guess.scores]),
        "true_places": np.column_stack([truth.frame, truth.tracks, truth.labels]), "true_centers": truth.centers,
    }  # fmt: skip


def score(rows: Rows, parameters: AmotaParameters) -> Score:
    """Mean over classes."""
    del parameters
    curves = class_curves(rows)
    if not curves:
        return Score(None, "no_reference")
    parts = [curve.summary() for curve in curves]
    value = 100.0 * math.fsum(part["motar"] for part in parts) / len(parts)
    companions = {f"amota_{NAMES[curve.label]}": 100.0 * part["motar"] for curve, part in zip(curves, parts, strict=True) if curve.label in NAMES}
    for name in ("amotp", "mota", "motp", "recall", "tid", "lgd", "faf", *_SUMMED):
        found = [part[name] for part in parts if not math.isnan(part.get(name, math.nan))]
        if found:
            total = math.fsum(found)
            companions[name] = total if name in _SUMMED else (100.0 if name in _PERCENT else 1.0) * total / len(found)
    companions |= _identities(curves) | {"classes": float(len(curves))}
    scores = rows.values["values"][:, 2]
    warnings = ("no_scores",) if len(scores) and np.isnan(scores).all() else ("some_scores_missing",) if np.isnan(scores).any() else ()
    return Score(value, companions=companions, warnings=warnings)


def _identities(curves: list[ClassCurve]) -> dict[str, float]:
    """HOTA and IDF1 at the score of the best MOTA, mean over classes."""
    nothing = math.inf
    found = [identity_measures(curve.scenes, float(curve.thresholds[curve.best]) if not np.isnan(curve.thresholds).all() else nothing) for curve in curves]
    return {name: math.fsum(part[name] for part in found) / len(found) for name in found[0]}


def interval(rows: Rows, parameters: AmotaParameters) -> Interval | None:
    """Bootstrap over scenes, at the scores of all of them."""
    del parameters
    curves = class_curves(rows)
    shape = curves[0].counts.shape[1:]

    def value(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = totals.reshape(len(totals), len(curves), -1)
        found = [
            np.where(parts[:, place, -1] > 0, curve.motar(parts[:, place, :-1].reshape(-1, *shape)).mean(axis=1), np.nan)
            for place, curve in enumerate(curves)
        ]  # fmt: skip
        present = ~np.isnan(found)
        return np.asarray(100.0 * np.where(present, found, 0.0).sum(axis=0) / present.sum(axis=0))

    table = np.hstack([np.column_stack([curve.counts.reshape(len(rows), -1), curve.objects]) for curve in curves])
    return bootstrap(rows.keys, table, value)


def samples(rows: Rows, parameters: AmotaParameters) -> NDArray[np.float64]:
    """AMOTA of each scene alone, over the classes it has references of; NaN for one without."""
    del parameters
    total, count = np.zeros(len(rows)), np.zeros(len(rows))
    for curve in class_curves(rows):
        for scene, own in alone(curve):
            total[scene] += own.summary()["motar"]
            count[scene] += 1
    return np.asarray(np.divide(100.0 * total, count, out=np.full(len(rows), np.nan), where=count > 0))


METRIC = Metric(
    id="amota", version=2, input_kind="tracks_3d", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=AmotaParameters,
    columns={
        "places": Column("i8", (3,), ragged=True), "values": Column("f8", (3,), ragged=True),
        "true_places": Column("i8", (3,), ragged=True), "true_centers": Column("f8", (2,), ragged=True),
    },
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)  # fmt: skip
