"""How well a network guesses every second frame of a clip from its neighbours.

    triple of frames 2k, 2k + 1, 2k + 2 -> mean over pixels and colours of |guess of 2k + 1 - frame 2k + 1|, of 8 bits
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from genlevel_evaluator.backbones.batches import exact
from genlevel_video.backbones.flow import check_size
from genlevel_video.frames import ClipInfo, Features, Frame, Sampling

Middle = Callable[[Frame, Frame], NDArray[np.uint8]]
"""From two frames to the one between them."""


class InterpolationNetwork:
    """A network between frames, over the frames of a clip; three are held at a time."""

    def __init__(self, middle: Middle) -> None:
        self.sampling = Sampling("all")
        self._middle = middle

    def open(self, info: ClipInfo) -> InterpolationConsumer:
        """Begins a clip."""
        del info
        return InterpolationConsumer(self._middle)


class InterpolationConsumer:
    """The triples of one clip."""

    def __init__(self, middle: Middle) -> None:
        self._middle = middle
        self._waiting: list[Frame] = []
        self._errors: list[float] = []

    def push(self, index: int, frame: Frame) -> None:
        """Guesses the frame before this one, where this one ends a triple."""
        del index
        if self._waiting:
            check_size(self._waiting[-1], frame)
        self._waiting.append(frame)
        if len(self._waiting) == 3:
            first, true, second = self._waiting
            guess = self._middle(first, second)
            self._errors.append(float(np.abs(guess.astype(np.int16) - true).mean(dtype=np.float64)))
            self._waiting = [second]

    def finish(self) -> Features:
        """Shape (triples, 1)."""
        return np.array(self._errors, dtype=np.float32).reshape(-1, 1)


class NetworkMiddle:
    """A network of two pictures in [0, 1], filled up by their edges to a multiple of a number; the result is rounded to 8 bits."""

    def __init__(self, network: torch.nn.Module, multiple: int) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._multiple = multiple

    def __call__(self, first: Frame, second: Frame) -> NDArray[np.uint8]:
        """The frame between them."""
        height, width = first.shape[:2]
        with exact():
            found = self._network(self._prepared(first), self._prepared(second))[0, :, :height, :width]
            rounded: NDArray[np.uint8] = (found * 255.0).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
        return rounded

    def _prepared(self, frame: Frame) -> torch.Tensor:
        height, width = frame.shape[:2]
        right, below = (-side % self._multiple for side in (width, height))
        values = torch.tensor(frame, device=self._device).permute(2, 0, 1)[None].float() / 255.0
        return functional.pad(values, [0, right, 0, below], mode="replicate")
