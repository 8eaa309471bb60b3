"""An evaluator that does as it is told: for what a real one does only when it breaks."""

# ruff: noqa: N802 - gRPC names the methods

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc
from genlevel_orchestrator.runs.records import EventRecord, RunSpec
from genlevel_orchestrator.runs.results import RunResult
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings

ACCURACY = "language.commonsense-reasoning"
OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20), ("grpc.so_reuseport", 0)]


class Trouble(Exception):
    """Ends a call with a status; ``reason`` adds our details."""

    def __init__(self, code: grpc.StatusCode, details: str, reason: str = "") -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.reason = reason


DEAD = Trouble(grpc.StatusCode.INTERNAL, "Traceback\nThe actor died unexpectedly before finishing this task.")
BUSY = Trouble(grpc.StatusCode.RESOURCE_EXHAUSTED, "Request dropped due to backpressure (num_queued_requests=2)")
AWAY = Trouble(grpc.StatusCode.UNAVAILABLE, "draining", "NOT_READY")


@dataclass
class FakeEvaluator(evaluator_pb2_grpc.EvaluatorServiceServicer):
    """Scores exact matches, in percent; counts what it was asked.

    Attributes:
        before: called with every shard before it is scored; raises Trouble to fail the call.
        signature: part of the signature's digest.
        details: whether it knows requests for details.
    """

    name: str = "language"
    metrics: tuple[str, ...] = ("accuracy", "token_f1")
    before: Callable[[pb.EvaluateShardRequest], Any] = lambda _: None
    signature: str = "v1"
    details: bool = True
    calls: Counter[str] = field(default_factory=Counter)
    scored: Counter[str] = field(default_factory=Counter)
    shards: list[list[str]] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    async def DescribeEvaluator(self, request: Any, context: Any) -> pb.DescribeEvaluatorResponse:
        self.calls["describe"] += 1
        metrics = [pb.MetricDescription(metric=name, version=1, input_kind="text", unit="percent") for name in self.metrics]
        return pb.DescribeEvaluatorResponse(evaluator=self.name, version="fake", protocol_version=1, metrics=metrics)

    async def EvaluateShard(self, request: pb.EvaluateShardRequest, context: Any) -> pb.EvaluateShardResponse:
        self.calls["evaluate"] += 1
        self.metadata.append({str(key): str(value) for key, value in context.invocation_metadata() or ()})
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            outcome = self.before(request) if request.samples else None
            if asyncio.iscoroutine(outcome):
                await outcome
        except Trouble as trouble:
            await self._fail(context, trouble)
        finally:
            self.running -= 1
        return self._evaluated(request)

    async def EvaluateShardStream(self, requests: Any, context: Any) -> pb.EvaluateShardStreamResponse:
        self.calls["stream"] += 1
        start: pb.EvaluateShardRequest | None = None
        blobs: Counter[str] = Counter()
        async for request in requests:
            which = request.WhichOneof("part")
            if which == "start":
                start = request.start
            elif which == "chunk":
                assert len(request.chunk.data) <= 1 << 20
                blobs[request.chunk.sha256] += len(request.chunk.data)
            elif start is not None:
                assert request.sample.prediction.media.blob in blobs
                start.samples.append(request.sample)
        assert start is not None
        return pb.EvaluateShardStreamResponse(result=self._evaluated(start))

    async def CombineStates(self, request: pb.CombineStatesRequest, context: Any) -> pb.CombineStatesResponse:
        self.calls["combine"] += 1
        assert len(request.states) <= 16
        merged = pb.MetricState(format_version=1, signature_digest=request.states[0].signature_digest, kind="rows")
        correct = b"".join(state.columns[0].values for state in request.states)
        merged.keys.extend(key for state in request.states for key in state.keys)
        merged.columns.add(name="correct", dtype="u1", values=correct)
        if request.finalize:
            return pb.CombineStatesResponse(value=self._with_details(merged, request))
        return pb.CombineStatesResponse(state=merged)

    async def FinalizeMetric(self, request: pb.FinalizeMetricRequest, context: Any) -> pb.FinalizeMetricResponse:
        self.calls["finalize"] += 1
        return pb.FinalizeMetricResponse(value=self._with_details(request.state, request))

    async def FinalizeStates(self, requests: Any, context: Any) -> pb.FinalizeStatesResponse:
        self.calls["finalize_states"] += 1
        parts = [part async for part in requests]
        states = [part.state for part in parts[1:]]
        merged = pb.MetricState(keys=[key for state in states for key in state.keys])
        merged.columns.add(name="correct", dtype="u1", values=b"".join(state.columns[0].values for state in states))
        return pb.FinalizeStatesResponse(value=self._with_details(merged, parts[0].start))

    def _evaluated(self, request: pb.EvaluateShardRequest) -> pb.EvaluateShardResponse:
        ids = [sample.id for sample in request.samples]
        if ids:
            self.shards.append(ids)
        self.scored.update(ids)
        correct = bytes(
            any(sample.prediction.text == reference.text for reference in sample.references) and sample.HasField("prediction")
            for sample in request.samples
        )
        state = pb.MetricState(format_version=1, signature_digest=self._digest(request.metric), kind="rows", keys=ids)
        state.columns.add(name="correct", dtype="u1", values=correct)
        response = pb.EvaluateShardResponse(state=state, signature=self._signature(request.metric))
        for sample in request.samples:
            if sample.prediction.text == "odd":
                response.issues.add(sample_id=sample.id, code="ODD", severity=pb.SEVERITY_WARNING, message="an odd prediction")
        if request.finalize:
            response.value.CopyFrom(self._with_details(state, request))
        return response

    def _digest(self, metric: pb.MetricSpec) -> str:
        return f"{metric.metric}-{self.signature}".ljust(64, "0")

    def _signature(self, metric: pb.MetricSpec) -> pb.Signature:
        return pb.Signature(text=f"{metric.metric}|v:1", digest=self._digest(metric), metric=metric.metric, metric_version=1)

    def _with_details(self, state: pb.MetricState, request: Any) -> pb.MetricValue:
        value, correct = self._value(state, request.metric), state.columns[0].values
        if request.HasField("details") and self.details:
            worst = [pb.SampleScore(sample_id=key, value=0.0) for key, hit in zip(state.keys, correct, strict=True) if not hit]
            value.details.CopyFrom(pb.ValueDetails(samples=len(correct), keys_digest="0" * 64, worst=worst[: request.details.worst]))
            value.details.scores.extend(100.0 * hit for hit in correct)
        return value

    def _value(self, state: pb.MetricState, metric: pb.MetricSpec) -> pb.MetricValue:
        correct = state.columns[0].values
        value = pb.MetricValue(
            unit="percent", signature=self._signature(metric), expected=len(correct), present=len(correct), comparable=True,
            missing_scored_as_worst=True,
        )  # fmt: skip
        if correct:
            value.value = 100.0 * sum(correct) / len(correct)
        else:
            value.reason = "no_reference"
        return value

    async def _fail(self, context: Any, trouble: Trouble) -> None:
        if trouble.code is grpc.StatusCode.OK:
            os._exit(1)
        if trouble.reason:
            detail = any_pb2.Any()
            detail.Pack(error_details_pb2.ErrorInfo(reason=trouble.reason, domain="genlevel", metadata={"remedy": "mend it"}))
            status = status_pb2.Status(code=trouble.code.value[0], message=trouble.details, details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        await context.abort(trouble.code, trouble.details)


@asynccontextmanager
async def serving(fake: FakeEvaluator, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    """The address of a running fake."""
    server = grpc.aio.server(options=OPTIONS)
    evaluator_pb2_grpc.add_EvaluatorServiceServicer_to_server(fake, server)
    port = server.add_insecure_port(address)
    assert port
    await server.start()
    try:
        yield f"{address.rsplit(':', 1)[0]}:{port}"
    finally:
        await server.stop(0)


def execute(
    settings: Settings, fake: Any, bundle: Path, name: str | None = None, events: list[EventRecord] | None = None,
    remote: bool = False,
) -> RunResult:  # fmt: skip
    """A whole run of a bundle, or of the run `name`, against one fake evaluator."""

    async def run() -> RunResult:
        async with serving(fake) as target:
            configured = settings.model_copy(update={"evaluators": {"language": Endpoint(target=target, remote=remote)}})
            service = RunService(configured)
            try:
                wanted = name or service.create(RunSpec("model", str(bundle))).name
                listener = events.append if events is not None else lambda _: None
                return await service.execute(wanted, "configured", listener)
            finally:
                service.close()

    return asyncio.run(run())


def value_of(result: RunResult, task_id: str = ACCURACY) -> float | None:
    """The value of one task."""
    value = result.outcome(task_id).value
    return value.value if value is not None else None
