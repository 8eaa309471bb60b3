"""Shapes through networks that know pictures: rendered from the camera ring, a vector a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.networks import VectorNetwork
from genlevel_three_d.forms.views import Views
from genlevel_three_d.render.pictures import ring
from genlevel_three_d.scene import Scene

Prepared = tuple[NDArray[Any], ...]


class RingExtractor:
    """Shapes, pictures and captions to vectors, shape (views, width); one row for a picture or a caption."""

    def __init__(self, network: VectorNetwork, up: str) -> None:
        self._network = network
        self._up = up

    def extract(self, values: Sequence[Scene | Views | Caption]) -> list[NDArray[np.float32]]:
        """The vectors of each value."""
        return self.run([self.prepare(value) for value in values])

    def prepare(self, value: Scene | Views | Caption) -> Prepared:
        """What the network takes of a value, a view after the other."""
        if isinstance(value, Caption):
            return (self._network.prepare(value.text),)
        pixels = ring(value, self._up) if isinstance(value, Scene) else [one.pixels for one in value.pictures]
        return tuple(self._network.prepare(one) for one in pixels)

    def run(self, prepared: Sequence[Prepared]) -> list[NDArray[np.float32]]:
        """The vectors of each prepared value."""
        return [np.stack([self._network.run(one) for one in views]) for views in prepared]
