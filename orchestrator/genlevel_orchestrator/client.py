"""Client of the evaluators: channels, deadlines, retries. The only place, with ``api`` and ``runs.wire``, that knows generated types.

Use it from Python to call one metric without a run::

    async with EvaluatorClient("language", Endpoint(target="127.0.0.1:9000")) as client:
        print(await client.describe())
"""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc
from genlevel_orchestrator.diagnose import diagnose
from genlevel_orchestrator.failures import CallFailed, Failure, Kind, classify, pause
from genlevel_orchestrator.settings import Dispatch, Endpoint

PROTOCOL_VERSION = 1
MAX_MESSAGE_BYTES = 64 << 20
REFRESH_SECONDS = 10.0
_GRACE_SECONDS = 5.0
_DESCRIBE_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_LONGEST_PAUSE = 5.0
# Keepalive stays off: Serve's proxy answers frequent pings with GOAWAY.
_OPTIONS = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES)]

T = TypeVar("T")


@dataclass
class _Line:
    """One channel to one address."""

    address: str
    channel: grpc.aio.Channel
    outstanding: int = 0
    retired: bool = False


@dataclass
class Channels:
    """One channel per address of a target; the least used one is taken. Names are looked up again every ten seconds."""

    endpoint: Endpoint
    lines: dict[str, _Line] = field(default_factory=dict)
    _looked_up: float = -1e9
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[grpc.aio.Channel]:
        """A channel, counted as busy for the time of the call."""
        await self._refresh()
        line = min((line for line in self.lines.values() if not line.retired), key=lambda line: line.outstanding)
        line.outstanding += 1
        try:
            yield line.channel
        finally:
            line.outstanding -= 1
            if line.retired and not line.outstanding:
                await line.channel.close()

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._looked_up < REFRESH_SECONDS:
            return
        async with self._lock:
            if now - self._looked_up < REFRESH_SECONDS:
                return
            addresses = await self._addresses()
            for address in addresses:
                if address not in self.lines or self.lines[address].retired:
                    self.lines[address] = _Line(address, self._open(address))
            for address in [known for known in self.lines if known not in addresses]:
                await self._retire(self.lines.pop(address))
            self._looked_up = asyncio.get_running_loop().time()

    async def _retire(self, line: _Line) -> None:
        line.retired = True
        if not line.outstanding:
            await line.channel.close()

    async def _addresses(self) -> list[str]:
        target = self.endpoint.target.removeprefix("dns:///")
        if target.startswith("unix:"):
            return [target]
        host, _, port = target.rpartition(":")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        except OSError as error:
            if self.lines:
                return list(self.lines)  # a name server that is away for a moment is no reason to stop
            raise CallFailed(
                target, Failure(Kind.UNAVAILABLE, "EVALUATOR_ABSENT", f"{target}: {host} has no address ({error})", "correct the target")
            ) from None
        addresses = dict.fromkeys(info[4][0] for info in found)
        return [f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}" for address in addresses]

    def _open(self, address: str) -> grpc.aio.Channel:
        options: list[tuple[str, Any]] = list(_OPTIONS)
        if self.endpoint.ca is None:
            return grpc.aio.insecure_channel(address, options=options)
        # The certificate names the target, not the address it resolved to.
        host = self.endpoint.target.removeprefix("dns:///").rpartition(":")[0]
        options.append(("grpc.ssl_target_name_override", host))
        credentials = grpc.ssl_channel_credentials(self.endpoint.ca.read_bytes())
        return grpc.aio.secure_channel(address, credentials, options=options)

    async def close(self) -> None:
        """Close all channels."""
        for line in self.lines.values():
            await line.channel.close()
        self.lines.clear()


class EvaluatorClient:
    """Calls one evaluator.

    Args:
        name: the evaluator.
        endpoint: where it listens.
        dispatch: budgets and the retry policy.
    """

    def __init__(self, name: str, endpoint: Endpoint, dispatch: Dispatch | None = None) -> None:
        self.name = name
        self.endpoint = endpoint
        self.dispatch = dispatch or Dispatch()
        self._channels = Channels(endpoint)
        self.calls = 0
        self.retries = 0
        self._answered = False
        self._gone_since: float | None = None

    async def __aenter__(self) -> EvaluatorClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._channels.close()

    async def close(self) -> None:
        """Close the channels."""
        await self._channels.close()

    def header(self, budget: float) -> pb.RequestHeader:
        """What a request begins with."""
        return pb.RequestHeader(
            evaluator=self.name, protocol_version=PROTOCOL_VERSION, budget_ms=int(budget * 1000), request_id=uuid.uuid4().hex
        )

    async def describe(self) -> pb.DescribeEvaluatorResponse:
        """What the evaluator is. Waits for one that is still starting.

        Raises:
            CallFailed: it did not answer within ``start_seconds``.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self.dispatch.start_seconds
        while True:
            try:
                request = pb.DescribeEvaluatorRequest(header=self.header(_DESCRIBE_SECONDS))
                response: pb.DescribeEvaluatorResponse = await self._once("DescribeEvaluator", request, _DESCRIBE_SECONDS)
                return response
            except CallFailed as error:
                if not error.failure.kind.retryable or loop.time() > end:
                    raise
            await asyncio.sleep(0.2)

    async def evaluate(
        self, request: pb.EvaluateShardRequest, deaths: int | None = None, parts: Callable[[], AsyncIterator[Any]] | None = None
    ) -> pb.EvaluateShardResponse:
        """Score a shard; as a stream when ``parts`` makes the messages.

        Args:
            request: the shard.
            deaths: dead replicas after which to give up, even if attempts are left.
            parts: makes the messages of the stream anew for every attempt.

        Raises:
            CallFailed: every attempt failed, or a failure is not worth another.
        """
        if parts is None:
            return await self._retried("EvaluateShard", request, deaths)  # type: ignore[no-any-return]
        response = await self._retried("EvaluateShardStream", parts, deaths)
        return response.result  # type: ignore[no-any-return]

    async def combine(self, request: pb.CombineStatesRequest) -> pb.CombineStatesResponse:
        """Merge states."""
        return await self._retried("CombineStates", request)  # type: ignore[no-any-return]

    async def finalize(self, request: pb.FinalizeMetricRequest) -> pb.FinalizeMetricResponse:
        """Turn a state into a value."""
        return await self._retried("FinalizeMetric", request)  # type: ignore[no-any-return]

    async def finalize_states(self, parts: Callable[[], AsyncIterator[pb.FinalizeStatesRequest]]) -> pb.FinalizeStatesResponse:
        """Turn a stream of states into a value; ``parts`` makes its messages anew for every attempt."""
        return await self._retried("FinalizeStates", parts)  # type: ignore[no-any-return]

    async def _retried(self, method: str, request: Any, deaths: int | None = None) -> Any:
        dead, attempt, pauses = 0, 0, 0
        begun: float | None = None
        while True:
            try:
                response = await self._once(method, request, self.dispatch.budget_seconds)
                self._gone_since = None
                return response
            except CallFailed as error:
                failure = error.failure
                dead += failure.kind is Kind.DEAD
                # One that answered before and is gone is most likely being started again: that is waited for, and counts as no attempt.
                begun = begun or asyncio.get_running_loop().time()
                attempt += not self._may_return(failure, begun)
                enough = deaths is not None and dead >= deaths
                if not failure.kind.retryable or enough or attempt >= self.dispatch.attempts:
                    error.attempts = attempt
                    raise
            self.retries += 1
            pauses += 1
            await asyncio.sleep(min(pause(pauses, self.dispatch.first_pause), _LONGEST_PAUSE))

    def _may_return(self, failure: Failure, begun: float) -> bool:
        """Whether the evaluator is away for less than the time it may take to return; ``begun``: when this call first failed.

        The call's own time bounds one that is always refused while others are answered.
        """
        if failure.reason != "EVALUATOR_ABSENT" or not self._answered:
            return False
        now = asyncio.get_running_loop().time()
        self._gone_since = self._gone_since or now
        return now - min(self._gone_since, begun) < self.dispatch.return_seconds

    async def _once(self, method: str, request: Any, budget: float) -> Any:
        self.calls += 1
        async with self._channels.take() as channel:
            await self._connected(channel)
            stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
            message = request() if callable(request) else request
            try:
                response = await getattr(stub, method)(message, timeout=budget + _GRACE_SECONDS, metadata=self._metadata())
                self._answered = True
                return response
            except grpc.aio.AioRpcError as error:
                raise CallFailed(self.name, classify(error)) from None

    async def _connected(self, channel: grpc.aio.Channel) -> None:
        """Wait for the connection, for a bounded time: `wait_for_ready` alone would wait as long as the whole budget."""
        if channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
            return
        try:
            await asyncio.wait_for(channel.channel_ready(), min(self.dispatch.start_seconds, _CONNECT_SECONDS))
        except TimeoutError:
            words = f"evaluator {self.name} at {self.endpoint.target} cannot be reached: {await self._cause()}"
            failure = Failure(Kind.UNAVAILABLE, "EVALUATOR_ABSENT", words, "start the evaluator, or correct its target")
            raise CallFailed(self.name, failure) from None

    async def _cause(self) -> str:
        """Why there is no connection."""
        target = self.endpoint.target.removeprefix("dns:///")
        if target.startswith("unix:"):
            return "nobody listens there"
        authority = self.endpoint.ca.read_bytes() if self.endpoint.ca else None
        return (await asyncio.to_thread(diagnose, target, authority is not None, authority)).cause

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        pairs = [("application", self.endpoint.application or self.name)]
        if self.endpoint.token_env:
            pairs.append(("authorization", f"Bearer {os.environ.get(self.endpoint.token_env, '')}"))
        return tuple(pairs)
