"""What the video networks share: clips in, one feature vector a clip out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.errors import SampleError
from genlevel_video.clips import Clip
from genlevel_video.frame_limits import ClipInfo, Frame
from genlevel_video.sampling import Sampling

SAMPLING = Sampling("first", 16)
SIDE = 224
LAYOUT = torch.channels_last_3d
"""Channels last: an eighth faster on a CPU."""


class ClipNetwork:
    """A network with its preprocessing. Each clip goes through alone, so its features never depend on its company.

    What it takes of a clip is small, so clips are prepared in threads of the runtime; it takes part in passes with other networks too.
    """

    sampling = SAMPLING

    def __init__(self, network: torch.nn.Module, frame: Callable[[Frame], NDArray[np.float32]]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.eval().requires_grad_(False).to(self.device, memory_format=LAYOUT)
        self.frame = frame

    def extract(self, values: Sequence[Clip]) -> list[Any]:
        """Feature vectors; in place of one, the fault of its file."""
        return [self._one(clip) for clip in values]

    def _one(self, clip: Clip) -> Any:
        try:
            return self.run([self.prepare(clip)])[0]
        except SampleError as error:
            return error

    def prepare(self, value: Clip) -> torch.Tensor:
        """A clip as the network takes it, shape (3, 16, 224, 224).

        Raises:
            SampleError: the file is at fault.
        """
        # Frames are shrunk as they come, so a long or large video never lies in memory as a whole.
        return _stacked([self.frame(frame) for frame in value.pick(self.sampling)])

    def run(self, prepared: Sequence[torch.Tensor]) -> list[Any]:
        """Feature vectors of prepared clips."""
        with exact():
            return [self.network(frames[None].to(self.device, memory_format=LAYOUT))[0].cpu().numpy() for frames in prepared]

    def open(self, info: ClipInfo) -> _Consumer:
        """See `FrameNetwork`."""
        del info
        return _Consumer(self)


class _Consumer:
    """The frames of one clip, shrunk as they come."""

    def __init__(self, network: ClipNetwork) -> None:
        self._network = network
        self._frames: list[NDArray[np.float32]] = []

    def push(self, index: int, frame: Frame) -> None:
        del index
        self._frames.append(self._network.frame(frame))

    def finish(self) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._network.run([_stacked(self._frames)])[0]
        return found


def _stacked(frames: Sequence[NDArray[np.float32]]) -> torch.Tensor:
    """Frames as one clip, shape (3, 16, 224, 224), with the channels last in memory.

    By NumPy, as all that the reading threads do: there, torch would bring up threads of its own that fight with the network's.
    """
    return torch.from_numpy(np.stack(frames)).permute(3, 0, 1, 2)
