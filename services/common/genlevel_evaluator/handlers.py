"""The evaluator service itself: six calls over the engine. Knows gRPC messages, but neither a server nor Ray.

Every failure leaves as a code of the contract with google.rpc.ErrorInfo in the trailing metadata. The handlers set code, details and
trailer on the context and return an empty reply: behind Ray Serve that is the only way rich details survive.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
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
from genlevel_evaluator import codec, media
from genlevel_evaluator.details import DetailSpec
from genlevel_evaluator.engine import Budget, Scorer
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.media_messages import Sources, remote_files
from genlevel_evaluator.media_roots import MediaRoots
from genlevel_evaluator.remote_media import RemoteMedia
from genlevel_evaluator.state_messages import decode_states, encode_state

log = logging.getLogger(__name__)

PROTOCOL_VERSION = 1
MAX_MESSAGE_BYTES = 64 << 20
DOMAIN = "genlevel"
_DETAIL_LIMIT = 1500  # characters of a message: all details together stay under 4 KB
_CHUNK_LIMIT = 1 << 20
_BLOB_TOTAL = 8 << 30

T = TypeVar("T")


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
    """The six calls of EvaluatorService for one evaluator.

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

    @_reply(pb.EvaluateMetricResponse)
    async def evaluate_metric(self, requests: AsyncIterable[pb.EvaluateMetricRequest]) -> pb.EvaluateMetricResponse:
        """Samples in, one value out."""
        start: pb.EvaluateShardRequest | None = None
        async for request in requests:
            which = request.WhichOneof("part")
            start = self._started(start, which, request.start)
            if which == "sample":
                start.samples.append(request.sample)
        received = self._started(start, "end", pb.EvaluateShardRequest())
        received.finalize = True
        result = await self._work(received.header, lambda budget: self._evaluate(received, budget, {}))
        return pb.EvaluateMetricResponse(value=result.value, issues=result.issues)

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

    def _evaluate(self, request: pb.EvaluateShardRequest, budget: Budget, blobs: Mapping[str, media.Blob]) -> pb.EvaluateShardResponse:
        scorer = self._scorer(request.metric)
        sources = Sources(self.roots, blobs, pointers=self.evaluator.kinds[scorer.metric.input_kind].files_at)
        with self.remote.fetched(remote_files(request.samples, sources), budget.check) as fetched:
            here = replace(sources, fetched=fetched)
            samples = [codec.decode_sample(sample, here) for sample in request.samples]
            signature = scorer.signature()
            rows, issues = scorer.observe(samples, budget)
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

    def _started(self, start: pb.EvaluateShardRequest | None, which: str | None, given: pb.EvaluateShardRequest) -> pb.EvaluateShardRequest:
        if (start is None) != (which == "start"):
            raise EvaluatorError(Code.INVALID_ARGUMENT, "BAD_STREAM", "a stream begins with exactly one `start`", "send `start` first, once")
        if start is not None:
            return start
        self._check(given.header)
        return given

    async def _work(self, header: pb.RequestHeader, job: Callable[[Budget], T]) -> T:
        """Runs a job off the event loop; when the caller leaves, the job stops at its next sample."""
        budget = Budget(header.budget_ms)
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


class BlobReceiver:
    """Puts chunks together into files and checks their digests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs: dict[str, media.Blob] = {}
        self._current: pb.BlobChunk | None = None
        self._hash = hashlib.sha256()
        self._received = 0
        self._total = 0

    def add(self, chunk: pb.BlobChunk) -> None:
        """Takes the next chunk."""
        if len(chunk.data) > _CHUNK_LIMIT:
            raise self._bad(chunk, f"a chunk has {len(chunk.data)} bytes, at most {_CHUNK_LIMIT}")
        if len(chunk.sha256) != 64 or not all(c in "0123456789abcdef" for c in chunk.sha256):
            raise self._bad(chunk, "its SHA-256 is not 64 lower-case hexadecimal digits")
        if self._current is None:
            self._current, self._hash, self._received = chunk, hashlib.sha256(), 0
        if self._current.sha256 != chunk.sha256:
            raise self._bad(chunk, "it began before the blob before it was complete")
        self._received += len(chunk.data)
        self._total += len(chunk.data)
        if self._received > chunk.size_bytes or self._total > _BLOB_TOTAL:
            raise self._bad(chunk, "it is longer than announced")
        self._hash.update(chunk.data)
        # The first chunk begins the file anew: a blob sent twice is no longer than one sent once.
        with (self._folder / chunk.sha256).open("ab" if self._received > len(chunk.data) else "wb") as file:
            file.write(chunk.data)
        if self._received == chunk.size_bytes:
            self._close(chunk)

    def _close(self, chunk: pb.BlobChunk) -> None:
        if self._hash.hexdigest() != chunk.sha256:
            raise self._bad(chunk, "its bytes have another digest")
        self._blobs[chunk.sha256] = media.Blob(chunk.sha256, "", path=self._folder / chunk.sha256)
        self._current = None

    def finish(self) -> dict[str, media.Blob]:
        """All blobs, by digest."""
        if self._current is not None:
            raise self._bad(self._current, "it is incomplete")
        return self._blobs

    def _bad(self, chunk: pb.BlobChunk, what: str) -> EvaluatorError:
        return EvaluatorError(Code.INVALID_ARGUMENT, "BAD_BLOB", f"blob {chunk.sha256[:16]}...: {what}", "send the blob again")
