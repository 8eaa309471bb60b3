"""Details of a value: what the contract says of them, over the wire, and their limits. The laws are in test_laws.py."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import numpy as np
import pytest

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc, sample_pb2
from genlevel_evaluator import details
from genlevel_evaluator.details import DetailSpec, keys_digest, worst
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.local import RawSample
from genlevel_evaluator.metric import Metric
from genlevel_evaluator.serve.bare import OPTIONS, start

HEADER = pb.RequestHeader(evaluator="language", protocol_version=1)
ALL = pb.DetailSpec(worst=2, scores=True, keys=True, replicates=True)


def with_stub(body: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        server, port = await start(load("language"))
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
                await body(evaluator_pb2_grpc.EvaluatorServiceStub(channel))
        finally:
            await server.stop(0)

    asyncio.run(main())


def samples(count: int = 12) -> list[sample_pb2.Sample]:
    """Predictions of which every third is wrong; the last is missing."""
    made = []
    for index in range(count):
        sample = sample_pb2.Sample(id=str(index), references=[sample_pb2.Content(text="b")])
        if index < count - 1:
            sample.prediction.text = "abb"[index % 3]
        made.append(sample)
    return made


def test_every_call_that_gives_a_value_gives_its_details() -> None:
    async def body(stub: Any) -> None:
        spec = pb.MetricSpec(metric="accuracy")
        given = samples()
        whole = await stub.EvaluateShard(pb.EvaluateShardRequest(header=HEADER, metric=spec, samples=given, finalize=True, details=ALL))
        found = whole.value.details
        assert (found.samples, list(found.keys), [item.sample_id for item in found.worst]) == (12, [s.id for s in given], ["0", "3"])
        assert list(found.scores) == [0.0 if index % 3 == 0 or index == 11 else 100.0 for index in range(12)]
        assert found.keys_digest == hashlib.sha256(b"".join(s.id.encode() + b"\0" for s in given)).hexdigest()
        assert len(found.replicates) == 1000
        parts = [
            (await stub.EvaluateShard(pb.EvaluateShardRequest(header=HEADER, metric=spec, samples=given[i::3]))).state for i in range(3)
        ]
        combined = await stub.CombineStates(pb.CombineStatesRequest(header=HEADER, metric=spec, states=parts, finalize=True, details=ALL))
        merged = await stub.CombineStates(pb.CombineStatesRequest(header=HEADER, metric=spec, states=parts))
        final = await stub.FinalizeMetric(pb.FinalizeMetricRequest(header=HEADER, metric=spec, state=merged.state, details=ALL))

        async def stream() -> Any:
            yield pb.EvaluateMetricRequest(start=pb.EvaluateShardRequest(header=HEADER, metric=spec, details=ALL))
            for sample in given:
                yield pb.EvaluateMetricRequest(sample=sample)

        streamed = await stub.EvaluateMetric(stream())
        assert whole.value == combined.value == final.value == streamed.value

    with_stub(body)


def test_nothing_is_added_unasked_and_only_what_is_asked_for() -> None:
    async def body(stub: Any) -> None:
        request = pb.EvaluateShardRequest(header=HEADER, metric=pb.MetricSpec(metric="accuracy"), samples=samples(), finalize=True)
        bare = (await stub.EvaluateShard(request)).value
        assert not bare.HasField("details")
        request.details.worst = 1000
        found = (await stub.EvaluateShard(request)).value.details
        assert (len(found.worst), len(found.scores), len(found.keys), len(found.replicates)) == (12, 0, 0, 0)
        request.details.CopyFrom(pb.DetailSpec())
        assert (await stub.EvaluateShard(request)).value.HasField("details"), "asked for, if empty"

    with_stub(body)


def scored(metric: Metric[Any], count: int, asked: DetailSpec) -> Any:
    scorer = Scorer(load("language"), metric, metric.parameters())
    rows, _ = scorer.observe([RawSample(str(index), Content(text="a"), (Content(text="a"),)) for index in range(count)])
    return scorer.finalize(rows, asked)


def test_too_many_samples_keep_their_worst_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "MAX_SCORES", 5)
    metric = load("language").metric("accuracy")
    everything = DetailSpec(worst=3, scores=True, keys=True, replicates=True)
    small, large = (scored(metric, count, everything) for count in (5, 6))
    assert (len(small.details.scores), small.warnings) == (5, ())
    assert (large.details.scores, large.details.keys, large.warnings) == ((), (), ("sample_scores_left_out",))
    assert (len(large.details.worst), large.details.samples, len(large.details.replicates)) == (3, 6, 1000)
    assert scored(metric, 6, DetailSpec(replicates=True)).warnings == ()


def test_a_metric_that_gives_another_number_of_scores_is_at_fault() -> None:
    broken = Metric(**{**load("language").metric("accuracy").__dict__, "samples": lambda rows, _: np.zeros(2)})
    with pytest.raises(EvaluatorError, match="scores for 3 samples"):
        scored(broken, 3, DetailSpec(scores=True))


def test_no_samples_have_no_details_but_a_digest() -> None:
    found = scored(load("language").metric("accuracy"), 0, DetailSpec(10, True, True, True)).details
    assert (found.samples, found.scores, found.worst, found.replicates) == (0, (), (), ())
    assert found.keys_digest == hashlib.sha256().hexdigest()


def test_the_worst_follow_the_direction_and_leave_out_what_has_no_score() -> None:
    keys, scores = ["a", "b", "c", "d"], np.array([2.0, math.inf, math.nan, -1.0])
    assert worst(keys, scores, True, 10) == (("d", -1.0), ("a", 2.0), ("b", math.inf))
    assert worst(keys, scores, False, 2) == (("b", math.inf), ("a", 2.0))


def test_digests_tell_keys_apart_that_read_the_same_together() -> None:
    assert keys_digest(["ab", "c"]) != keys_digest(["a", "bc"])
    assert keys_digest(["\ud800"]) != keys_digest(["?"]), "half a character is a key, too"
