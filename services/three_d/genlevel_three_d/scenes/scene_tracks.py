"""Tracks of a scene made ready for nuScenes' tracking measure: out-of-range boxes left out, scores averaged, gaps filled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.forms.tracks import Tracks

CLASS_RANGES = {"car": 50.0, "truck": 50.0, "bus": 50.0, "trailer": 50.0, "pedestrian": 40.0, "motorcycle": 40.0, "bicycle": 40.0}
NAMES = {label_number(name): name for name in CLASS_RANGES}
_RANGES = {label_number(name): reach for name, reach in CLASS_RANGES.items()}


def aligned(prediction: Tracks, reference: Tracks) -> Tracks:
    """The prediction frame by frame as the reference has them."""
    if prediction.tokens is not None and reference.tokens is not None:
        place = {token: frame for frame, token in enumerate(reference.tokens)}
        target = np.array([place.get(token, -1) for token in prediction.tokens], np.int64)
        if (target < 0).all():
            raise SampleError("UNKNOWN_TOKEN", "no frame of the prediction is one of the scene", remedy="use the tokens of the reference", side="prediction")
        frame = target[prediction.frame]
        order = np.flatnonzero(frame >= 0)[np.argsort(frame[frame >= 0], kind="stable")]
        moved = prediction.take(order)
        return Tracks(reference.frames, frame[order], moved.tracks, moved.labels, moved.centers, moved.scores, moved.points)
    if prediction.frames != reference.frames:
        raise SampleError(
            "LENGTH_MISMATCH", f"the prediction has {prediction.frames} frames, the reference {reference.frames}",
            remedy="give a list for every frame, an empty one too", side="prediction",
        )
    if prediction.times is not None and reference.times is not None and not np.array_equal(prediction.times, reference.times):
        raise SampleError("TIME_MISMATCH", "prediction and reference have different times", remedy="leave out those of the prediction", side="prediction")
    return prediction


def in_range(tracks: Tracks, ego: NDArray[np.float64] | None) -> Tracks:
    """The boxes near enough to the ego vehicle for their class; all where it is not known."""
    if ego is None:
        return tracks
    reach = np.array([_RANGES.get(label, np.inf) for label in tracks.labels.tolist()])
    return tracks.take(np.linalg.norm(tracks.centers - ego[tracks.frame], axis=1) < reach)


def averaged(tracks: Tracks) -> NDArray[np.float64]:
    """The mean score of the track of each box; NaN where a track has no score."""
    scores = tracks.scores.copy()
    order = np.argsort(tracks.tracks, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(tracks.tracks[order])) + 1):
        known = scores[mine][~np.isnan(scores[mine])]
        scores[mine] = np.mean(known) if len(known) else np.nan
    return scores


def whole_stamps(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The times in whole units of their last decimal, where they have at most nine; as they are otherwise.

    A score that is filled in between two equal ones comes out a last digit above or below them, as the share of the gap is rounded, and
    below it the devkit drops the box at the threshold that the track itself sets. So shares must be the devkit's, from whole microseconds.

    >>> whole_stamps(np.array([1532402927.647951, 1532402928.14795])).tolist()
    [1532402927647951.0, 1532402928147950.0]
    """
    for decimals in range(10):
        found = np.rint(times * 10.0**decimals)
        if np.abs(found).max() > 2.0**53:
            break
        if np.array_equal(found / 10.0**decimals, times):
            return np.asarray(found)
    return times


def filled(tracks: Tracks, times: NDArray[np.float64], mirrored: bool) -> Tracks:
    """The tracks with a box in each frame between their first and last one, behind the boxes that are there.

    Args:
        tracks: the boxes of one side.
        times: of each frame.
        mirrored: as the devkit has it, which weighs the two ends of a gap the wrong way round.
    """
    _, first, counts = np.unique(tracks.tracks, return_index=True, return_counts=True)
    by_name = np.split(np.argsort(tracks.tracks, kind="stable"), np.cumsum(counts)[:-1])
    rows = [_gaps(tracks, by_name[place], times, mirrored) for place in np.argsort(first)]
    added = [row for row in rows if len(row[0])]
    if not added:
        return tracks
    frame, source, centers, scores = (np.concatenate(column) for column in zip(*added, strict=True))
    frames = np.concatenate([tracks.frame, frame])
    order = np.argsort(frames, kind="stable")
    return Tracks(
        tracks.frames, frames[order], np.concatenate([tracks.tracks, tracks.tracks[source]])[order],
        np.concatenate([tracks.labels, tracks.labels[source]])[order], np.concatenate([tracks.centers, centers])[order],
        np.concatenate([tracks.scores, scores])[order], np.concatenate([tracks.points, tracks.points[source]])[order],
        tracks.times, tracks.tokens, tracks.ego,
    )  # fmt: skip


def _gaps(
    tracks: Tracks, mine: NDArray[np.int64], times: NDArray[np.float64], mirrored: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Frames, following box, centres and scores of the boxes that a track lacks."""
    there = tracks.frame[mine]
    absent = np.setdiff1d(np.arange(there[0], there[-1] + 1), there)
    after = np.searchsorted(there, absent)
    left, right = mine[after - 1], mine[after]
    start, end = times[tracks.frame[left]], times[tracks.frame[right]]
    share = (end - times[absent]) / (end - start) if mirrored else (times[absent] - start) / (end - start)
    centers = (1.0 - share)[:, None] * tracks.centers[left] + share[:, None] * tracks.centers[right]
    return absent, right, centers, (1.0 - share) * tracks.scores[left] + share * tracks.scores[right]
