"""Runs that are made up, and calls that tests make: everything but the scoring is real."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.api.server import OrchestratorServer, ServerOptions
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs.results import RunResult, RunState
from genlevel_orchestrator.runs.runner import RunCancelled
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Settings


class MadeUpService(RunService):
    """Ends runs with a given result; runs of the model `slow` wait until they are cancelled, those of `broken` raise."""

    template: RunResult
    executed: list[str]

    async def execute(self, name: str, mode: Any, listener: Any = None) -> RunResult:
        self.executed.append(name)
        record = self.journal.claim(name)
        model = record.spec.model
        self._tell(name, "run_started")
        if model == "broken":
            raise OSError("disk on fire at /secret/path")
        if model == "slow":
            scored = next(task for task in self.template.tasks if task.status == "scored")
            self.journal.commit([self.journal.put_outcome(name, replace(scored, normalised=None))])
        try:
            while model == "slow":
                if self.journal.beat(name):
                    self._end(name, RunState.CANCELLED, None)
                    raise RunCancelled
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            self._end(name, RunState.INTERRUPTED, None)
            raise
        for task_id in ("a", "b", "c"):
            self._tell(name, "task_done", task_id)
        result = replace(self.template, name=name, model=model, state=RunState.SUCCEEDED)
        self._end(name, RunState.SUCCEEDED, result)
        return result

    def _tell(self, name: str, kind: str, task_id: str = "") -> None:
        self.journal.commit([self.journal.put_event(name, kind, task_id, "", {"tasks_total": 3, "tasks_done": int(kind != "run_started")})])

    def _end(self, name: str, state: RunState, result: RunResult | None) -> None:
        self.journal.finish(name, state, "", result)
        self._tell(name, "run_ended")


Scenario = Callable[[Any, MadeUpService], Awaitable[Any]]


def play(folder: Path, result: RunResult, catalogue: Catalogue, scenario: Scenario, **options: Any) -> Any:
    """Run a scenario against a started server, in one event loop. Bundles lie in ``folder/data``."""

    async def main() -> Any:
        service = MadeUpService(Settings(state=folder / "state"), catalogue)
        service.template, service.executed = result, []
        server = OrchestratorServer(JournalBackend(service), [folder / "data"], ServerOptions(**options), catalogue)
        address = await server.start()
        try:
            limits = [("grpc.max_receive_message_length", 64 << 20)]
            async with grpc.aio.insecure_channel(address, options=limits) as channel:
                stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
                return await asyncio.wait_for(scenario(stub, service), 60)
        finally:
            await server.stop(grace=0.2)
            service.close()

    return asyncio.run(main())


def request(bundle: Path, **fields: Any) -> pb.CreateRunRequest:
    return pb.CreateRunRequest(**{"model": "fast", "bundle_uri": str(bundle), **fields})


async def watched(stub: Any, name: str, token: str = "") -> list[Any]:
    return [event async for event in stub.WatchRun(pb.WatchRunRequest(name=name, resume_token=token))]


async def answered(call: Any) -> None:
    if hasattr(call, "__aiter__"):
        async for _ in call:
            pass
    else:
        await call


async def refused(call: Any) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, list[str]]:
    """Code, ErrorInfo and fields of BadRequest of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answered(call)
    error = caught.value
    trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
    assert len(trailer) <= 4096
    status = await rpc_status.aio.from_call(call)
    assert status is not None
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    fields: list[str] = []
    for detail in status.details:
        detail.Unpack(info)
        if detail.Unpack(bad):
            fields = [violation.field for violation in bad.field_violations]
    assert info.domain == "genlevel"
    assert "Traceback" not in status.message
    return error.code(), info, fields
