"""Networks that look at every frame of a clip alone: frames in, one row a frame out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genlevel_evaluator.backbones.batches import exact, size_on
from genlevel_evaluator.pixels.pictures import Picture
from genlevel_video.frames import BatchedFrames, ClipExtractor, Features, Frame, Sampling

Prepare = Callable[[Frame], NDArray[np.float32]]


class TorchFrames(BatchedFrames):
    """A torch network behind its preprocessing, over all frames."""

    sampling = Sampling("all")

    def __init__(self, network: torch.nn.Module, prepare: Prepare, size: int | None = None) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._prepare = prepare
        self.size = size or size_on(self._device)

    def prepare(self, frame: Frame) -> NDArray[np.float32]:
        """A frame as the network takes it."""
        return self._prepare(frame)

    def forward(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Rows of a batch."""
        with exact():
            found: NDArray[np.float32] = self._network(torch.from_numpy(batch).to(self._device)).cpu().numpy()
            return found


class FramesAndPictures(ClipExtractor):
    """The same for clips and for pictures, which are looked at as a frame is."""

    def __init__(self, network: TorchFrames) -> None:
        super().__init__(network)
        self._frames = network

    def other(self, value: Any) -> Features:
        """The row of a picture."""
        if not isinstance(value, Picture):
            return super().other(value)
        pixels = value.pixels if value.pixels.dtype == np.uint8 else ((value.pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
        one = self._frames.prepare(pixels)
        batch = np.concatenate([one[None], np.zeros((self._frames.size - 1, *one.shape), one.dtype)])
        row: Features = self._frames.forward(batch)[0]
        return row


def resized(frame: Frame, width: int, height: int) -> NDArray[np.uint8]:
    """Bilinear with half-pixel centres and no antialiasing, rounded to 8 bits: how torchvision resizes a tensor of bytes."""
    x = torch.tensor(frame.transpose(2, 0, 1))[None].float()
    x = torch.nn.functional.interpolate(x, size=(height, width), mode="bilinear", align_corners=False, antialias=False)
    found: NDArray[np.uint8] = x.round().clamp(0, 255)[0].numpy().astype(np.uint8).transpose(1, 2, 0)
    return found
