"""The seven calls over a real journal; only the scoring is made up."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
import zipfile
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


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "bundle"
    task = folder / "nlp" / "CommonsenseReasoning"
    task.mkdir(parents=True)
    data = [{"id": n, "output": {"answer": "A"}} for n in range(3)]
    (task / "annotation.json").write_text(json.dumps({"task": "Commonsense Reasoning", "type": "OpenQA", "data": data}))
    (task / "prediction.json").write_text(json.dumps([{"id": n, "prediction": "A"} for n in (0, 1, 1, 7)]))
    return folder


Scenario = Callable[[Any, MadeUpService], Awaitable[Any]]
Play = Callable[..., Any]


@pytest.fixture
def play(tmp_path: Path, bundle: Path, result: RunResult, catalogue: Catalogue) -> Play:
    """Runs a scenario against a started server, in one event loop."""

    def run(scenario: Scenario, **options: Any) -> Any:
        async def main() -> Any:
            service = MadeUpService(Settings(state=tmp_path / "state"), catalogue)
            service.template, service.executed = result, []
            server = OrchestratorServer(JournalBackend(service), [tmp_path / "data"], ServerOptions(**options), catalogue)
            address = await server.start()
            try:
                limits = [("grpc.max_receive_message_length", 64 << 20)]
                async with grpc.aio.insecure_channel(address, options=limits) as channel:
                    stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
                    stub.channel = channel
                    return await asyncio.wait_for(scenario(stub, service), 60)
            finally:
                await server.stop(grace=0.2)
                service.close()

        return asyncio.run(main())

    return run


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


def test_run_from_beginning_to_report(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        created = (await stub.CreateRun(request(bundle))).run
        assert created.name.startswith("run-")
        assert created.create_time.seconds == pytest.approx(time.time(), abs=60)
        events = await watched(stub, created.name)
        assert [event.kind for event in events] == ["run_started", "task_done", "task_done", "task_done", "run_ended"]
        assert events[0].run.state == pb.RUN_STATE_RUNNING
        assert events[-1].run.state == pb.RUN_STATE_SUCCEEDED
        assert events[-1].run.levels.policy == "paper"
        run = (await stub.GetRun(pb.GetRunRequest(name=created.name))).run
        assert run == events[-1].run
        assert run.levels.level_2 == pytest.approx(service.template.levels["paper"].level_2)
        for form, start in ((pb.REPORT_FORMAT_UNSPECIFIED, b"{"), (pb.REPORT_FORMAT_XLSX, b"PK"), (pb.REPORT_FORMAT_HTML, b"<!doctype")):
            report = await stub.GetReport(pb.GetReportRequest(name=run.name, format=form))
            assert report.content.startswith(start)
            assert report.file_name.startswith(run.name)

    play(scenario)


def test_watch_continues_after_a_token(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        name = (await stub.CreateRun(request(bundle))).run.name
        events = await watched(stub, name)
        assert await watched(stub, name, events[1].resume_token) == events[2:]
        assert await watched(stub, name, events[-1].resume_token) == []
        code, _, fields = await refused(stub.WatchRun(pb.WatchRunRequest(name=name, resume_token="x1")))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["resume_token"])

    play(scenario)


def test_equal_request_ids_make_one_run(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        one = request(bundle, request_id=str(uuid.uuid4()))
        names = {reply.run.name for reply in await asyncio.gather(*(stub.CreateRun(one) for _ in range(8)))}
        assert len(names) == 1
        await watched(stub, names.pop())
        assert len(service.executed) == 1
        code, info, _ = await refused(stub.CreateRun(request(bundle, request_id=one.request_id, model="other")))
        assert (code, info.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
        code, _, fields = await refused(stub.CreateRun(request(bundle, request_id="not-a-uuid")))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["request_id"])

    play(scenario)


def test_validate_only_makes_no_run(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        reply = await stub.CreateRun(request(bundle, validate_only=True))
        assert (reply.run.name, reply.run.tasks_total) == ("", 1)
        found = {issue.code: issue for issue in reply.violations}
        assert any(issue.file.endswith("prediction.json") and issue.pointer for issue in found.values()), found
        assert len(found) >= 2, "the surplus id and the missing one"
        assert list((await stub.ListRuns(pb.ListRunsRequest())).runs) == []

    play(scenario)


def test_cancel(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        name = (await stub.CreateRun(request(bundle, model="slow"))).run.name
        code, info, _ = await refused(stub.GetReport(pb.GetReportRequest(name=name)))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_NOT_ENDED")
        await stub.CancelRun(pb.CancelRunRequest(name=name))
        events = await watched(stub, name)
        assert events[-1].run.state == pb.RUN_STATE_CANCELLED
        code, info, _ = await refused(stub.CancelRun(pb.CancelRunRequest(name=name)))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_HAS_ENDED")
        code, info, _ = await refused(stub.ListTaskResults(pb.ListTaskResultsRequest(name=name)))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_WITHOUT_RESULT")

    play(scenario)


def test_queued_runs_wait_their_turn_and_can_be_cancelled(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        slow = [(await stub.CreateRun(request(bundle, model="slow"))).run.name for _ in range(3)]
        await asyncio.sleep(0.3)
        states = [(await stub.GetRun(pb.GetRunRequest(name=name))).run.state for name in slow]
        assert states == [pb.RUN_STATE_RUNNING, pb.RUN_STATE_RUNNING, pb.RUN_STATE_QUEUED]
        for name in reversed(slow):
            await stub.CancelRun(pb.CancelRunRequest(name=name))
        for name in slow:
            await watched(stub, name)
            assert (await stub.GetRun(pb.GetRunRequest(name=name))).run.state == pb.RUN_STATE_CANCELLED
        assert slow[2] not in service.executed

    play(scenario)


def test_a_fault_ends_the_run_not_the_server(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        name = (await stub.CreateRun(request(bundle, model="broken"))).run.name
        await watched(stub, name)
        run = (await stub.GetRun(pb.GetRunRequest(name=name))).run
        assert run.state == pb.RUN_STATE_FAILED
        assert run.message.startswith("OSError")
        assert (await stub.CreateRun(request(bundle))).run.name

    play(scenario)


def test_stopping_the_server_interrupts_runs(play: Play, bundle: Path, tmp_path: Path, catalogue: Catalogue) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> str:
        name = (await stub.CreateRun(request(bundle, model="slow"))).run.name
        await asyncio.sleep(0.2)
        return str(name)

    name = play(scenario)
    service = RunService(Settings(state=tmp_path / "state"), catalogue)
    assert service.journal.run(name).state is RunState.INTERRUPTED
    service.close()


def test_pages_of_runs(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        names = [(await stub.CreateRun(request(bundle))).run.name for _ in range(5)]
        found, token, pages = [], "", 0
        while True:
            page = await stub.ListRuns(pb.ListRunsRequest(page_size=2, page_token=token))
            found += [run.name for run in page.runs]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        assert pages == 3
        assert found == names[::-1]
        for token in ("%%%", "bm9uZQ=="):
            code, _, fields = await refused(stub.ListRuns(pb.ListRunsRequest(page_token=token)))
            assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_token"])
        code, _, fields = await refused(stub.ListRuns(pb.ListRunsRequest(page_size=-1)))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_size"])

    play(scenario)


def test_pages_of_task_results(play: Play, bundle: Path, catalogue: Catalogue) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        name = (await stub.CreateRun(request(bundle))).run.name
        await watched(stub, name)
        found, token = [], ""
        while True:
            page = await stub.ListTaskResults(pb.ListTaskResultsRequest(name=name, page_size=250, page_token=token))
            found += list(page.results)
            token = page.next_page_token
            if not token:
                break
        assert [task.task_id for task in found] == list(catalogue.tasks)
        outcomes = {task.task_id: task for task in service.template.tasks}
        for task in found:
            outcome = outcomes[task.task_id]
            assert task.status == outcome.status
            if outcome.value is None or outcome.value.value is None:
                assert not task.value.HasField("value")
            else:
                assert task.value.value == outcome.value.value  # infinity too
                assert task.value.signature.digest == outcome.value.signature.digest
                assert task.value.comparable == outcome.value.comparable

    play(scenario)


def test_unknown_runs_and_formats(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        calls = (
            stub.GetRun(pb.GetRunRequest(name="run-none")), stub.WatchRun(pb.WatchRunRequest(name="run-none")),
            stub.CancelRun(pb.CancelRunRequest(name="")), stub.GetReport(pb.GetReportRequest(name="run-none")),
            stub.ListTaskResults(pb.ListTaskResultsRequest(name="x" * 5000)),
        )  # fmt: skip
        for call in calls:
            code, info, _ = await refused(call)
            assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "NO_SUCH_RUN")
        code, _, fields = await refused(stub.GetReport(pb.GetReportRequest(name="run-none", format=9)))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["format"])

    play(scenario)


def test_bundles_lie_below_the_roots(play: Play, bundle: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (bundle.parent / "link").symlink_to(outside)
    zipped = bundle.parent / "bundle with space.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for path in bundle.rglob("*.json"):
            archive.write(path, path.relative_to(bundle))

    async def scenario(stub: Any, service: MadeUpService) -> None:
        denied = (str(outside), f"{bundle}/../../elsewhere", str(bundle.parent / "link"), f"file://{outside}", "/etc/passwd", "/no/such")
        for uri in denied:
            code, info, fields = await refused(stub.CreateRun(request(bundle, bundle_uri=uri)))
            assert (code, info.reason, fields) == (grpc.StatusCode.PERMISSION_DENIED, "OUTSIDE_ROOTS", ["bundle_uri"]), uri
        for uri in ("", "bundle", "s3://bucket/key", "file://other/path", "/a\x00b"):
            code, _, fields = await refused(stub.CreateRun(request(bundle, bundle_uri=uri)))
            assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["bundle_uri"]), uri
        code, info, _ = await refused(stub.CreateRun(request(bundle, bundle_uri=str(bundle / "none"))))
        assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "NO_SUCH_BUNDLE")
        code, _, fields = await refused(stub.CreateRun(request(bundle, references_uri=str(outside))))
        assert (code, fields) == (grpc.StatusCode.PERMISSION_DENIED, ["references_uri"])
        reply = await stub.CreateRun(request(bundle, bundle_uri=f"file://{str(zipped).replace(' ', '%20')}", validate_only=True))
        assert reply.run.tasks_total == 1

    play(scenario)


def test_bad_models_and_tasks(play: Play, bundle: Path) -> None:
    async def scenario(stub: Any, service: MadeUpService) -> None:
        for model in ("", "  ", "m" * 201):
            code, _, fields = await refused(stub.CreateRun(request(bundle, model=model)))
            assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["model"])
        for validate_only in (False, True):
            wrong = request(bundle, tasks=["language.commonsense-reasonin"], validate_only=validate_only)
            code, info, _ = await refused(stub.CreateRun(wrong))
            assert code is grpc.StatusCode.INVALID_ARGUMENT
            assert "commonsense-reasoning" in info.metadata["remedy"]

    play(scenario)
