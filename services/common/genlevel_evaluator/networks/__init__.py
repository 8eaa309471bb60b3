"""Networks that several evaluators use. Importing this package imports none of them; their modules import torch.

    prepare(value)   -> array     a picture (height, width, 3) or a text becomes what the network takes; no network runs
    run(prepared)    -> vector    that becomes a vector, whatever ran before or after it
    rows(pictures)   -> vectors   the same of a batch of pictures; in batches of one size each is computed alike, whatever the others hold
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


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
