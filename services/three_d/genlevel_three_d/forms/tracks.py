"""Tracked objects of one scene, frame by frame, from our JSON form or from the results file of nuScenes' tracking devkit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_three_d.forms.boxes import KEYS, MAX_BOXES, Fields, ours, read_box, together
from genlevel_three_d.forms.objects import check_list, check_object, label_number, number, vector

MAX_FRAMES = 100_000
_KEYS = KEYS | {"track"}


@dataclass(frozen=True)
class Tracks:
    """Boxes of a scene in order of frame, n of them.

    Attributes:
        frames: how many frames the scene has.
        frame: number of the frame of each box, rising.
        tracks: number of the track of each box.
        labels: number of each label.
        centers: shape (n, 2), metres on the ground.
        scores: NaN where there is none.
        points: lidar and radar points inside; -1 where unknown.
        times: of each frame, rising; None where frames are equally far apart.
        tokens: of each frame, where the file names frames by tokens.
        ego: shape (frames, 2), position of the ego vehicle, where it is known.
    """

    frames: int
    frame: NDArray[np.int64]
    tracks: NDArray[np.int64]
    labels: NDArray[np.int64]
    centers: NDArray[np.float64]
    scores: NDArray[np.float64]
    points: NDArray[np.int64]
    times: NDArray[np.float64] | None = None
    tokens: tuple[str, ...] | None = None
    ego: NDArray[np.float64] | None = None

    def take(self, chosen: NDArray[Any]) -> Tracks:
        """The boxes at those places."""
        return replace(
            self, frame=self.frame[chosen], tracks=self.tracks[chosen], labels=self.labels[chosen], centers=self.centers[chosen],
            scores=self.scores[chosen], points=self.points[chosen],
        )  # fmt: skip


def decode_tracks(content: Content, attributes: Mapping[str, Any]) -> Tracks:
    """A list of frames; or `{"frames", "times"?, "tokens"?, "ego"?}`; or `{"results": {token: [...]}}`."""
    value = decode_json(content, attributes)
    if isinstance(value, dict) and "results" in value:
        return _of_results(value["results"])
    if not isinstance(value, dict):
        return _of_frames(value, _KEYS)
    check_object(value, frozenset({"frames", "times", "tokens", "ego"}), "a scene", "")
    found = _of_frames(value.get("frames"), _KEYS)
    return replace(found, times=_times(value, found.frames), tokens=_tokens(value, found.frames), ego=_ego(value, found.frames))


def _of_results(results: Any) -> Tracks:
    if not isinstance(results, dict):
        raise SampleError("WRONG_TYPE", f"results is an object of frames, got {json_type(results)}", remedy="write it as the devkit does")
    frames = [
        [ours(item, f"/results/{token}/{place}") for place, item in enumerate(check_list(boxes, "boxes", MAX_BOXES, f"/results/{token}"))]
        for token, boxes in results.items()
    ]
    return replace(_of_frames(frames, _KEYS), tokens=tuple(results))


def _of_frames(value: Any, keys: frozenset[str]) -> Tracks:
    frames = check_list(value, "frames", MAX_FRAMES)
    if not frames:
        raise SampleError("EMPTY_SCENE", "the scene has no frame", remedy="give a list for every frame, an empty one too")
    rows: list[Fields] = []
    names: list[int] = []
    places: list[int] = []
    for frame, boxes in enumerate(frames):
        seen: set[int] = set()
        for place, item in enumerate(check_list(boxes, "boxes", MAX_BOXES, f"/{frame}")):
            rows.append(read_box(item, f"/{frame}/{place}", keys))
            names.append(_track(item, seen, f"/{frame}/{place}"))
            places.append(frame)
    boxes = together(rows)
    return Tracks(
        len(frames), np.array(places, np.int64), np.array(names, np.int64), boxes.labels, boxes.centers[:, :2], boxes.scores, boxes.points,
    )  # fmt: skip


def _track(item: Mapping[str, Any], seen: set[int], pointer: str) -> int:
    track = item.get("track")
    if isinstance(track, bool) or not isinstance(track, str | int):
        raise SampleError("NO_TRACK", "a box has no track, text or a whole number", remedy="name its track", pointer=f"{pointer}/track")
    name = label_number(str(track))
    if name in seen:
        raise SampleError("REPEATED_TRACK", "two boxes of one frame have the same track", remedy="give each object its own", pointer=f"{pointer}/track")
    seen.add(name)
    return name


def _times(value: Mapping[str, Any], frames: int) -> NDArray[np.float64] | None:
    given = value.get("times")
    if given is None:
        return None
    times = np.array([number(entry, f"/times/{place}", 1e18) for place, entry in enumerate(_of_length(given, frames, "times"))])
    if (np.diff(times) <= 0).any():
        first = int(np.argmax(np.diff(times) <= 0)) + 1
        raise SampleError("UNSORTED", f"times do not rise at frame {first}", remedy="sort the frames by time, each once", pointer=f"/times/{first}")
    return times


def _tokens(value: Mapping[str, Any], frames: int) -> tuple[str, ...] | None:
    given = value.get("tokens")
    if given is None:
        return None
    tokens = tuple(str(entry) for entry in _of_length(given, frames, "tokens"))
    if len(set(tokens)) < frames:
        raise SampleError("REPEATED_TOKEN", "two frames have the same token", remedy="give each frame its own", pointer="/tokens")
    return tokens


def _ego(value: Mapping[str, Any], frames: int) -> NDArray[np.float64] | None:
    given = value.get("ego")
    if given is None:
        return None
    return np.array([vector(entry, 2, f"/ego/{place}") for place, entry in enumerate(_of_length(given, frames, "ego"))])


def _of_length(given: Any, frames: int, name: str) -> list[Any]:
    if not isinstance(given, list) or len(given) != frames:
        raise SampleError("LENGTH_MISMATCH", f"{name} has not one entry for each of {frames} frames", remedy="give one a frame", pointer=f"/{name}")
    return given
