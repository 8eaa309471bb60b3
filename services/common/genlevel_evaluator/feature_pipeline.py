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

from genlevel_evaluator import feature_keys, free_memory
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.feature_batches import Batches, Entry, Networks, Pending
from genlevel_evaluator.feature_keys import Key
from genlevel_evaluator.flags import EXCLUDED
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Metric, Sample
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.raw import RawSample, chunks, parts
from genlevel_evaluator.serve.processors import count

MOST_THREADS = 16
CHECK_SECONDS = 0.2
"""Between two looks at whether the caller is still there."""


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
class Remembered:
    """Stands where decoded media would be that were not read, since their features are known."""

    key: Key
    known: Mapping[str, Any]


Read = tuple[Entry, Mapping[str, Pending], list[Issue]]
"""A sample, what of it goes to the networks by side, and what was wrong with it."""


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
            yield from parts(_checked(decode, raw, issues, kind, check) for raw in chunk)
        return
    networks = Networks(evaluator, metric, names, metric.companion_backbones(parameters))
    with _Ahead(samples, decode, networks) as ahead:
        for chunk in chunks(samples):
            batches = Batches(networks, check)
            for _ in chunk:
                entry, pending, own = ahead.next(check)
                issues += own
                batches.add(entry, pending)
            entries = batches.finish(issues)
            free_memory.give_back()
            yield entries


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
        released = getattr(sample.prediction, "remains", RELEASED)  # a value may leave a word for the metric's remarks
        prediction = sample.prediction if sample.prediction is None or "prediction" in reads else released
        references = sample.references if "reference" in reads else tuple(None if value is None else RELEASED for value in sample.references)
        return replace(sample, prediction=prediction, references=references)
