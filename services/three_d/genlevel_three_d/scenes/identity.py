"""HOTA (Luiten et al. 2021) and IDF1 (Ristani et al. 2016) of tracks whose likeness to an object is 1 - distance / 2 m, at least 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.scenes.association import Frame

ALPHAS = np.arange(0.05, 0.99, 0.05)
_EPS = float(np.finfo("float").eps)
_NEAR = 2.0

Kept = list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]
"""Of each frame: places of its objects, places of its tracks, likeness of each pair."""


def identity_measures(scenes: Sequence[Sequence[Frame]], threshold: float) -> dict[str, float]:
    """HOTA, DetA, AssA and IDF1 of all scenes together, in percent, with the tracks that have that score or more."""
    parts = [_scene(scene, threshold) for scene in scenes]
    true, false, missed, associated = (np.sum([part[place] for part in parts], axis=0) for place in range(4))
    found = true / np.maximum(1, true + false + missed)
    linked = np.divide(associated, true, out=np.zeros_like(associated), where=true > 0)
    ids = np.sum([part[4] for part in parts], axis=0)
    return {
        "hota": 100.0 * float(np.mean(np.sqrt(found * linked))), "deta": 100.0 * float(np.mean(found)), "assa": 100.0 * float(np.mean(linked)),
        "idf1": 100.0 * float(ids[0] / max(1.0, ids[0] + 0.5 * ids[1] + 0.5 * ids[2])),
    }  # fmt: skip


def _scene(frames: Sequence[Frame], threshold: float) -> tuple[NDArray[np.float64], ...]:
    """Hits, false alarms, misses and association of a scene at each alpha; and the hits, false alarms and misses of identities."""
    kept, objects, tracks = _kept(frames, threshold)
    mine, theirs = float(sum(len(rows) for rows, _, _ in kept)), float(sum(len(columns) for _, columns, _ in kept))
    true, none = np.zeros(len(ALPHAS)), np.zeros(len(ALPHAS))
    if not objects or not tracks:
        return true, none + theirs, none + mine, none, np.array([0.0, theirs, mine])
    shared, of_object, of_track, together = _overall(kept, objects, tracks)
    likeness = shared / (of_object[:, None] + of_track[None] - shared)
    pairs = np.zeros((len(ALPHAS), objects, tracks))
    for rows, columns, alike in kept:
        _count(pairs, rows, columns, alike, likeness[np.ix_(rows, columns)] * alike)
    true = pairs.sum(axis=(1, 2))
    linked = pairs / np.maximum(1, of_object[:, None] + of_track[None] - pairs)
    held = _identities(together)
    return true, theirs - true, mine - true, (pairs * linked).sum(axis=(1, 2)), np.array([held, theirs - held, mine - held])


def _kept(frames: Sequence[Frame], threshold: float) -> tuple[Kept, int, int]:
    """The frames under the threshold, with objects and tracks numbered from 0."""
    objects: dict[int, int] = {}
    tracks: dict[int, int] = {}
    kept: Kept = []
    for frame in frames:
        names = [track for track, score in frame.scores.items() if score >= threshold]
        rows = np.array([objects.setdefault(name, len(objects)) for name in frame.objects], np.int64)
        columns = np.array([tracks.setdefault(name, len(tracks)) for name in names], np.int64)
        alike = np.array([[max(0.0, 1.0 - near.get(name, _NEAR) / _NEAR) for name in names] for near in frame.near]).reshape(len(rows), len(columns))
        kept.append((rows, columns, alike))
    return kept, len(objects), len(tracks)


def _overall(kept: Kept, objects: int, tracks: int) -> tuple[NDArray[np.float64], ...]:
    """How alike objects and tracks are over the scene, frames of each, and frames in which they are near."""
    shared, together = np.zeros((objects, tracks)), np.zeros((objects, tracks))
    of_object, of_track = np.zeros(objects), np.zeros(tracks)
    for rows, columns, alike in kept:
        whole = alike.sum(axis=0)[None] + alike.sum(axis=1)[:, None] - alike
        shared[np.ix_(rows, columns)] += np.divide(alike, whole, out=np.zeros_like(alike), where=whole > _EPS)
        together[np.ix_(rows, columns)] += alike > 0
        of_object[rows] += 1
        of_track[columns] += 1
    return shared, of_object, of_track, together


def _count(pairs: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64], alike: NDArray[np.float64], worth: NDArray[np.float64]) -> None:
    from scipy.optimize import linear_sum_assignment

    if not alike.size:
        return
    first, second = linear_sum_assignment(-worth)
    for place, alpha in enumerate(ALPHAS):
        enough = alike[first, second] >= alpha - _EPS
        pairs[place, rows[first[enough]], columns[second[enough]]] += 1


def _identities(together: NDArray[np.float64]) -> float:
    """Most frames that one-to-one identities can cover."""
    from scipy.optimize import linear_sum_assignment

    return float(together[linear_sum_assignment(-together)].sum())
