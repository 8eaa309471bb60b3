"""EvaluateMetric: samples are scored while they come, and only their rows stay."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import chain
from typing import Any, cast

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.handlers import Handlers
from tests.common.test_handlers import HEADER, failure, sample, shard, with_stub


async def stream_of(samples: Iterable[sample_pb2.Sample]) -> AsyncIterator[pb.EvaluateMetricRequest]:
    yield pb.EvaluateMetricRequest(start=pb.EvaluateShardRequest(header=HEADER, metric=pb.MetricSpec(metric="accuracy")))
    for one in samples:
        yield pb.EvaluateMetricRequest(sample=one)


def answers(count: int) -> Iterator[sample_pb2.Sample]:
    for place in range(count):
        yield sample(f"sample {place * 7919 % count}", "abc"[place % 3], "a" if place % 10 else "")


def test_a_stream_of_many_batches_gives_what_one_shard_gives() -> None:
    async def body(stub: Any) -> None:
        streamed = await stub.EvaluateMetric(stream_of(answers(3000)))
        whole = await stub.EvaluateShard(shard(*answers(3000)))
        assert streamed.value == whole.value
        assert sorted(issue.SerializeToString() for issue in streamed.issues) == sorted(issue.SerializeToString() for issue in whole.issues)
        for repeated in (answers(1), [sample("sample 0", "other", "a")]):
            found = await failure(stub.EvaluateMetric(stream_of(chain(answers(3000), repeated))))
            assert (found[0].name, found[1] in ("REPEATED_SAMPLE", "CONFLICTING_SAMPLE")) == ("INVALID_ARGUMENT", True)

    with_stub(body)


def test_a_stream_holds_rows_and_not_samples() -> None:
    """Bytes that a sample more costs at the peak: its row, once, and not its texts, which are longer."""
    handlers = Handlers(load("language"))
    peaks = []
    for count in (4000, 16_000):
        tracemalloc.start()
        response = asyncio.run(handlers.evaluate_metric(stream_of(answers(count)), cast(Any, None)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert response.value.expected == count
    assert (peaks[1] - peaks[0]) / 12_000 < 120


def test_states_that_come_one_by_one_give_the_value_of_all() -> None:
    async def body(stub: Any) -> None:
        shards = [await stub.EvaluateShard(shard(*(sample(str(i), "a", "ab"[i % 2]) for i in range(n, n + 5)), finalize=False)) for n in range(0, 40, 5)]
        spec, asked = pb.MetricSpec(metric="accuracy"), pb.DetailSpec(worst=3)

        async def parts(states: Iterable[pb.MetricState], first: pb.MetricState | None = None) -> AsyncIterator[pb.FinalizeStatesRequest]:
            yield pb.FinalizeStatesRequest(start=pb.FinalizeMetricRequest(header=HEADER, metric=spec, details=asked, state=first))
            for state in states:
                yield pb.FinalizeStatesRequest(state=state)

        async def headless() -> AsyncIterator[pb.FinalizeStatesRequest]:
            yield pb.FinalizeStatesRequest(state=shards[0].state)

        given = [one.state for one in shards]
        whole = (await stub.CombineStates(pb.CombineStatesRequest(header=HEADER, metric=spec, states=given, finalize=True, details=asked))).value
        assert whole.value == 50.0
        assert (await stub.FinalizeStates(parts(given[::-1]))).value == whole
        assert (await stub.FinalizeStates(parts([*given, given[2]], given[0]))).value == whole
        assert (await stub.FinalizeStates(parts([]))).value.reason == "no_reference"
        assert (await failure(stub.FinalizeStates(headless())))[1] == "BAD_STREAM"
        other = await stub.EvaluateShard(shard(sample("1", "b", "b"), finalize=False))
        assert (await failure(stub.FinalizeStates(parts([*given, other.state]))))[1] == "CONFLICTING_SAMPLE"
        given[0].signature_digest = "0" * 64
        assert (await failure(stub.FinalizeStates(parts(given))))[1] == "BAD_STATE"

    with_stub(body)
