"""What a clip may hold. Clips are read frame by frame, so their length costs time and no memory; a frame has to fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_evaluator.networks import MAX_PROPORTION

MAX_PIXELS = 1 << 26
"""Most pixels of a frame: 8K is half of it."""
MAX_FRAMES = 1 << 16
"""Most frames of a clip: 36 minutes at 30 a second."""
MAX_CLIP_PIXELS = 1 << 38
"""Most pixels of all frames together: 73 minutes of 1080p at 30 frames a second, were that not too many frames."""

Frame = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""


@dataclass(frozen=True)
class ClipInfo:
    """Facts of a clip.

    Attributes:
        frames: all that are decoded.
        fps: mean frames a second; 0 where nothing says it.
        width: of the upright picture, in pixels.
        height: the same.
    """

    frames: int
    fps: float
    width: int
    height: int


def named(blob: Blob) -> str:
    """What to call a file in messages."""
    return blob.name or "the video"


def check_size(width: int, height: int, name: str) -> None:
    """Refuses frames that are too large, too thin, or none."""
    if width < 1 or height < 1:
        raise SampleError("NOT_A_VIDEO", f"{name} announces no usable picture size", remedy="check the file, or encode it again")
    if width * height > MAX_PIXELS:
        raise SampleError(
            "MEDIA_TOO_LARGE", f"{name} has frames of {width} x {height} pixels, at most {MAX_PIXELS} are read", remedy="give a smaller video"
        )
    if max(width, height) > MAX_PROPORTION * min(width, height):
        raise SampleError(
            "WRONG_SHAPE", f"{name} has frames of {width} x {height} pixels, one side more than {MAX_PROPORTION} times the other",
            remedy="give a video of a usual shape",
        )  # fmt: skip


class Counted:
    """Frames as they come: all of one size, and not too many."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._size: tuple[int, int] | None = None
        self._frames = 0

    def add(self, width: int, height: int) -> None:
        """Counts a frame."""
        if self._size is None:
            check_size(width, height, self._name)
            self._size = width, height
        if (width, height) != self._size:
            raise SampleError(
                "WRONG_SHAPE",
                f"frame {self._frames} of {self._name} has {width} x {height} pixels, those before {self._size[0]} x {self._size[1]}",
                remedy="bring all frames to one size",
            )
        self._frames += 1
        check_length(self._frames, width, height, self._name)


def check_length(frames: int, width: int, height: int, name: str) -> None:
    """Refuses a clip that is too long."""
    if frames > MAX_FRAMES or frames * width * height > MAX_CLIP_PIXELS:
        raise SampleError(
            "MEDIA_TOO_LARGE",
            f"{name} has more than {frames - 1} frames of {width} x {height} pixels, at most {MAX_FRAMES} frames and {MAX_CLIP_PIXELS} pixels are read",
            remedy="give a shorter or smaller video",
        )
