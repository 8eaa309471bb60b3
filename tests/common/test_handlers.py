"""The service over a real grpc.aio server: every failure is a code of the contract with details, never a traceback."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc, sample_pb2
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.handlers import MAX_MESSAGE_BYTES
from genlevel_evaluator.serve.bare import start

HEADER = pb.RequestHeader(evaluator="language", protocol_version=1)
OPTIONS = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", 2 * MAX_MESSAGE_BYTES)]


def text(value: str) -> sample_pb2.Content:
    return sample_pb2.Content(text=value)


def sample(key: str, prediction: str | None, *references: str) -> sample_pb2.Sample:
    message = sample_pb2.Sample(id=key, references=[text(r) for r in references])
    if prediction is not None:
        message.prediction.CopyFrom(text(prediction))
    return message


def shard(*samples: sample_pb2.Sample, metric: str = "accuracy", finalize: bool = True, **header: Any) -> pb.EvaluateShardRequest:
    full = pb.RequestHeader(evaluator="language", protocol_version=1)
    full.MergeFrom(pb.RequestHeader(**header))
    return pb.EvaluateShardRequest(header=full, metric=pb.MetricSpec(metric=metric), samples=samples, finalize=finalize)


def with_stub(body: Callable[[Any], Awaitable[None]], roots: tuple[Path, ...] = ()) -> None:
    async def main() -> None:
        server, port = await start(load("language"), roots=roots)
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
                await body(evaluator_pb2_grpc.EvaluatorServiceStub(channel))
        finally:
            await server.stop(0)

    asyncio.run(main())


async def failure(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, str]:
    """Code, reason and message of a failing call; asserts that the details are ours and small."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    trailer = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    assert len(trailer) <= 4096
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(trailer).details[0].Unpack(info)
    assert info.domain == "genlevel"
    assert "Traceback" not in (error.details() or "")
    return error.code(), info.reason, error.details() or ""


def test_one_call_scores_a_one_shard_task() -> None:
    async def body(stub: Any) -> None:
        response = await stub.EvaluateShard(shard(sample("1", "A", "a"), sample("2", "b", "a"), sample("3", None, "a"), sample("4", "x")))
        assert response.value.value == pytest.approx(100 / 3)
        assert (response.value.expected, response.value.present, response.value.excluded) == (3, 2, 1)
        assert [issue.code for issue in response.issues] == ["NO_REFERENCE"]
        assert response.value.signature.digest == response.signature.digest == response.state.signature_digest

    with_stub(body)


def test_shards_combine_to_the_same_value() -> None:
    async def body(stub: Any) -> None:
        samples = [sample(str(i), "abc"[i % 3], "a") for i in range(10)]
        whole = await stub.EvaluateShard(shard(*samples))
        parts = [(await stub.EvaluateShard(shard(*samples[i::3], finalize=False))).state for i in range(3)]
        spec = pb.MetricSpec(metric="accuracy")
        combined = await stub.CombineStates(pb.CombineStatesRequest(header=HEADER, metric=spec, states=parts))
        finished = await stub.CombineStates(pb.CombineStatesRequest(header=HEADER, metric=spec, states=parts, finalize=True))
        final = await stub.FinalizeMetric(pb.FinalizeMetricRequest(header=HEADER, metric=spec, state=combined.state))
        assert combined.state == whole.state
        assert finished.value == final.value == whole.value
        assert (combined.HasField("value"), finished.HasField("state")) == (False, False)

    with_stub(body)


def test_describe_names_every_metric_with_its_parameters() -> None:
    async def body(stub: Any) -> None:
        response = await stub.DescribeEvaluator(pb.DescribeEvaluatorRequest())
        assert response.evaluator == "language"
        assert [metric.metric for metric in response.metrics] == list(load("language").metric_ids)
        assert all(metric.unit and metric.version and metric.input_kind and metric.summary for metric in response.metrics)

    with_stub(body)


@pytest.mark.parametrize(
    ("request_message", "code", "reason", "words"),
    [
        (shard(metric="acuracy"), "NOT_FOUND", "UNKNOWN_METRIC", "did you mean accuracy"),
        (shard(evaluator="image"), "INVALID_ARGUMENT", "WRONG_EVALUATOR", "this is language"),
        (shard(protocol_version=9), "INVALID_ARGUMENT", "WRONG_PROTOCOL", "speaks 1"),
        (shard(sample("", "a", "a")), "INVALID_ARGUMENT", "NO_SAMPLE_ID", "no id"),
        (shard(sample("1", "a", "a"), sample("1", "b", "a")), "INVALID_ARGUMENT", "REPEATED_SAMPLE", "'1'"),
    ],
)
def test_bad_calls_are_named(request_message: pb.EvaluateShardRequest, code: str, reason: str, words: str) -> None:
    async def body(stub: Any) -> None:
        found = await failure(stub.EvaluateShard(request_message))
        assert (found[0].name, found[1]) == (code, reason)
        assert words in found[2]

    with_stub(body)


def test_an_unknown_parameter_and_a_wrong_type_are_named_together() -> None:
    async def body(stub: Any) -> None:
        request = shard(sample("1", "a", "a"), metric="bleu_1")
        request.metric.parameters.update({"poolin": "corpus", "lowercase": "perhaps"})
        code, reason, message = await failure(stub.EvaluateShard(request))
        assert (code.name, reason) == ("INVALID_ARGUMENT", "BAD_PARAMETER")
        assert "did you mean pooling" in message
        assert "'perhaps'" in message

    with_stub(body)


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_numbers_that_json_has_no_word_for_are_the_callers_fault(number: float) -> None:
    async def body(stub: Any) -> None:
        request = shard(sample("1", "a", "a"), metric="anls")
        request.metric.parameters.update({"threshold": number})
        code, reason, message = await failure(stub.EvaluateShard(request))
        assert (code.name, reason) == ("INVALID_ARGUMENT", "NOT_FINITE")
        assert "parameters of anls" in message
        strange = sample("7", "a", "a")
        strange.attributes.update({"size": [number]})
        code, reason, message = await failure(stub.EvaluateShard(shard(strange)))
        assert (code.name, reason) == ("INVALID_ARGUMENT", "NOT_FINITE")
        assert "sample '7'" in message

    with_stub(body)


def test_a_state_of_other_parameters_or_cut_off_is_refused() -> None:
    async def body(stub: Any) -> None:
        state = (await stub.EvaluateShard(shard(sample("1", "a", "a")))).state
        spec = pb.MetricSpec(metric="accuracy")
        digests = next(column for column in state.columns if column.name == "reference_digest")
        digests.values = digests.values[:3]
        assert (await failure(stub.FinalizeMetric(pb.FinalizeMetricRequest(header=HEADER, metric=spec, state=state))))[1] == "BAD_STATE"
        state.signature_digest = "f" * 64
        found = await failure(stub.FinalizeMetric(pb.FinalizeMetricRequest(header=HEADER, metric=spec, state=state)))
        assert "other parameters" in found[2]
        found = await failure(stub.CombineStates(pb.CombineStatesRequest(header=HEADER, metric=spec)))
        assert found[1] == "NO_STATES"

    with_stub(body)


def test_a_used_up_budget_is_deadline_exceeded() -> None:
    async def body(stub: Any) -> None:
        samples = [sample(str(i), "word " * 400, "word " * 400) for i in range(4000)]
        found = await failure(stub.EvaluateShard(shard(*samples, metric="rouge_l_f", budget_ms=1)))
        assert (found[0].name, found[1]) == ("DEADLINE_EXCEEDED", "BUDGET_USED_UP")

    with_stub(body)


def test_a_message_over_the_limit_is_refused() -> None:
    async def body(stub: Any) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.EvaluateShard(shard(sample("1", "x" * (MAX_MESSAGE_BYTES + 1), "a")))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    with_stub(body)


def test_unreadable_sides_are_issues_that_name_the_file_and_quote_no_reference(tmp_path: Path) -> None:
    async def body(stub: Any) -> None:
        good = tmp_path / "answer.txt"
        good.write_text("secret")
        digest = hashlib.sha256(b"secret").hexdigest()
        by_uri = sample_pb2.Media(uri=good.as_uri(), sha256=digest, size_bytes=6, name="answer.txt")
        changed = sample_pb2.Media(uri=good.as_uri(), sha256="0" * 64, size_bytes=6, name="answer.txt")
        response = await stub.EvaluateShard(
            shard(
                sample_pb2.Sample(id="uri", prediction=text("secret"), references=[sample_pb2.Content(media=by_uri)]),
                sample_pb2.Sample(id="changed", prediction=text("secret"), references=[sample_pb2.Content(media=changed)]),
                sample_pb2.Sample(id="json", prediction=sample_pb2.Content(json="[NaN]"), references=[text("secret")]),
                sample_pb2.Sample(id="type", prediction=sample_pb2.Content(json="[1]"), references=[text("secret")]),
                sample_pb2.Sample(id="empty", prediction=sample_pb2.Content(), references=[text("secret")]),
            )
        )
        codes = {issue.sample_id: (issue.code, pb.Severity.Name(issue.severity)) for issue in response.issues}
        assert codes == {
            "changed": ("MEDIA_DIGEST_MISMATCH", "SEVERITY_REFERENCE"),
            "json": ("BAD_JSON", "SEVERITY_PREDICTION"),
            "type": ("WRONG_TYPE", "SEVERITY_PREDICTION"),
            "empty": ("EMPTY", "SEVERITY_PREDICTION"),
        }
        assert all(issue.remedy and "secret" not in issue.message for issue in response.issues)
        assert (response.value.value, response.value.excluded) == (25.0, 1)

    with_stub(body, (tmp_path,))


def test_blobs_stream_in_chunks_and_a_broken_one_is_refused() -> None:
    data = b"a long answer " * 60_000
    digest = hashlib.sha256(data).hexdigest()

    async def stream(payload: bytes) -> AsyncIterator[pb.EvaluateShardStreamRequest]:
        yield pb.EvaluateShardStreamRequest(start=shard())
        for begin in range(0, len(payload), 1 << 18):
            chunk = pb.BlobChunk(sha256=digest, size_bytes=len(data), data=payload[begin : begin + (1 << 18)])
            yield pb.EvaluateShardStreamRequest(chunk=chunk)
        blob = sample_pb2.Content(media=sample_pb2.Media(blob=digest, name="answer.txt"))
        yield pb.EvaluateShardStreamRequest(sample=sample_pb2.Sample(id="1", prediction=blob, references=[text(data.decode())]))

    async def body(stub: Any) -> None:
        assert (await stub.EvaluateShardStream(stream(data))).result.value.value == 100.0
        for broken, words in ((data[:-1], "incomplete"), (data[:-1] + b"x", "another digest")):
            code, reason, message = await failure(stub.EvaluateShardStream(stream(broken)))
            assert (code.name, reason) == ("INVALID_ARGUMENT", "BAD_BLOB")
            assert words in message

    with_stub(body)


def test_samples_in_one_value_out() -> None:
    async def stream(begin: bool) -> AsyncIterator[pb.EvaluateMetricRequest]:
        if begin:
            yield pb.EvaluateMetricRequest(start=shard(finalize=False))
        yield pb.EvaluateMetricRequest(sample=sample("1", "a", "a"))
        yield pb.EvaluateMetricRequest(sample=sample("2", "b", "a", "B"))

    async def body(stub: Any) -> None:
        assert (await stub.EvaluateMetric(stream(True))).value.value == 100.0
        assert (await failure(stub.EvaluateMetric(stream(False))))[1] == "BAD_STREAM"

    with_stub(body)
