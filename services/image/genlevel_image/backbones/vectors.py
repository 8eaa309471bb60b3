"""Networks that know pictures and captions, as backbones of this evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.networks import VectorNetwork
from genlevel_image.media import Picture


class VectorExtractor:
    """Pictures and captions to vectors, one by one."""

    def __init__(self, network: VectorNetwork) -> None:
        self._network = network

    def extract(self, values: Sequence[Picture | Caption]) -> list[NDArray[np.float32]]:
        """One vector a value."""
        return self.run([self.prepare(value) for value in values])

    def prepare(self, value: Picture | Caption) -> NDArray[Any]:
        """What the network takes of a value."""
        return self._network.prepare(value.text if isinstance(value, Caption) else value.pixels)

    def run(self, prepared: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """One vector a prepared value."""
        return [self._network.run(one) for one in prepared]


def load(network: str, preset: str) -> VectorExtractor:
    """The network of that name with its weights."""
    from genlevel_evaluator.networks import clip, conse, lite0

    if network == "clip-vit-b-32":
        return VectorExtractor(clip.load(preset))
    return VectorExtractor(lite0.load() if network == "efficientnet-lite0" else conse.load())
