"""Features: what backbones make of media, in batches, each computed once per media digest while it is remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genlevel_evaluator import weights as manifest
from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.flags import EXCLUDED, PRESENT
from genlevel_evaluator.metric import Sample, each_side

CACHE_BYTES = 128 << 20


class FeatureCache:
    """Least recently used features, bounded in bytes. Keys are content: media, backbone and preprocessing digests."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...] | None) -> Any:
        """What is remembered under `key`, or None."""
        with self._lock:
            if key is None or key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def put(self, key: tuple[str, ...] | None, value: Any) -> None:
        """Remembers `value`; forgets the oldest when there are too many bytes."""
        with self._lock:
            if key is None or key in self._entries:
                return
            self._entries[key] = value
            self._size += _size(value)
            while self._size > self._limit and self._entries:
                _, gone = self._entries.popitem(last=False)
                self._size -= _size(gone)


def _size(value: Any) -> int:
    return int(value.nbytes) if isinstance(value, np.ndarray) else len(str(value))


CACHE = FeatureCache()


def extract_features(
    evaluator: Evaluator,
    names: Sequence[str],
    samples: Sequence[tuple[Sample, int]],
    issues: list[Issue],
    check: Callable[[], None],
    sides: Callable[[Sample], Mapping[str, Any]] = each_side,
) -> list[tuple[Sample, int]]:
    """Adds features to decoded samples; a side the network refuses becomes an issue."""
    result = list(samples)
    for name in names:
        jobs = [
            (index, side, value)
            for index, (sample, flags) in enumerate(result)
            if not flags & EXCLUDED
            for side, value in sides(sample).items()
            if value is not None
        ]
        for index, side, value in _extracted(evaluator, name, jobs, check):
            result[index] = _with_feature(result[index], name, side, value, issues)
    return result


def _extracted(
    evaluator: Evaluator, name: str, jobs: list[tuple[int, str, Any]], check: Callable[[], None]
) -> list[tuple[int, str, Any]]:
    backbone = evaluator.backbones[name]
    provider = evaluator.provider or InProcess(evaluator)
    weights = f"{name}@{'+'.join(manifest.digest(entry) for entry in backbone.entries)}"
    done: list[tuple[int, str, Any]] = []
    waiting: list[tuple[int, str, Any]] = []
    for index, side, value in jobs:
        known = CACHE.get(_key(weights, backbone.preprocessing, value))
        (done if known is not None else waiting).append((index, side, known if known is not None else value))
    for start in range(0, len(waiting), backbone.batch):
        check()
        batch = waiting[start : start + backbone.batch]
        features = provider.features(name, [value for _, _, value in batch], check)
        for (index, side, value), feature in zip(batch, features, strict=True):
            if not isinstance(feature, SampleError):
                CACHE.put(_key(weights, backbone.preprocessing, value), feature)
            done.append((index, side, feature))
    return done


@dataclass(frozen=True)
class InProcess:
    """Features from the networks of this process."""

    evaluator: Evaluator

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        """Features of a batch. Where one value is refused, each is tried alone so that the others keep theirs."""
        extractor = self.evaluator.extractor(name)
        try:
            return extractor.extract(values)
        except SampleError as error:
            if len(values) == 1:
                return [error]
            return [feature for value in values for feature in self.features(name, [value], check)]


def _key(weights: str, preprocessing: str, value: Any) -> tuple[str, ...] | None:
    """Cache key of a decoded value; None for values that do not know the digest of their file."""
    digest = getattr(value, "sha256", "")
    return (weights, preprocessing, digest) if digest else None


def _with_feature(
    entry: tuple[Sample, int], name: str, side: str, value: Any, issues: list[Issue]
) -> tuple[Sample, int]:
    sample, flags = entry
    if not isinstance(value, SampleError):
        return replace(sample, features={**sample.features, (name, side): value}), flags
    issues.append(Issue(sample.key, value.code, "prediction" if side == "prediction" else "reference", value.message, value.remedy, pointer=value.pointer))
    if side != "prediction":
        return sample, flags | EXCLUDED
    return replace(sample, prediction=None), flags & ~PRESENT
