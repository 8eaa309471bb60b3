"""Tubes: a box a frame over a stretch of a clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type, parse_json
from genlevel_video.forms.boxes import MAX_FRAMES, Boxes, read_boxes

_REMEDY = 'give one entry a frame, or {"start": first frame, "boxes": [...]}'


@dataclass(frozen=True)
class Tube:
    """A tube as it was given.

    Attributes:
        boxes: in the form the metric's parameters say, NaN where a frame has none.
        start: frame of the first of them, from 0.
        whole: whether there is one entry for every frame of the clip.
    """

    boxes: Boxes
    start: int
    whole: bool

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Which entries hold a box."""
        return ~np.isnan(self.boxes[:, 0])

    @property
    def end(self) -> int:
        """The frame after the last box."""
        places = np.flatnonzero(self.filled)
        return self.start + int(places[-1]) + 1 if len(places) else 0

    def over(self, frames: int) -> Boxes:
        """A row for each of that many frames."""
        found = np.full((frames, 4), np.nan)
        size = min(len(self.boxes), max(frames - self.start, 0))
        found[self.start : self.start + size] = self.boxes[:size]
        return found


def decode_tube(content: Content, attributes: Mapping[str, Any]) -> Tube:
    """A list of boxes and nulls, or `{"start", "boxes"}`; four zeros are no box."""
    del attributes
    value = parse_json(content.text) if content.text is not None else content.json
    start: Any = 0
    items, pointer = value, ""
    if isinstance(value, Mapping):
        start, items, pointer = value.get("start"), value.get("boxes"), "/boxes"
        if type(start) is not int or not 0 <= start <= MAX_FRAMES:
            raise SampleError("BAD_TUBE", "start is not a frame number from 0", remedy=_REMEDY, pointer="/start")
    if not isinstance(items, list):
        what = "a file" if content.media is not None else json_type(value)
        raise SampleError("WRONG_TYPE", f"expected a tube, got {what}" if not pointer else "a tube has no list of boxes", remedy=_REMEDY, pointer=pointer)
    boxes = read_boxes(items, pointer) if items or not pointer else np.zeros((0, 4))
    boxes = np.where((boxes == 0).all(axis=1, keepdims=True), np.nan, boxes)
    return Tube(boxes, start, not pointer)
