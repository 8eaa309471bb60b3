"""Client of an orchestrator elsewhere: makes a run, follows it, fetches its report."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.api.client import parse_endpoint
from genlevel_orchestrator.client import MAX_MESSAGE_BYTES
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.failures import error_info
from genlevel_orchestrator.runs.records import EventRecord

_CALL_SECONDS = 60.0
_WATCH_SECONDS = 24 * 3600.0
_OPTIONS = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES)]


class RemoteOrchestrator:
    """Calls one orchestrator.

    Args:
        endpoint: where it listens.
        channel: an open channel to it.
        token: bearer token, if it asks for one.
    """

    def __init__(self, endpoint: str, channel: grpc.aio.Channel, token: str = "") -> None:
        self._endpoint = endpoint
        self._stub: Any = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    async def create(self, request: pb.CreateRunRequest) -> pb.CreateRunResponse:
        """Make a run."""
        return await self._call("CreateRun", request)  # type: ignore[no-any-return]

    async def get(self, name: str) -> pb.Run:
        """A run as it stands."""
        return (await self._call("GetRun", pb.GetRunRequest(name=name))).run  # type: ignore[no-any-return]

    async def report(self, name: str, report_format: int) -> pb.GetReportResponse:
        """The report of a run in one format."""
        return await self._call("GetReport", pb.GetReportRequest(name=name, format=report_format))  # type: ignore[no-any-return, arg-type]

    async def cancel(self, name: str) -> None:
        """Ask a run to stop."""
        await self._call("CancelRun", pb.CancelRunRequest(name=name))

    async def watch(self, name: str) -> AsyncIterator[EventRecord]:
        """Events of a run until it ends; a stream that breaks is taken up where it broke, three times."""
        token, broken = "", 0
        while True:
            request = pb.WatchRunRequest(name=name, resume_token=token)
            try:
                async for event in self._stub.WatchRun(request, timeout=_WATCH_SECONDS, metadata=self._metadata):
                    token, broken = event.resume_token, 0
                    yield _event(event)
                return
            except grpc.aio.AioRpcError as error:
                broken += 1
                if error.code() is not grpc.StatusCode.UNAVAILABLE or broken > 3:
                    raise self._explained(error) from None

    async def _call(self, method: str, request: Any) -> Any:
        try:
            return await getattr(self._stub, method)(request, timeout=_CALL_SECONDS, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from None

    def _explained(self, error: grpc.aio.AioRpcError) -> UserError:
        info = error_info(error.trailing_metadata())
        away = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED) and info is None
        remedy = info.metadata.get("remedy") if info is not None else None
        words = (error.details() or "").removesuffix(f"; {remedy}")
        if away:
            remedy = "Start it with `genlevel serve`, or correct --endpoint."
        code = ExitCode.UNREACHABLE if away else ExitCode.BAD_INPUT
        return UserError(f"orchestrator {self._endpoint}: {words}", remedy, code)


def _event(message: pb.WatchRunResponse) -> EventRecord:
    run = message.run
    names = ("tasks_total", "tasks_done", "shards_total", "shards_done", "shards_reused")
    counters = {name: getattr(run, name) for name in names}
    seconds = message.event_time.seconds + message.event_time.nanos / 1e9
    return EventRecord(0, run.name, seconds, message.kind, message.task_id, message.message, counters)


@asynccontextmanager
async def connect(endpoint: str, token: str = "") -> AsyncIterator[RemoteOrchestrator]:
    """An orchestrator at ``host:port``, or ``grpcs://host:port`` for TLS."""
    address, credentials = parse_endpoint(endpoint)
    secure = credentials is not None
    channel = grpc.aio.secure_channel(address, credentials, _OPTIONS) if secure else grpc.aio.insecure_channel(address, _OPTIONS)
    async with channel:
        yield RemoteOrchestrator(endpoint, channel, token)
