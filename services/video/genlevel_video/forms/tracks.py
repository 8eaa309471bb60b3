"""Tracks of one object: a box in every frame, from JSON or from the text files of trackers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_video.forms.boxes import LARGEST, Boxes, read_boxes

MAX_BYTES = 1 << 26
_BETWEEN = re.compile(r"[,;\s]+")


@dataclass(frozen=True)
class Track:
    """A track as it was given: `boxes` in the form the metric's parameters say, NaN where a frame has none."""

    boxes: Boxes

    def __len__(self) -> int:
        return len(self.boxes)


def decode_track(content: Content, attributes: Mapping[str, Any]) -> Track:
    """A list of boxes, or a text of four numbers a line."""
    del attributes
    if content.media is not None:
        return Track(_lines(content.media))
    if isinstance(content.json, list):
        return Track(read_boxes(content.json))
    given = "text" if content.text is not None else json_type(content.json)
    raise SampleError("WRONG_TYPE", f"expected a box for every frame, got {given}", remedy="give a list of boxes, or a file of four numbers a line")


def _lines(blob: Blob) -> Boxes:
    name = blob.name or "the track"
    data = blob.read()
    if len(data) > MAX_BYTES:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has {len(data)} bytes, at most {MAX_BYTES} are read", remedy="give one sequence a file")
    try:
        lines = data.decode("utf-8-sig").strip().splitlines()
    except UnicodeDecodeError as error:
        raise SampleError("NOT_UTF8", f"{name} is not a text file: byte {error.start} is not UTF-8", remedy="write four numbers a line") from None
    return read_boxes([_box(line, place, name) for place, line in enumerate(lines, start=1)])


def _box(line: str, number: int, name: str) -> list[float] | None:
    """The box of a line; None where all its numbers are NaN, as some data sets write a frame without the object."""
    try:
        values = [float(part) for part in _BETWEEN.split(line.strip().strip(","))]
    except ValueError:
        values = []
    if len(values) == 4 and np.isnan(values).all():
        return None
    if len(values) != 4 or not all(-LARGEST <= value <= LARGEST for value in values):
        raise SampleError("BAD_BOX", f"line {number} of {name} is not four finite numbers", remedy="write x, y, width and height of every frame")
    return values


def absent_frames(track: Track, attributes: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Frames in which the object is not there: no box, one without an area (some data sets write zeros), or marked by the attribute `absent`."""
    with np.errstate(invalid="ignore"):
        away = ~((track.boxes[:, 2] > 0) & (track.boxes[:, 3] > 0))
    given = attributes.get("absent")
    if given is None:
        return np.asarray(away)
    if not isinstance(given, list) or len(given) != len(track) or not all(flag in (0, 1) and isinstance(flag, int | float) for flag in given):
        raise SampleError(
            "BAD_ATTRIBUTE", f"absent is not a list of {len(track)} values 0 or 1", remedy="give one value a frame", side="reference", pointer="/absent",
        )  # fmt: skip
    return np.asarray(away | (np.array(given) > 0))
