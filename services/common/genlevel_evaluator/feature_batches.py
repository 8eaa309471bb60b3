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
Group = tuple[str, ...]
"""Networks that are run in one pass over a value; mostly one alone."""


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

    def __init__(self, evaluator: Evaluator, metric: Metric[Any], names: Sequence[str], companions: Sequence[str] = ()) -> None:
        self.names = names
        self.companions = frozenset(companions)
        self.metric = metric
        self.kind = evaluator.kinds[metric.input_kind]
        self.provider = evaluator.provider or InProcess(evaluator)
        self.batches = {group: min(evaluator.backbones[name].batch for name in group) for group in _groups(evaluator, names)}
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
        ready: dict[str, Any] = {}
        for group in self.batches:
            needed = [name for name in group if name not in known]
            # Networks that share a pass read the value in it; one alone may prepare it here.
            ready |= {name: value if len(needed) > 1 else self._prepared(name, value) for name in needed}
        return Pending(key, known, ready)

    def _prepared(self, name: str, value: Any) -> Any:
        try:
            return self.provider.prepare(name, value)
        except Exception as error:  # raised again where the network's turn is, so that it is said in the order of the samples
            return Failure(error)


def _groups(evaluator: Evaluator, names: Sequence[str]) -> list[Group]:
    groups: dict[Any, list[str]] = {}
    for name in names:
        groups.setdefault(evaluator.backbones[name].together or name, []).append(name)
    return [tuple(group) for group in groups.values()]


class Batches:
    """The samples of a chunk; a network runs as soon as a batch for it is there."""

    def __init__(self, networks: Networks, check: Callable[[], None]) -> None:
        self._networks = networks
        self._check = check
        self._entries: list[Entry] = []
        self._sides: list[tuple[str, ...]] = []
        self._waiting: dict[Group, list[tuple[int, str, Pending]]] = {group: [] for group in networks.batches}
        self._found: dict[tuple[str, int, str], Any] = {}

    def add(self, entry: Entry, sides: Mapping[str, Pending]) -> None:
        """Takes the next sample."""
        index = len(self._entries)
        self._entries.append(entry)
        self._sides.append(tuple(sides))
        for side, pending in sides.items():
            self._found |= {(name, index, side): value for name, value in pending.known.items()}
            for group, batch in self._networks.batches.items():
                if all(name in pending.known for name in group):
                    continue
                self._waiting[group].append((index, side, pending))
                if len(self._waiting[group]) == batch:
                    self._run(group)

    def _run(self, group: Group) -> None:
        """Runs networks over what waits for them; a file that is there twice goes through once."""
        jobs, self._waiting[group] = self._waiting[group], []
        results: dict[tuple[str, Key | int], Any] = {}
        todo: dict[Group, dict[Key | int, Any]] = {}
        for place, (_, _, pending) in enumerate(jobs):
            ready = {name: pending.ready.pop(name) for name in group if name in pending.ready}
            found = {name: features.CACHE.get(self._networks.key(name, pending.key)) for name in ready}
            results |= {(name, pending.key or place): value for name, value in found.items() if value is not None}
            if missing := tuple(name for name in ready if found[name] is None):
                todo.setdefault(missing, {}).setdefault(pending.key or place, ready[missing[0]])
        for names, values in todo.items():
            results |= self._computed(names, values)
        for place, (index, side, pending) in enumerate(jobs):
            self._found |= {(name, index, side): results[name, pending.key or place] for name in group if name not in pending.known}

    def _computed(self, names: Group, todo: Mapping[Key | int, Any]) -> dict[tuple[str, Key | int], Any]:
        results: dict[tuple[str, Key | int], Any] = {}
        for place, ready in todo.items():
            if isinstance(ready, Failure):
                if not isinstance(ready.error, SampleError):
                    raise ready.error
                results[names[0], place] = ready.error
        places = [place for place in todo if (names[0], place) not in results]
        if not places:
            return results
        self._check()
        for place, row in zip(places, self._made(names, [todo[place] for place in places]), strict=True):
            for name, feature in zip(names, map(_usable, row), strict=True):
                results[name, place] = feature
                if not isinstance(feature, SampleError) and not isinstance(place, int):
                    features.CACHE.put(self._networks.key(name, place), feature)
        return results

    def _made(self, names: Group, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """What each network makes of each value."""
        if len(names) > 1:
            return self._networks.provider.together(names, values, self._check)
        return [[feature] for feature in self._networks.provider.features(names[0], values, self._check)]

    def finish(self, issues: list[Issue]) -> list[Entry]:
        """The samples with their features; a side that a network refused becomes an issue."""
        for group, waiting in self._waiting.items():
            if waiting:
                self._run(group)
        result = self._entries
        for name in self._networks.names:
            for index, (sample, flags) in enumerate(result):
                for side in self._sides[index]:
                    if not flags & EXCLUDED and (side != "prediction" or sample.prediction is not None):
                        result[index] = self._with_feature(result[index], name, side, self._found[name, index, side], issues)
        return result

    def _with_feature(self, entry: Entry, name: str, side: str, value: Any, issues: list[Issue]) -> Entry:
        if name in self._networks.companions and isinstance(value, SampleError):  # the value stands without it
            issues.append(Issue(entry[0].key, value.code, "warning", f"{value.message} (for what {name} shows beside the value)", value.remedy, pointer=value.pointer))
            return entry
        return _with_feature(entry, name, side, value, issues)


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
