"""The seven calls over a real journal: a run's life. Only the scoring is made up."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs.results import RunState
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Settings

Play = Callable[..., Any]


def test_run_from_beginning_to_report(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        created = (await stub.CreateRun(calls.request(bundle))).run
        assert created.name.startswith("run-")
        assert created.create_time.seconds == pytest.approx(time.time(), abs=60)
        events = await calls.watched(stub, created.name)
        assert [event.kind for event in events] == ["run_started", "task_done", "task_done", "task_done", "run_ended"]
        assert events[0].run.state == pb.RUN_STATE_RUNNING
        assert events[-1].run.state == pb.RUN_STATE_SUCCEEDED
        assert events[-1].run.levels.policy == "paper"
        run = (await stub.GetRun(pb.GetRunRequest(name=created.name))).run
        assert run == events[-1].run
        assert run.levels.level_2 == pytest.approx(service.template.levels["paper"].level_2)
        starts = {
            pb.REPORT_FORMAT_UNSPECIFIED: b"{", pb.REPORT_FORMAT_XLSX: b"PK", pb.REPORT_FORMAT_HTML: b"<!doctype", pb.REPORT_FORMAT_SAMPLES: b"\x1f\x8b",
        }
        for form, start in starts.items():
            report = await stub.GetReport(pb.GetReportRequest(name=run.name, format=form))
            assert report.content.startswith(start)
            assert report.file_name.startswith(run.name)

    play(scenario)


def test_watch_continues_after_a_token(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        name = (await stub.CreateRun(calls.request(bundle))).run.name
        events = await calls.watched(stub, name)
        assert await calls.watched(stub, name, events[1].resume_token) == events[2:]
        assert await calls.watched(stub, name, events[-1].resume_token) == []
        code, _, fields = await calls.refused(stub.WatchRun(pb.WatchRunRequest(name=name, resume_token="x1")))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["resume_token"])

    play(scenario)


def test_equal_request_ids_make_one_run(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        one = calls.request(bundle, request_id=str(uuid.uuid4()))
        names = {reply.run.name for reply in await asyncio.gather(*(stub.CreateRun(one) for _ in range(8)))}
        assert len(names) == 1
        await calls.watched(stub, names.pop())
        assert len(service.executed) == 1
        code, info, _ = await calls.refused(stub.CreateRun(calls.request(bundle, request_id=one.request_id, model="other")))
        assert (code, info.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
        code, _, fields = await calls.refused(stub.CreateRun(calls.request(bundle, request_id="not-a-uuid")))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["request_id"])

    play(scenario)


def test_validate_only_makes_no_run(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        reply = await stub.CreateRun(calls.request(bundle, validate_only=True))
        assert (reply.run.name, reply.run.tasks_total) == ("", 1)
        found = {issue.code: issue for issue in reply.violations}
        assert any(issue.file.endswith("prediction.json") and issue.pointer for issue in found.values()), found
        assert len(found) >= 2, "the surplus id and the missing one"
        assert list((await stub.ListRuns(pb.ListRunsRequest())).runs) == []

    play(scenario)


def test_cancel(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        name = (await stub.CreateRun(calls.request(bundle, model="slow"))).run.name
        code, info, _ = await calls.refused(stub.GetReport(pb.GetReportRequest(name=name)))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_NOT_ENDED")
        await stub.CancelRun(pb.CancelRunRequest(name=name))
        events = await calls.watched(stub, name)
        assert events[-1].run.state == pb.RUN_STATE_CANCELLED
        code, info, _ = await calls.refused(stub.CancelRun(pb.CancelRunRequest(name=name)))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_HAS_ENDED")
        code, info, _ = await calls.refused(stub.GetReport(pb.GetReportRequest(name=name)))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_WITHOUT_RESULT")
        (task,) = (await stub.ListTaskResults(pb.ListTaskResultsRequest(name=name))).results
        scored = next(task for task in service.template.tasks if task.status == "scored")
        assert (task.task_id, task.normalised) == (scored.task_id, scored.normalised), "what was scored before stays"

    play(scenario)


def test_queued_runs_wait_their_turn_and_can_be_cancelled(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        slow = [(await stub.CreateRun(calls.request(bundle, model="slow"))).run.name for _ in range(3)]
        await asyncio.sleep(0.3)
        states = [(await stub.GetRun(pb.GetRunRequest(name=name))).run.state for name in slow]
        assert states == [pb.RUN_STATE_RUNNING, pb.RUN_STATE_RUNNING, pb.RUN_STATE_QUEUED]
        for name in reversed(slow):
            await stub.CancelRun(pb.CancelRunRequest(name=name))
        for name in slow:
            await calls.watched(stub, name)
            assert (await stub.GetRun(pb.GetRunRequest(name=name))).run.state == pb.RUN_STATE_CANCELLED
        assert slow[2] not in service.executed

    play(scenario)


def test_a_fault_ends_the_run_not_the_server(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        name = (await stub.CreateRun(calls.request(bundle, model="broken"))).run.name
        await calls.watched(stub, name)
        run = (await stub.GetRun(pb.GetRunRequest(name=name))).run
        assert run.state == pb.RUN_STATE_FAILED
        assert run.message.startswith("OSError")
        assert (await stub.CreateRun(calls.request(bundle))).run.name

    play(scenario)


def test_stopping_the_server_interrupts_runs(play: Play, calls: Any, bundle: Path, tmp_path: Path, catalogue: Catalogue) -> None:
    async def scenario(stub: Any, service: Any) -> str:
        name = (await stub.CreateRun(calls.request(bundle, model="slow"))).run.name
        await asyncio.sleep(0.2)
        return str(name)

    name = play(scenario)
    service = RunService(Settings(state=tmp_path / "state"), catalogue)
    assert service.journal.run(name).state is RunState.INTERRUPTED
    service.close()
