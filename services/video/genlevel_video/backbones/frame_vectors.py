"""Networks that know pictures, and most of them captions too, over all frames of a clip: one vector a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.backbones.vectors import Vectors
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.networks import VectorNetwork
from genlevel_evaluator.pixels.pictures import Picture
from genlevel_video.frames import BatchedFrames, ClipExtractor, Features, Frame, Sampling


class VectorFrames(BatchedFrames):
    """Every frame as the picture it is; but for rounding it has the vector of a picture file of the same pixels."""

    sampling = Sampling("all")

    def __init__(self, network: VectorNetwork) -> None:
        self._network = network
        self.size = network.batch

    def prepare(self, frame: Frame) -> NDArray[Any]:
        """See `VectorNetwork`."""
        return self._network.prepare(frame)

    def forward(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """The vectors of a batch."""
        return self._network.rows(batch)


class FrameVectorExtractor(ClipExtractor):
    """Clips to the vectors of their frames (frames, d), pictures and captions to one vector (d,)."""

    def __init__(self, network: VectorNetwork) -> None:
        super().__init__(VectorFrames(network))
        self._vectors = network

    def other(self, value: Any) -> Features:
        """The vector of a picture or a caption; nothing of a caption where the network knows none."""
        if not isinstance(value, Caption | Picture):
            return super().other(value)
        try:
            return self._vectors.run(self._vectors.prepare(value.text if isinstance(value, Caption) else value.pixels))
        except TypeError:  # what networks of pictures say of texts
            return super().other(value)


def load(vectors: Vectors) -> FrameVectorExtractor:
    """The network with its weights."""
    return FrameVectorExtractor(vectors.load())
