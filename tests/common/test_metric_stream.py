"""EvaluateMetric: samples are scored while they come, and only their rows stay."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import chain
from typing import Any

import grpc
import pytest

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.handlers import Handlers

HEADER = pb.RequestHeader(evaluator="language", protocol_version=1)
ACCURACY = pb.MetricSpec(metric="accuracy")


class Context:
    """Keeps the status that a handler leaves."""

    def __init__(self) -> None:
        self.code, self.details = grpc.StatusCode.OK, ""

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None:
        self.details = details

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        assert trailing_metadata


def sample(key: str, prediction: str, reference: str) -> sample_pb2.Sample:
    references = [sample_pb2.Content(text=reference)] if reference else []
    return sample_pb2.Sample(id=key, prediction=sample_pb2.Content(text=prediction), references=references)


def answers(count: int) -> Iterator[sample_pb2.Sample]:
    """Long answers, in no order; of every tenth nothing is known to hold it against."""
    for place in range(count):
        yield sample(f"sample {place * 7919 % count}", "abc"[place % 3] * 200, "a" * 200 if place % 10 else "")


def streamed(handlers: Handlers, samples: Iterable[sample_pb2.Sample], given: int = 0) -> tuple[pb.EvaluateMetricResponse, Context]:
    """The answer to a stream whose first message has the first few samples."""

    async def requests() -> AsyncIterator[pb.EvaluateMetricRequest]:
        source = iter(samples)
        first = [next(source) for _ in range(given)]
        yield pb.EvaluateMetricRequest(start=pb.EvaluateShardRequest(header=HEADER, metric=ACCURACY, samples=first))
        for one in source:
            yield pb.EvaluateMetricRequest(sample=one)

    context = Context()
    return asyncio.run(handlers.evaluate_metric(requests(), context)), context


@pytest.mark.parametrize("given", [0, 5])
def test_many_batches_give_what_one_shard_gives(given: int) -> None:
    handlers = Handlers(load("language"))
    request = pb.EvaluateShardRequest(header=HEADER, metric=ACCURACY, samples=answers(3000), finalize=True)
    whole = asyncio.run(handlers.evaluate_shard(request, Context()))
    response, _ = streamed(handlers, answers(3000), given)
    assert response.value == whole.value
    assert list(response.issues) == list(whole.issues)
    assert len(response.issues) == 300


@pytest.mark.parametrize("last", [next(answers(1)), sample("sample 0", "other", "a")])
def test_a_sample_that_occurs_twice_is_refused_however_far_apart(last: sample_pb2.Sample) -> None:
    _, context = streamed(Handlers(load("language")), chain(answers(2500), [sample("sample 0", "a" * 200, ""), last]))
    assert (context.code, "twice" in context.details) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_a_stream_holds_rows_and_not_samples() -> None:
    """Bytes that one more sample costs at the peak: its row, and not its texts of 400 bytes."""
    handlers = Handlers(load("language"))
    peaks = []
    for count in (3000, 9000):
        tracemalloc.start()
        response, _ = streamed(handlers, answers(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert response.value.expected == count * 9 // 10
    assert (peaks[1] - peaks[0]) / 6000 < 150
