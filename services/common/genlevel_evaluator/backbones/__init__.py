"""Networks that turn media into features, behind one interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Extractor(Protocol):
    """A loaded network."""

    def extract(self, values: Sequence[Any]) -> list[Any]:
        """One output for each decoded value: an array, or a text for a recogniser."""
        ...


@dataclass(frozen=True)
class Backbone:
    """A network by name. Building it imports the heavy libraries and loads the weights.

    Attributes:
        name: as metrics ask for it and as `Sample.features` is keyed.
        weights: entry of the weights manifest.
        preprocessing: what is done to the media, as a short stable text; part of the signature.
        build: loads the network.
        also: further entries of the manifest that it reads, such as a vocabulary; part of the signature like the first.
        batch: values handed to `extract` at once.
    """

    name: str
    weights: str
    preprocessing: str
    build: Callable[[], Extractor]
    batch: int = 16
    also: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[str, ...]:
        """All entries of the manifest that it reads."""
        return (self.weights, *self.also)


class FeatureProvider(Protocol):
    """Where features come from: the networks of this process, or a deployment of their own."""

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        """What the network `name` makes of each value; in place of one it refuses, the SampleError.

        Args:
            name: the network.
            values: decoded values, at most a batch.
            check: raises when the caller left or its time is used up; called now and then by providers that wait.

        Raises:
            EvaluatorError: the network is not to be had.
        """
        ...
