"""Optical flow between neighbouring frames, as numbers of each pair.

    pair -> (mean length of the longest 5 % of the flow vectors, mean length of all, shorter side), in pixels of the frame

Two ways to the flow: RAFT, and DIS (Kroeger et al. 2016), which OpenCV has, learns nothing and needs no weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.errors import SampleError
from genlevel_video.backbones import raft
from genlevel_video.frames import ClipInfo, Features, Frame, Sampling

SAMPLING = Sampling("every", 8)
SHARE = 0.05
_DIS_SMALLEST = 12
"""Pixels of the shorter side that DIS needs."""

Flow = Callable[[Frame, Frame], NDArray[np.float32]]
"""From two frames to u and v of every pixel, shape (height, width, 2)."""


class FlowNetwork:
    """A way to the flow, over the frames of a clip; two frames are held at a time."""

    def __init__(self, flow: Flow) -> None:
        self.sampling = SAMPLING
        self._flow = flow

    def open(self, info: ClipInfo) -> FlowConsumer:
        """Begins a clip."""
        del info
        return FlowConsumer(self._flow)


class FlowConsumer:
    """The pairs of one clip."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._before: Frame | None = None
        self._found: list[tuple[float, float, float]] = []

    def push(self, index: int, frame: Frame) -> None:
        """The flow from the frame before to this one."""
        del index
        if self._before is not None:
            check_size(self._before, frame)
            self._found.append((*lengths(self._flow(self._before, frame)), float(min(frame.shape[:2]))))
        self._before = frame

    def finish(self) -> Features:
        """Shape (pairs, 3)."""
        return np.array(self._found, dtype=np.float32).reshape(-1, 3)


def check_size(before: Frame, frame: Frame) -> None:
    """Refuses a clip whose frames change their size."""
    if before.shape != frame.shape:
        sizes = " to ".join(f"{shape[1]} x {shape[0]}" for shape in (before.shape, frame.shape))
        raise SampleError("SIZE_CHANGES", f"the frames of the clip change from {sizes} pixels", remedy="give frames of one size")


def lengths(flow: NDArray[np.float32]) -> tuple[float, float]:
    """Mean length of the longest twentieth, and of all; at least one pixel is among the longest.

    >>> lengths(np.array([[[3.0, 4.0], [0.0, 0.0]]], dtype=np.float32))
    (5.0, 2.5)
    """
    found = np.hypot(flow[..., 0], flow[..., 1]).ravel()
    most = max(1, int(found.size * SHARE))
    longest = np.partition(found, found.size - most)[found.size - most :]
    return float(longest.mean(dtype=np.float64)), float(found.mean(dtype=np.float64))


def dis(before: Frame, frame: Frame) -> NDArray[np.float32]:
    """DIS, its medium preset, of the grey frames."""
    import cv2

    if min(frame.shape[:2]) < _DIS_SMALLEST:
        raise SampleError(
            "FRAME_TOO_SMALL", f"the flow needs frames of {_DIS_SMALLEST} pixels on either side, these have {frame.shape[1]} x {frame.shape[0]}",
            remedy="give a larger video",
        )  # fmt: skip
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (before, frame)]
    found: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey[0], grey[1], np.zeros((*frame.shape[:2], 2), np.float32))
    return np.asarray(found, dtype=np.float32)


class RaftFlow:
    """RAFT of two frames: sides filled up by their edges to multiples of 8, at least 128, half on either side."""

    def __init__(self, network: raft.Raft) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.eval().requires_grad_(False).to(self._device)

    def __call__(self, before: Frame, frame: Frame) -> NDArray[np.float32]:
        """u and v of every pixel of the first frame."""
        height, width = frame.shape[:2]
        top, left = ((max(raft.SMALLEST, -(-side // 8) * 8) - side) // 2 for side in (height, width))
        with exact():
            one, two = (self._prepared(picture) for picture in (before, frame))
            found = self._network(one, two)[0, :, top : top + height, left : left + width]
        flow: NDArray[np.float32] = found.permute(1, 2, 0).cpu().numpy()
        return flow

    def _prepared(self, frame: Frame) -> torch.Tensor:
        height, width = frame.shape[:2]
        extra = [max(raft.SMALLEST, -(-side // 8) * 8) - side for side in (width, height)]
        values = torch.tensor(frame, device=self._device).permute(2, 0, 1)[None].float() * (2.0 / 255.0) - 1.0
        return functional.pad(values, [extra[0] // 2, extra[0] - extra[0] // 2, extra[1] // 2, extra[1] - extra[1] // 2], mode="replicate")
