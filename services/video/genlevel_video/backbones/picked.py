"""Networks that look at the middle frames of a clip and tell of them as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from genlevel_evaluator.errors import SampleError
from genlevel_video.frames import Frame, Sampling
from genlevel_video.objects.detectors import FRAMES, Asked

SAMPLING = Sampling("middle", FRAMES)
T = TypeVar("T")


def told(values: Sequence[Asked], look: Callable[[Frame, Asked], T], document: Callable[[list[T], Asked], Mapping[str, Any]]) -> list[str | SampleError]:
    """The document of what was seen in the frames of each clip; in place of one, the fault of its file.

    Args:
        values: clips and what is asked of them.
        look: what is seen in a frame; one that stands for several is looked at once.
        document: what is told of all frames.
    """
    return [_told(value, look, document) for value in values]


def _told(value: Asked, look: Callable[[Frame, Asked], T], document: Callable[[list[T], Asked], Mapping[str, Any]]) -> str | SampleError:
    seen: list[T] = []
    last: Frame | None = None
    try:
        for frame in value.clip.pick(SAMPLING):
            seen.append(seen[-1] if frame is last else look(frame, value))
            last = frame
    except SampleError as error:
        return error
    return json.dumps(document(seen, value))
