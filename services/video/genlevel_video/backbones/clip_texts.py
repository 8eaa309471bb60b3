"""Networks that know clips and texts, as networks over frames: ViCLIP, and ConSE frame by frame."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.networks.conse import Conse
from genlevel_video.frames import ClipExtractor, ClipInfo, Features, Frame, Sampling

FRAMES = 8


class ClipTextNetwork(Protocol):
    """A network that turns a few frames, or a text, into a vector."""

    def prepare(self, frame: Frame) -> NDArray[Any]:
        """A frame as the network takes it."""
        ...

    def clip(self, frames: list[NDArray[Any]]) -> NDArray[np.float32]:
        """The vector of a clip's prepared frames."""
        ...

    def text(self, text: str) -> NDArray[np.float32]:
        """The vector of a text."""
        ...


class ConseFrames:
    """ConSE of each frame, and their mean."""

    def __init__(self, network: Conse) -> None:
        self._network = network

    def prepare(self, frame: Frame) -> NDArray[Any]:
        """See `Conse.prepare`."""
        return self._network.prepare(frame)

    def clip(self, frames: list[NDArray[Any]]) -> NDArray[np.float32]:
        """Mean of the frames' vectors; a frame that is repeated counts as often."""
        vectors = np.stack([self._network.run(frame) for frame in frames])
        mean: NDArray[np.float32] = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    def text(self, text: str) -> NDArray[np.float32]:
        """See `Conse`."""
        return self._network.run(self._network.prepare(text))


class ClipTextFrames:
    """The eight frames of a clip's even parts, seen together."""

    def __init__(self, network: ClipTextNetwork) -> None:
        self.sampling = Sampling("middle", FRAMES)
        self.network = network

    def open(self, info: ClipInfo) -> ClipTextConsumer:
        """Begins a clip."""
        del info
        return ClipTextConsumer(self.network)


class ClipTextConsumer:
    """One clip."""

    def __init__(self, network: ClipTextNetwork) -> None:
        self._network = network
        self._frames: list[NDArray[Any]] = []

    def push(self, index: int, frame: Frame) -> None:
        """Keeps the frame as the network takes it, which is small."""
        del index
        self._frames.append(self._network.prepare(frame))

    def finish(self) -> Features:
        """The vector."""
        return self._network.clip(self._frames)


class ClipTextExtractor(ClipExtractor):
    """Clips and texts to vectors."""

    def __init__(self, network: ClipTextNetwork) -> None:
        super().__init__(ClipTextFrames(network))
        self._texts = network

    def other(self, value: Any) -> Features:
        """The vector of a text; nothing of what is neither clip nor text."""
        return self._texts.text(value.text) if isinstance(value, Caption) else super().other(value)


def load(name: str) -> ClipTextExtractor:
    """The network of that name with its weights."""
    from genlevel_evaluator.networks import conse
    from genlevel_video.backbones import viclip

    return ClipTextExtractor(viclip.load() if name == "viclip-l-14" else ConseFrames(conse.load()))
