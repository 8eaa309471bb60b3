"""Networks that several evaluators use. Importing this package imports none of them; their modules import torch.

    prepare(value)   -> array     a picture (height, width, 3) or a text becomes what the network takes; no network runs
    run(prepared)    -> vector    that becomes a vector, whatever ran before or after it
    rows(pictures)   -> vectors   the same of a batch of pictures; in batches of one size each is computed alike, whatever the others hold
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError

MAX_PROPORTION = 256
"""One side of a picture against the other. Networks enlarge the shorter side, so a strip of some kilobytes would become gigabytes."""


def check_proportion(pixels: NDArray[Any]) -> None:
    """Refuses pictures that are too thin.

    Raises:
        SampleError: one side is more than `MAX_PROPORTION` times the other.
    """
    height, width = pixels.shape[:2]
    if max(width, height) > MAX_PROPORTION * min(width, height):
        message = f"a picture of {width} x {height} pixels, one side more than {MAX_PROPORTION} times the other, cannot be shown to a network"
        raise SampleError("WRONG_SHAPE", message, remedy="give a picture of a usual shape")


class VectorNetwork(Protocol):
    """A network that turns a picture, or a text where it knows texts, into a vector."""

    def prepare(self, value: NDArray[Any] | str) -> NDArray[Any]:
        """Pixels or a text as the network takes them."""
        ...

    def run(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """The vector; its length is not made one."""
        ...

    @property
    def batch(self) -> int:
        """Pictures of a batch, where there are many."""
        ...

    def rows(self, pictures: NDArray[Any]) -> NDArray[np.float32]:
        """The vectors (n, d) of prepared pictures (n, ...)."""
        ...
