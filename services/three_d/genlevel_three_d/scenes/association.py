"""CLEAR MOT association: which track holds which object, frame by frame (Bernardin and Stiefelhagen 2008).

An object keeps the track that held it last while that is near; the others are assigned so that as many as can be are held, at the
least sum of distances.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

COUNTS = (
    "matches", "switches", "false", "misses", "distance", "frames", "fragments", "mostly_tracked", "mostly_lost", "delay", "gap", "held_tracks",
    "tracks",
)  # fmt: skip
"""What a scene adds at one threshold, in the order of `Association.counts`."""
SECONDS_A_FRAME = 0.5
"""The devkit's word for the time between two frames, whatever the stamps say."""


@dataclass(frozen=True)
class Frame:
    """Objects and tracks of one class in one frame.

    Attributes:
        objects: names of the objects.
        scores: score of each track, by name, in the order they were given.
        ranked: the scores, rising.
        near: of each object, the distance of each track that may hold it.
    """

    objects: Sequence[int]
    scores: Mapping[int, float]
    ranked: Sequence[float]
    near: Sequence[Mapping[int, float]]


@dataclass
class Association:
    """A scene at one threshold.

    Attributes:
        scores: of the tracks in matches that are no switches, where no threshold is given.
    """

    matches: int = 0
    switches: int = 0
    false: int = 0
    misses: int = 0
    distance: float = 0.0
    frames: int = 0
    scores: list[float] = field(default_factory=list)
    seen: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)

    def counts(self) -> list[float]:
        """What the scene adds, in the order of `COUNTS`."""
        parts = np.array([_of_track(history) for history in self.seen.values()], dtype=np.float64).reshape(-1, 6)
        sums = parts.sum(axis=0).tolist()
        return [self.matches, self.switches, self.false, self.misses, self.distance, self.frames, *sums, float(len(parts))]


def associate(frames: Sequence[Frame], threshold: float) -> Association:
    """The scene with the tracks that have that score or more."""
    found = Association()
    held: dict[int, int] = {}
    for frame in frames:
        kept = len(frame.ranked) - bisect_left(frame.ranked, threshold)
        if not frame.objects and not kept:
            continue  # frames without anything are not counted
        pairs, free = _kept_pairs(frame, held, threshold)
        used = {track for _, track in pairs}
        for place, track in pairs:
            found.matches += 1
            found.distance += frame.near[place][track]
            found.scores.append(frame.scores[track])
        new = _assigned(frame, free, used, threshold)
        for place, track in new:
            _hold(found, frame, held, place, track)
        now = {place for place, _ in pairs} | {place for place, _ in new}
        found.misses += len(frame.objects) - len(now)
        found.false += kept - len(now)
        for place, name in enumerate(frame.objects):
            found.seen.setdefault(name, []).append((found.frames, place in now))
        found.frames += 1
    return found


def _kept_pairs(frame: Frame, held: Mapping[int, int], threshold: float) -> tuple[list[tuple[int, int]], list[int]]:
    """Objects that keep their track, and the others."""
    pairs: list[tuple[int, int]] = []
    free: list[int] = []
    used: set[int] = set()
    for place, name in enumerate(frame.objects):
        track = held.get(name)
        if track is not None and track in frame.near[place] and track not in used and frame.scores[track] >= threshold:
            pairs.append((place, track))
            used.add(track)
        else:
            free.append(place)
    return pairs, free


def _hold(found: Association, frame: Frame, held: dict[int, int], place: int, track: int) -> None:
    """Notes that a track now holds an object; a switch where another one held it before."""
    name = frame.objects[place]
    if name in held:
        found.switches += 1
    else:
        found.matches += 1
        found.scores.append(frame.scores[track])
    found.distance += frame.near[place][track]
    held[name] = track


def _assigned(frame: Frame, free: Sequence[int], used: set[int], threshold: float) -> list[tuple[int, int]]:
    """Pairs of the objects and tracks that are left."""
    options = {}
    for place in free:
        able = {track: gap for track, gap in frame.near[place].items() if track not in used and frame.scores[track] >= threshold}
        if able:
            options[place] = able
    nearest = {place: min(able, key=able.__getitem__) for place, able in options.items()}
    if len(set(nearest.values())) == len(nearest):
        return list(nearest.items())  # each has its nearest: nothing can be better
    return _solved(options, [track for track in frame.scores if any(track in able for able in options.values())])


def _solved(options: Mapping[int, Mapping[int, float]], tracks: Sequence[int]) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    gaps = np.array([[able.get(track, np.inf) for track in tracks] for able in options.values()])
    beyond = 2 * min(gaps.shape) * (gaps[np.isfinite(gaps)].max() + 1) + 1  # worse than all that may be taken together
    rows, columns = linear_sum_assignment(np.where(np.isfinite(gaps), gaps, beyond))
    places = list(options)
    return [(places[row], tracks[column]) for row, column in zip(rows.tolist(), columns.tolist(), strict=True) if np.isfinite(gaps[row, column])]


def _of_track(history: Sequence[tuple[int, bool]]) -> tuple[float, ...]:
    """Fragments, mostly tracked, mostly lost, delay and longest gap (seconds), and whether the object was held at all."""
    holds = [number for number, on in history if on]
    share = len(holds) / len(history)
    if not holds:
        return (0, 0, 1, 0, 0, 0)
    first, last = history[0][0], history[-1][0]
    inside = [on for number, on in history if holds[0] <= number <= holds[-1]]
    fragments = sum(before and not after for before, after in pairwise(inside))
    gap = max(holds[0] - first, last - holds[-1], *(after - before - 1 for before, after in pairwise(holds)), 0)
    return (fragments, share >= 0.8, share < 0.2, SECONDS_A_FRAME * (holds[0] - first), SECONDS_A_FRAME * gap, 1)
