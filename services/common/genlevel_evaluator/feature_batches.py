"""The networks that a metric needs, and batches of values on their way through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genlevel_evaluator import feature_keys, features
from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.feature_keys import Key
from genlevel_evaluator.features import InProcess
from genlevel_evaluator.flags import EXCLUDED, PRESENT
from genlevel_evaluator.metric import Metric, Sample, each_side

Entry = tuple[Sample, int]
"""A sample and its flags."""


@dataclass(frozen=True)
class Failure:
    """What stopped a preparation; raised where the networks would have raised it."""

    error: Exception


@dataclass(frozen=True)
class Pending:
    """One value on its way to the networks.

    Attributes:
        key: of its file; None where it cannot be remembered.
        known: features that are remembered, by network.
        ready: what the other networks take, by network; taken out when they are done.
    """

    key: Key | None
    known: Mapping[str, Any]
    ready: dict[str, Any]


class Networks:
    """The networks that a metric needs, and what it needs besides."""

    def __init__(self, evaluator: Evaluator, metric: Metric[Any], names: Sequence[str]) -> None:
        self.names = names
        self.metric = metric
        self.kind = evaluator.kinds[metric.input_kind]
        self.provider = evaluator.provider or InProcess(evaluator)
        self.batches = {name: evaluator.backbones[name].batch for name in names}
        self._keys = {name: feature_keys.network_key(evaluator, evaluator.backbones[name]) for name in names}

    def skips(self, side: str) -> bool:
        """Whether files of that side need not be read where their features are remembered."""
        return side not in self.metric.reads and self.metric.sides is each_side

    def key(self, name: str, content: Key | None) -> Key | None:
        """Of the feature that a network makes of a file."""
        return None if content is None else (*self._keys[name], *content)

    def known(self, content: Key | None) -> dict[str, Any]:
        """Features that are remembered."""
        found = {name: features.CACHE.get(self.key(name, content)) for name in self.names}
        return {name: value for name, value in found.items() if value is not None}

    def pending(self, key: Key | None, value: Any) -> Pending:
        """A value with what the networks take of it."""
        known = self.known(key)
        return Pending(key, known, {name: self._prepared(name, value) for name in self.names if name not in known})

    def _prepared(self, name: str, value: Any) -> Any:
        try:
            return self.provider.prepare(name, value)
        except Exception as error:  # raised again where the network's turn is, so that it is said in the order of the samples
            return Failure(error)


class Batches:
    """The samples of a chunk; a network runs as soon as a batch for it is there."""

    def __init__(self, networks: Networks, check: Callable[[], None]) -> None:
        self._networks = networks
        self._check = check
        self._entries: list[Entry] = []
        self._sides: list[tuple[str, ...]] = []
        self._waiting: dict[str, list[tuple[int, str, Pending]]] = {name: [] for name in networks.names}
        self._found: dict[tuple[str, int, str], Any] = {}

    def add(self, entry: Entry, sides: Mapping[str, Pending]) -> None:
        """Takes the next sample."""
        index = len(self._entries)
        self._entries.append(entry)
        self._sides.append(tuple(sides))
        for side, pending in sides.items():
            for name in self._networks.names:
                if name in pending.known:
                    self._found[name, index, side] = pending.known[name]
                    continue
                self._waiting[name].append((index, side, pending))
                if len(self._waiting[name]) == self._networks.batches[name]:
                    self._run(name)

    def _run(self, name: str) -> None:
        """Runs a network over what waits for it; a file that is there twice goes through once."""
        jobs, self._waiting[name] = self._waiting[name], []
        same = [self._networks.key(name, pending.key) for _, _, pending in jobs]
        results: dict[Key | int, Any] = {}
        todo: dict[Key | int, Any] = {}
        for place, (key, (_, _, pending)) in enumerate(zip(same, jobs, strict=True)):
            ready = pending.ready.pop(name)
            if (known := features.CACHE.get(key)) is not None:
                results[key or place] = known
            else:
                todo.setdefault(key or place, ready)
        results |= self._computed(name, todo)
        for place, (key, (index, side, _)) in enumerate(zip(same, jobs, strict=True)):
            self._found[name, index, side] = results[key or place]

    def _computed(self, name: str, todo: Mapping[Key | int, Any]) -> dict[Key | int, Any]:
        results: dict[Key | int, Any] = {}
        for key, ready in todo.items():
            if isinstance(ready, Failure):
                if not isinstance(ready.error, SampleError):
                    raise ready.error
                results[key] = ready.error
        keys = [key for key in todo if key not in results]
        if not keys:
            return results
        self._check()
        made = self._networks.provider.features(name, [todo[key] for key in keys], self._check)
        for key, feature in zip(keys, map(_usable, made), strict=True):
            results[key] = feature
            if not isinstance(feature, SampleError) and not isinstance(key, int):
                features.CACHE.put(key, feature)
        return results

    def finish(self, issues: list[Issue]) -> list[Entry]:
        """The samples with their features; a side that a network refused becomes an issue."""
        for name, waiting in self._waiting.items():
            if waiting:
                self._run(name)
        result = self._entries
        for name in self._networks.names:
            for index, (sample, flags) in enumerate(result):
                for side in self._sides[index]:
                    if not flags & EXCLUDED and (side != "prediction" or sample.prediction is not None):
                        result[index] = _with_feature(result[index], name, side, self._found[name, index, side], issues)
        return result


def _usable(feature: Any) -> Any:
    """The feature, or what is wrong with it: one NaN would make a NaN of the distance of whole sets."""
    if isinstance(feature, np.ndarray) and feature.dtype.kind == "f" and not np.isfinite(feature).all():
        return SampleError("FEATURES_NOT_FINITE", "the network makes NaN or infinity of this file", remedy="check the file, and the weights with `genlevel weights verify`")
    return feature


def _with_feature(entry: Entry, name: str, side: str, value: Any, issues: list[Issue]) -> Entry:
    sample, flags = entry
    if not isinstance(value, SampleError):
        return replace(sample, features={**sample.features, (name, side): value}), flags
    issues.append(Issue(sample.key, value.code, "prediction" if side == "prediction" else "reference", value.message, value.remedy, pointer=value.pointer))
    if side != "prediction":
        return sample, flags | EXCLUDED
    return replace(sample, prediction=None), flags & ~PRESENT
