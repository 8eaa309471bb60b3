"""Features: what backbones make of media, each computed once and then remembered, in memory and on disk, by all that decides it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genlevel_evaluator import feature_keys, feature_store
from genlevel_evaluator.backbones import PreparingExtractor
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.feature_keys import Key

CACHE_BYTES = 128 << 20


class FeatureCache:
    """Least recently used features in memory, bounded in bytes, in front of those on disk. Keys are those of `feature_keys`."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[Key, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key | None) -> Any:
        """What is remembered under `key`, or None."""
        if key is None:
            return None
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        store = feature_store.configured()
        value = store.get(key) if store else None
        if value is not None:
            self._remember(key, value)
        return value

    def put(self, key: Key | None, value: Any) -> None:
        """Remembers `value`."""
        if key is None:
            return
        self._remember(key, value)
        if store := feature_store.configured():
            store.put(key, value)

    def _remember(self, key: Key, value: Any) -> None:
        """Forgets the oldest when there are too many bytes."""
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = value
            self._size += _size(value)
            while self._size > self._limit and self._entries:
                _, gone = self._entries.popitem(last=False)
                self._size -= _size(gone)


def _size(value: Any) -> int:
    return int(value.nbytes) if isinstance(value, np.ndarray) else len(str(value))


CACHE = FeatureCache()


@dataclass(frozen=True)
class Prepared:
    """What `prepare` of a network made of a value."""

    value: Any


@dataclass(frozen=True)
class InProcess:
    """Features from the networks of this process."""

    evaluator: Evaluator

    def device(self, name: str) -> str:
        """See `FeatureProvider`."""
        del name
        return feature_keys.torch_device()

    def prepare(self, name: str, value: Any) -> Any:
        """See `FeatureProvider`; the value itself where the network does not prepare apart."""
        extractor = self.evaluator.extractor(name)
        return Prepared(extractor.prepare(value)) if isinstance(extractor, PreparingExtractor) else value

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        """Features of a batch. Where one value is refused, each is tried alone so that the others keep theirs."""
        extractor = self.evaluator.extractor(name)
        try:
            if isinstance(extractor, PreparingExtractor):
                ready = [value if isinstance(value, Prepared) else self.prepare(name, value) for value in values]
                return extractor.run([one.value for one in ready])
            return extractor.extract(values)
        except SampleError as error:
            if len(values) == 1:
                return [error]
            return [feature for value in values for feature in self.features(name, [value], check)]

    def together(self, names: Sequence[str], values: Sequence[Any], check: Callable[[], None]) -> list[Sequence[Any]]:
        """See `FeatureProvider`."""
        run = self.evaluator.backbones[names[0]].together
        assert run is not None, f"{names[0]} is run alone"
        rows = []
        for row in run([self.evaluator.extractor(name) for name in names], values):
            rows.append(row)
            check()
        return rows
