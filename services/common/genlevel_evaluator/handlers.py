"""The evaluator service itself: seven calls over the engine. Knows gRPC messages, but neither a server nor Ray.

Every failure leaves as a code of the contract with google.rpc.ErrorInfo in the trailing metadata. The handlers set code, details and
trailer on the context and return an empty reply: behind Ray Serve that is the only way rich details survive.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import tempfile
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1.sample_pb2 import Sample
from genlevel_evaluator import codec, media
from genlevel_evaluator.blob_receiver import BlobReceiver
from genlevel_evaluator.details import DetailSpec
from genlevel_evaluator.engine import Budget, Scorer
from genlevel_evaluator.errors import Code, EvaluatorError, Issue
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.media_messages import Sources, remote_files
from genlevel_evaluator.media_roots import MediaRoots
from genlevel_evaluator.remote_media import RemoteMedia
from genlevel_evaluator.state_messages import decode_states, encode_state
from genlevel_evaluator.states import Rows
from genlevel_evaluator.totals import StateTotal, Total

log = logging.getLogger(__name__)

PROTOCOL_VERSION = 1
MAX_MESSAGE_BYTES = 64 << 20
DOMAIN = "genlevel"
_DETAIL_LIMIT = 1500  # characters of a message: all details together stay under 4 KB
_BATCH, _BATCH_BYTES = 1024, 8 << 20  # samples of a metric stream that are scored together

T = TypeVar("T")
S = TypeVar("S", pb.EvaluateShardRequest, pb.FinalizeMetricRequest)


class Context(Protocol):
    """What handlers need of a gRPC context; both grpc.aio's and Ray Serve's have it."""

    def set_code(self, code: grpc.StatusCode) -> None: ...
    def set_details(self, details: str) -> None: ...
    def set_trailing_metadata(self, trailing_metadata: Any) -> None: ...


def _reply(empty: Callable[[], T]) -> Callable[..., Any]:
    """Makes failures of a handler leave as a status with details, and the reply empty."""

    def wrap(method: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        @functools.wraps(method)
        async def handler(self: Handlers, request: Any, context: Context) -> T:
            try:
                return await method(self, request)
            except EvaluatorError as error:
                fail(context, error)
            except asyncio.CancelledError:
                raise
            except MemoryError:
                fail(context, EvaluatorError(Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the evaluator is out of memory", "send smaller shards or fewer states"))
            except Exception as error:  # a fault of ours: logged here, named there, no traceback leaves the process
                log.exception("%s failed", method.__name__)
                fail(context, EvaluatorError(Code.INTERNAL, "EVALUATOR_FAULT", f"{type(error).__name__} in {method.__name__}", "report this call"))
            return empty()

        return handler

    return wrap


def fail(context: Context, error: EvaluatorError) -> None:
    """Sets code, details and trailer for `error`."""
    # One text in both places: grpc_status refuses a call whose details are not the status's message.
    message = (f"{error.message}; {error.remedy}" if error.remedy else error.message)[:_DETAIL_LIMIT]
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata={"remedy": error.remedy[:_DETAIL_LIMIT]})
    detail = any_pb2.Any()
    detail.Pack(info)
    status = status_pb2.Status(code=code_pb2.Code.Value(error.code.value), message=message, details=[detail])
    context.set_code(grpc.StatusCode[error.code.value])
    context.set_details(message)
    # A list: Ray Serve adds its own entries to it.
    context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])


class Handlers:
    """The seven calls of EvaluatorService for one evaluator.

    Args:
        evaluator: the evaluator.
        roots: folders, and URLs that fsspec knows, media may be read from by URI.
        parallel: shards scored at once; the rest waits.
    """

    def __init__(self, evaluator: Evaluator, roots: Sequence[str | Path] = (), parallel: int = 1) -> None:
        self.evaluator = evaluator
        self.roots = MediaRoots.of(roots)
        self.remote = RemoteMedia()
        self._slots = asyncio.Semaphore(parallel)

    @_reply(pb.DescribeEvaluatorResponse)
    async def describe_evaluator(self, request: pb.DescribeEvaluatorRequest) -> pb.DescribeEvaluatorResponse:
        """Says what this evaluator is."""
        if request.header.evaluator:
            self._check(request.header)
        from importlib.metadata import version

        metrics = [codec.describe_metric(self.evaluator, metric_id) for metric_id in self.evaluator.metric_ids]
        return pb.DescribeEvaluatorResponse(
            evaluator=self.evaluator.name, version=version("genlevel-evaluator"), protocol_version=PROTOCOL_VERSION,
            metrics=metrics, max_message_bytes=MAX_MESSAGE_BYTES,
        )

    @_reply(pb.EvaluateShardResponse)
    async def evaluate_shard(self, request: pb.EvaluateShardRequest) -> pb.EvaluateShardResponse:
        """Scores a shard."""
        self._check(request.header)
        return await self._work(request.header, lambda budget: self._evaluate(request, budget, {}))

    @_reply(pb.EvaluateShardStreamResponse)
    async def evaluate_shard_stream(
        self, requests: AsyncIterable[pb.EvaluateShardStreamRequest]
    ) -> pb.EvaluateShardStreamResponse:
        """Scores a shard whose media come as blobs."""
        with tempfile.TemporaryDirectory(prefix="genlevel-blobs-") as folder:
            receiver = BlobReceiver(Path(folder))
            start: pb.EvaluateShardRequest | None = None
            async for request in requests:
                which = request.WhichOneof("part")
                start = self._started(start, which, request.start)
                if which == "chunk":
                    await asyncio.to_thread(receiver.add, request.chunk)
                elif which == "sample":
                    start.samples.append(request.sample)
            received = self._started(start, "end", pb.EvaluateShardRequest())
            blobs = receiver.finish()
            result = await self._work(received.header, lambda budget: self._evaluate(received, budget, blobs))
            return pb.EvaluateShardStreamResponse(result=result)

    @_reply(pb.FinalizeStatesResponse)
    async def finalize_states(self, requests: AsyncIterable[pb.FinalizeStatesRequest]) -> pb.FinalizeStatesResponse:
        """States that come one by one in, one value out."""
        start: pb.FinalizeMetricRequest | None = None
        async for request in requests:
            which = request.WhichOneof("part")
            if start is None:
                start = self._started(None, which, request.start)
                total, budget = StateTotal(self._scorer(start.metric)), Budget(start.header.budget_ms)
                if not start.HasField("state"):
                    continue
            else:
                self._started(start, which, request.start)
            budget.check()
            await asyncio.to_thread(total.add, request.state if which == "state" else start.state)
        begun = self._started(start, "end", pb.FinalizeMetricRequest())
        value = await self._work(budget, lambda _: codec.encode_value(total.finalize(_asked(begun))))
        return _bounded(pb.FinalizeStatesResponse(value=value))

    @_reply(pb.EvaluateMetricResponse)
    async def evaluate_metric(self, requests: AsyncIterable[pb.EvaluateMetricRequest]) -> pb.EvaluateMetricResponse:
        """Samples in, one value out."""
        start: pb.EvaluateShardRequest | None = None
        waiting: list[Sample] = []
        size = 0
        async for request in requests:
            which = request.WhichOneof("part")
            if start is None:
                start = self._started(None, which, request.start)
                total, budget = Total(self._scorer(start.metric)), Budget(start.header.budget_ms)
                waiting = list(start.samples)
                continue
            self._started(start, which, request.start)
            if which == "sample":
                waiting.append(request.sample)
                size += request.ByteSize()
            if len(waiting) >= _BATCH or size > _BATCH_BYTES:
                await self._work(budget, functools.partial(self._add, total, waiting))
                waiting, size = [], 0
        begun = self._started(start, "end", pb.EvaluateShardRequest())
        return await self._work(budget, lambda budget: self._total(total, waiting, begun, budget))

    @_reply(pb.CombineStatesResponse)
    async def combine_states(self, request: pb.CombineStatesRequest) -> pb.CombineStatesResponse:
        """Merges states."""
        self._check(request.header)
        if not request.states:
            raise EvaluatorError(Code.INVALID_ARGUMENT, "NO_STATES", "there is no state to combine", "send at least one state")
        return await self._work(request.header, lambda _: self._combine(request))

    @_reply(pb.FinalizeMetricResponse)
    async def finalize_metric(self, request: pb.FinalizeMetricRequest) -> pb.FinalizeMetricResponse:
        """Turns a state into a value."""
        self._check(request.header)
        return await self._work(request.header, lambda _: self._finalize(request))

    def _observe(
        self, scorer: Scorer, messages: Sequence[Sample], budget: Budget, blobs: Mapping[str, media.Blob]
    ) -> tuple[Rows, list[Issue]]:
        sources = Sources(self.roots, blobs, pointers=self.evaluator.kinds[scorer.metric.input_kind].files_at)
        with self.remote.fetched(remote_files(messages, sources), budget.check) as fetched:
            here = replace(sources, fetched=fetched)
            return scorer.observe([codec.decode_sample(sample, here) for sample in messages], budget)

    def _add(self, total: Total, messages: Sequence[Sample], budget: Budget) -> None:
        total.add(*self._observe(total.scorer, messages, budget, {}))

    def _total(self, total: Total, last: Sequence[Sample], start: pb.EvaluateShardRequest, budget: Budget) -> pb.EvaluateMetricResponse:
        self._add(total, last, budget)
        value = codec.encode_value(total.scorer.finalize(total.rows(), _asked(start)))
        return _bounded(pb.EvaluateMetricResponse(value=value, issues=map(codec.encode_issue, total.issues)))

    def _evaluate(self, request: pb.EvaluateShardRequest, budget: Budget, blobs: Mapping[str, media.Blob]) -> pb.EvaluateShardResponse:
        scorer = self._scorer(request.metric)
        signature = scorer.signature()
        rows, issues = self._observe(scorer, request.samples, budget, blobs)
        response = pb.EvaluateShardResponse(
            state=encode_state(rows, signature.digest), issues=map(codec.encode_issue, issues),
            signature=codec.encode_signature(signature),
        )
        if request.finalize:
            response.value.CopyFrom(codec.encode_value(scorer.finalize(rows, _asked(request))))
        return _bounded(response)

    def _combine(self, request: pb.CombineStatesRequest) -> pb.CombineStatesResponse:
        scorer = self._scorer(request.metric)
        digest = scorer.signature().digest
        rows = decode_states(request.states, scorer, digest)
        if request.finalize:
            return _bounded(pb.CombineStatesResponse(value=codec.encode_value(scorer.finalize(rows, _asked(request)))))
        return _bounded(pb.CombineStatesResponse(state=encode_state(rows, digest)))

    def _finalize(self, request: pb.FinalizeMetricRequest) -> pb.FinalizeMetricResponse:
        scorer = self._scorer(request.metric)
        rows = decode_states([request.state], scorer, scorer.signature().digest)
        return _bounded(pb.FinalizeMetricResponse(value=codec.encode_value(scorer.finalize(rows, _asked(request)))))

    def _scorer(self, spec: pb.MetricSpec) -> Scorer:
        return Scorer.of(self.evaluator, spec.metric, codec.decode_struct(spec.parameters, f"parameters of {spec.metric}"))

    def _check(self, header: pb.RequestHeader) -> None:
        if header.evaluator != self.evaluator.name:
            raise EvaluatorError(
                Code.INVALID_ARGUMENT, "WRONG_EVALUATOR", f"this is {self.evaluator.name}, the request is for {header.evaluator or 'nobody'!r}",
                "set header.evaluator and the metadata key `application` to the same name",
            )
        if header.protocol_version != PROTOCOL_VERSION:
            raise EvaluatorError(
                Code.INVALID_ARGUMENT, "WRONG_PROTOCOL", f"protocol version {header.protocol_version}, this evaluator speaks {PROTOCOL_VERSION}",
                "set header.protocol_version, or update the client",
            )

    def _started(self, start: S | None, which: str | None, given: S) -> S:
        if (start is None) != (which == "start"):
            raise EvaluatorError(Code.INVALID_ARGUMENT, "BAD_STREAM", "a stream begins with exactly one `start`", "send `start` first, once")
        if start is not None:
            return start
        self._check(given.header)
        return given

    async def _work(self, given: pb.RequestHeader | Budget, job: Callable[[Budget], T]) -> T:
        """Runs a job off the event loop; when the caller leaves, the job stops at its next sample."""
        budget = given if isinstance(given, Budget) else Budget(given.budget_ms)
        async with self._slots:
            budget.check()
            try:
                return await asyncio.to_thread(job, budget)
            except asyncio.CancelledError:
                budget.cancelled = True
                raise


def _asked(request: pb.EvaluateShardRequest | pb.CombineStatesRequest | pb.FinalizeMetricRequest) -> DetailSpec | None:
    return codec.decode_details(request.details) if request.HasField("details") else None


def _bounded(response: T) -> T:
    size = response.ByteSize()  # type: ignore[attr-defined]
    if size > MAX_MESSAGE_BYTES:
        raise EvaluatorError(
            Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE", f"the reply would have {size} bytes, at most {MAX_MESSAGE_BYTES} are sent", "send smaller shards"
        )
    return response
