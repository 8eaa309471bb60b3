"""Samples with their features, chunk by chunk: files are read and prepared in threads while the networks work on those before.

What is read ahead is bounded in samples, and what is read is let go of once its features exist, so memory does not grow with the shard. A
file whose features are all remembered is not read at all where its metric needs nothing else of it. Features depend on their own
file only, and issues come in the order of the samples, so nothing shows how the work was cut.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice
from types import TracebackType
from typing import Any, Protocol

from genlevel_evaluator import feature_keys
from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.features import CACHE, InProcess, Key
from genlevel_evaluator.flags import EXCLUDED, PRESENT
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Metric, Sample, each_side
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.raw import RawSample, chunks
from genlevel_evaluator.serve.processors import count

MOST_THREADS = 16
CHECK_SECONDS = 0.2
"""Between two looks at whether the caller is still there."""

Entry = tuple[Sample, int]


class Reader(Protocol):
    """Reads one side of a sample."""

    def read(self, content: Content, side: str, attributes: Mapping[str, Any]) -> Any:
        """See `InputKind.read`."""
        ...


Decode = Callable[[RawSample, list[Issue], Reader], Entry]


class Released:
    """Stands where decoded media were that nobody needs any more."""


RELEASED = Released()


@dataclass(frozen=True)
class Failure:
    """What stopped a preparation; raised where the networks would have raised it."""

    error: Exception


@dataclass(frozen=True)
class Remembered:
    """Stands where decoded media would be that were not read, since their features are known."""

    key: Key
    known: Mapping[str, Any]


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


Read = tuple[Entry, Mapping[str, Pending], list[Issue]]
"""A sample, what of it goes to the networks by side, and what was wrong with it."""


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
        found = {name: CACHE.get(self.key(name, content)) for name in self.names}
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


class _SampleReader:
    """Reads the sides of one sample, and notes the keys of what it read."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._keys: dict[int, Key] = {}
        self._references = 0

    def read(self, content: Content, side: str, attributes: Mapping[str, Any]) -> Any:
        kind = self._networks.kind
        self._references += side == "reference"
        key = feature_keys.content_key(kind, side, content)
        looked_at = side == "prediction" or self._references == 1
        if key is not None and looked_at and self._networks.skips(side):
            known = self._networks.known(key)
            if len(known) == len(self._networks.names):
                return Remembered(key, known)
        value = kind.read(content, side, attributes)
        if key is not None and key[-1] == getattr(value, "sha256", ""):
            self._keys[id(value)] = key
        return value

    def pending(self, side: str, value: Any) -> Pending:
        """What of a value goes to the networks."""
        if isinstance(value, Remembered):
            return Pending(value.key, value.known, {})
        own = self._keys.get(id(value)) or feature_keys.value_key(self._networks.kind, side, value)
        return self._networks.pending(own, value)


def decoded_chunks(
    evaluator: Evaluator,
    metric: Metric[Any],
    parameters: Parameters,
    samples: Sequence[RawSample],
    decode: Decode,
    issues: list[Issue],
    check: Callable[[], None],
) -> Generator[list[Entry], None, None]:
    """Decoded samples with the features their metric needs, in the chunks of `raw.chunks`. Close it: it may hold threads.

    Args:
        evaluator: owner of the networks.
        metric: says which networks, and what it needs besides.
        parameters: of the metric.
        samples: all samples of a shard.
        decode: reads one sample.
        issues: what was not read, or refused by a network, is added to it chunk by chunk.
        check: raises when the caller left or its time is used up.
    """
    kind = evaluator.kinds[metric.input_kind]
    names = metric.networks(parameters)
    if not names:
        for chunk in chunks(samples):
            yield [_checked(decode, raw, issues, kind, check) for raw in chunk]
        return
    networks = Networks(evaluator, metric, names)
    with _Ahead(samples, decode, networks) as ahead:
        for chunk in chunks(samples):
            batches = _Batches(networks, check)
            for _ in chunk:
                entry, pending, own = ahead.next(check)
                issues += own
                batches.add(entry, pending)
            yield batches.finish(issues)


def _checked(decode: Decode, raw: RawSample, issues: list[Issue], kind: Reader, check: Callable[[], None]) -> Entry:
    check()
    return decode(raw, issues, kind)


class _Ahead:
    """Samples read in threads, given out in their order."""

    def __init__(self, samples: Sequence[RawSample], decode: Decode, networks: Networks) -> None:
        threads = min(MOST_THREADS, max(1, count() - 1))
        self._decode = decode
        self._networks = networks
        self._left = iter(samples)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="genlevel-read")
        self._waiting: deque[Future[Read]] = deque()
        self._window = max(networks.batches.values()) + threads
        self._quiet = warnings.catch_warnings()

    def __enter__(self) -> _Ahead:
        # Readers hide warnings of their libraries, which Python does for all threads at once and undoes in any order.
        self._quiet.__enter__()
        warnings.simplefilter("ignore")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # Files may go when the call ends, so what is being read is waited for.
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._quiet.__exit__(kind, error, trace)

    def next(self, check: Callable[[], None]) -> Read:
        """The next sample."""
        for raw in islice(self._left, self._window - len(self._waiting)):
            self._waiting.append(self._pool.submit(self._read, raw))
        future = self._waiting.popleft()
        check()
        while not future.done():
            wait([future], CHECK_SECONDS)
            check()
        return future.result()

    def _read(self, raw: RawSample) -> Read:
        issues: list[Issue] = []
        reader = _SampleReader(self._networks)
        sample, flags = self._decode(raw, issues, reader)
        pending: dict[str, Pending] = {}
        if not flags & EXCLUDED:
            sides = self._networks.metric.sides(sample).items()
            pending = {side: reader.pending(side, value) for side, value in sides if value is not None}
        return (self._bare(sample), flags), pending, issues

    def _bare(self, sample: Sample) -> Sample:
        """The sample with what its metric needs of it besides features."""
        reads = self._networks.metric.reads
        prediction = sample.prediction if sample.prediction is None or "prediction" in reads else RELEASED
        references = sample.references if "reference" in reads else tuple(None if value is None else RELEASED for value in sample.references)
        return replace(sample, prediction=prediction, references=references)


class _Batches:
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
            if (known := CACHE.get(key)) is not None:
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
        features = self._networks.provider.features(name, [todo[key] for key in keys], self._check)
        for key, feature in zip(keys, features, strict=True):
            results[key] = feature
            if not isinstance(feature, SampleError) and not isinstance(key, int):
                CACHE.put(key, feature)
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


def _with_feature(entry: Entry, name: str, side: str, value: Any, issues: list[Issue]) -> Entry:
    sample, flags = entry
    if not isinstance(value, SampleError):
        return replace(sample, features={**sample.features, (name, side): value}), flags
    issues.append(Issue(sample.key, value.code, "prediction" if side == "prediction" else "reference", value.message, value.remedy, pointer=value.pointer))
    if side != "prediction":
        return sample, flags | EXCLUDED
    return replace(sample, prediction=None), flags & ~PRESENT
