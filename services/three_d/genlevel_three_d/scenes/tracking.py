"""AMOTA and its parts over all scenes: one class after another, at the forty scores that reach the forty recalls."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.states import Rows
from genlevel_three_d.scenes.association import COUNTS, Frame, associate

RECALLS = np.linspace(0.1, 1.0, 40).round(12)
NEAR = 2.0
"""Metres on the ground below which a track may hold an object."""
_AT = {name: place for place, name in enumerate(COUNTS)}


@dataclass(frozen=True)
class ClassCurve:
    """One class.

    Attributes:
        label: its number.
        scenes: its frames in each scene.
        objects: boxes of references in each scene.
        tracks: tracks of references in each scene.
        thresholds: score that reaches each recall, from recall 1 downwards; NaN where none does.
        counts: shape (scenes, 40, COUNTS); zero where the recall is not reached.
    """

    label: int
    scenes: list[list[Frame]]
    objects: NDArray[np.int64]
    tracks: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    counts: NDArray[np.float64]

    def motar(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """MOTAR of totals in the last axis; 0 where a recall is not reached or nothing is held."""
        matches, switches, false, misses = (totals[..., _AT[name]] for name in ("matches", "switches", "false", "misses"))
        objects = matches + switches + misses
        lost = misses + switches + false - (objects - matches)
        ratio = np.divide(lost, matches, out=np.ones_like(lost), where=matches > 0)
        return np.asarray(np.maximum(0.0, 1.0 - ratio))

    def summary(self) -> dict[str, float]:
        """Companions of the class by name; shares are fractions."""
        totals = self.counts.sum(axis=0)
        reached = ~np.isnan(self.thresholds)
        objects = float(self.objects.sum())
        if not reached.any():
            worst = {"motar": 0.0, "amotp": NEAR, "mota": 0.0, "motp": NEAR, "recall": 0.0, "tid": 20.0, "lgd": 20.0, "faf": 500.0}
            return worst | {"mt": 0.0, "ml": float(self.tracks.sum()), "tp": 0.0, "fn": objects}
        values = {name: totals[:, place] for name, place in _AT.items()}
        with np.errstate(invalid="ignore", divide="ignore"):
            motp = values["distance"] / (values["matches"] + values["switches"])
            mota = np.maximum(0.0, 1.0 - (values["misses"] + values["switches"] + values["false"]) / objects)
            tid, lgd = values["delay"] / values["held_tracks"], values["gap"] / values["held_tracks"]
        best = self.best
        chosen = {"mota": mota, "motp": motp, "recall": (values["matches"] + values["switches"]) / objects, "tid": tid, "lgd": lgd, "faf": 100 * values["false"] / np.maximum(values["frames"], 1)}
        counted = {"mt": "mostly_tracked", "ml": "mostly_lost", "tp": "matches", "fp": "false", "fn": "misses", "ids": "switches", "frag": "fragments"}
        return (
            {"motar": float(self.motar(totals).mean()), "amotp": float(np.where(reached & ~np.isnan(motp), motp, NEAR).mean())}
            | {name: float(found[best]) for name, found in chosen.items()}
            | {name: float(values[source][best]) for name, source in counted.items()}
        )  # fmt: skip

    @property
    def best(self) -> int:
        """Place of the threshold with the best MOTA; of equal ones that of the highest recall."""
        totals = self.counts.sum(axis=0)
        errors = totals[:, _AT["misses"]] + totals[:, _AT["switches"]] + totals[:, _AT["false"]]
        mota = np.maximum(0.0, 1.0 - errors / float(self.objects.sum()))
        return int(np.nanargmax(np.where(np.isnan(self.thresholds), -1.0, mota)))


_last: tuple[weakref.ref[Rows], list[ClassCurve]] | None = None


def class_curves(rows: Rows) -> list[ClassCurve]:
    """The curve of each class with references. Those of the last state are kept, for its value, interval and details are asked for one after another."""
    global _last
    if _last is None or _last[0]() is not rows:
        _last = (weakref.ref(rows), [_curve(*part) for part in _classes(rows)])
    return _last[1]


def alone(curve: ClassCurve) -> Iterator[tuple[int, ClassCurve]]:
    """The class in each scene that has references of it, at thresholds of its own."""
    for scene in np.flatnonzero(curve.objects).tolist():
        one = slice(scene, scene + 1)
        yield scene, _curve(curve.label, curve.scenes[one], curve.objects[one], curve.tracks[one])


def _curve(label: int, scenes: list[list[Frame]], objects: NDArray[np.int64], tracks: NDArray[np.int64]) -> ClassCurve:
    thresholds = score_thresholds([score for scene in scenes for score in associate(scene, -np.inf).scores], int(objects.sum()))
    counts = np.zeros((len(scenes), len(RECALLS), len(COUNTS)))
    for place, threshold in enumerate(thresholds.tolist()):
        if np.isnan(threshold):
            continue
        if place and threshold == thresholds[place - 1]:
            counts[:, place] = counts[:, place - 1]
        else:
            counts[:, place] = [associate(scene, threshold).counts() for scene in scenes]
    return ClassCurve(label, scenes, objects, tracks, thresholds, counts)


def score_thresholds(scores: Sequence[float], objects: int) -> NDArray[np.float64]:
    """The score at which each recall is reached, from recall 1 downwards; NaN where it is not.

    >>> score_thresholds([0.9, 0.5], 4)[-1].item(), int(np.isnan(score_thresholds([0.9, 0.5], 4)).sum())
    (0.9, 22)
    """
    if not len(scores):
        return np.full(len(RECALLS), np.nan)
    falling = np.sort(np.array(scores))[::-1]
    recall = np.arange(1, len(falling) + 1) / objects
    found = np.interp(RECALLS, recall, falling, right=0)
    found[recall.max() < RECALLS] = np.nan
    return np.asarray(found[::-1])


Part = tuple[int, list[list[Frame]], NDArray[np.int64], NDArray[np.int64]]


def _classes(rows: Rows) -> Iterator[Part]:
    """Label, frames, boxes and tracks of references, by scene, of each class with references."""
    true, guess = rows.ragged("true_places"), rows.ragged("places")
    centers, values = rows.ragged("true_centers"), rows.ragged("values")
    every = rows.values["values"][:, 2]
    unknown = 1.0 if len(every) and np.isnan(every).all() else 0.0
    for label in np.unique(rows.values["true_places"][:, 2]).tolist():
        scenes, objects, tracks = [], [], []
        for scene in range(len(rows)):
            mine, theirs = true[scene][:, 2] == label, guess[scene][:, 2] == label
            scored = np.nan_to_num(values[scene][theirs], nan=unknown)
            scenes.append(_frames(true[scene][mine], centers[scene][mine], guess[scene][theirs], scored))
            objects.append(int(mine.sum()))
            tracks.append(len(np.unique(true[scene][mine, 1])))
        yield label, scenes, np.array(objects), np.array(tracks)


def _frames(true: NDArray[np.int64], centers: NDArray[np.float64], guess: NDArray[np.int64], values: NDArray[np.float64]) -> list[Frame]:
    """The frames of a scene that have any box of the class."""
    numbers = np.union1d(true[:, 0], guess[:, 0])
    starts, ends = (np.searchsorted(true[:, 0], numbers, side) for side in ("left", "right"))
    first, last = (np.searchsorted(guess[:, 0], numbers, side) for side in ("left", "right"))
    found = []
    for a, b, c, d in zip(starts.tolist(), ends.tolist(), first.tolist(), last.tolist(), strict=True):
        tracks, scores = guess[c:d, 1].tolist(), values[c:d, 2].tolist()
        gaps = np.linalg.norm(centers[a:b, None] - values[None, c:d, :2], axis=2)
        near: list[dict[int, float]] = [{} for _ in range(b - a)]
        places, columns = np.nonzero(gaps < NEAR)
        for place, column, gap in zip(places.tolist(), columns.tolist(), gaps[places, columns].tolist(), strict=True):
            near[place][tracks[column]] = gap
        found.append(Frame(true[a:b, 1].tolist(), dict(zip(tracks, scores, strict=True)), sorted(scores), near))
    return found
