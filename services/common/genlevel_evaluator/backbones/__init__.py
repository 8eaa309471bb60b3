"""Networks that turn media into features, behind one interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


class Extractor(Protocol):
    """A loaded network."""

    def extract(self, values: Sequence[Any]) -> list[Any]:
        """One output for each decoded value: an array, or a text for a recogniser. Never depends on the other values."""
        ...


@runtime_checkable
class PreparingExtractor(Protocol):
    """A network whose preprocessing runs apart from it, in threads, while it works on earlier values."""

    def extract(self, values: Sequence[Any]) -> list[Any]:
        """See `Extractor`; the same as `run` of what `prepare` gives."""
        ...

    def prepare(self, value: Any) -> Any:
        """What the network takes, small enough to wait in memory.

        Raises:
            SampleError: the file is at fault.
        """
        ...

    def run(self, prepared: Sequence[Any]) -> list[Any]:
        """One output for each prepared value."""
        ...


@dataclass(frozen=True)
class Backbone:
    """A network by name. Building it imports the heavy libraries and loads the weights.

    Attributes:
        name: as metrics ask for it and as `Sample.features` is keyed.
        weights: entry of the weights manifest; empty for a method that has none, which is a stand-in for a network.
        preprocessing: what is done to the media, as a short stable text; part of the signature.
        build: loads the network.
        also: further entries of the manifest that it reads, such as a vocabulary; part of the signature like the first.
        batch: values handed to `extract` at once.
        uses_gpu: whether it runs on a GPU where there is one; its features are then remembered apart.
        together: runs several loaded networks over values in one pass, where reading a value costs as much as the networks: for each value
            what every network makes of it, SampleErrors in place. Networks of one metric with the same function here are run by it.
    """

    name: str
    weights: str
    preprocessing: str
    build: Callable[[], Extractor]
    batch: int = 16
    also: tuple[str, ...] = ()
    uses_gpu: bool = True
    together: Callable[[Sequence[Any], Sequence[Any]], Iterable[Sequence[Any]]] | None = None

    @property
    def entries(self) -> tuple[str, ...]:
        """All entries of the manifest that it reads."""
        return (self.weights, *self.also) if self.weights else self.also


class FeatureProvider(Protocol):
    """Where features come from: the networks of this process, or a deployment of their own."""

    def device(self, name: str) -> str:
        """`cuda` or `cpu`: what that network, if it uses a GPU, runs on there."""
        ...

    def prepare(self, name: str, value: Any) -> Any:
        """What `features` takes for a value, made beforehand and in another thread.

        Raises:
            SampleError: the network refuses the value.
        """
        ...

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        """What the network `name` makes of each value; in place of one it refuses, the SampleError.

        Args:
            name: the network.
            values: decoded values, or what `prepare` made of them; at most a batch.
            check: raises when the caller left or its time is used up; called now and then by providers that wait.

        Raises:
            EvaluatorError: the network is not to be had.
        """
        ...

    def together(self, names: Sequence[str], values: Sequence[Any], check: Callable[[], None]) -> list[Sequence[Any]]:
        """What networks with one `Backbone.together` make of each value, as `features` gives it, in the order of `names`.

        Args:
            names: two networks or more.
            values: decoded values; at most a batch.
            check: see `features`.

        Raises:
            EvaluatorError: see `features`.
        """
        ...
