"""Pages, names, paths and other fields of requests."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel_orchestrator.catalogue import Catalogue

Play = Callable[..., Any]


def test_pages_of_runs(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        names = [(await stub.CreateRun(calls.request(bundle))).run.name for _ in range(5)]
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
            code, _, fields = await calls.refused(stub.ListRuns(pb.ListRunsRequest(page_token=token)))
            assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_token"])
        code, _, fields = await calls.refused(stub.ListRuns(pb.ListRunsRequest(page_size=-1)))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_size"])

    play(scenario)


def test_pages_of_task_results(play: Play, calls: Any, bundle: Path, catalogue: Catalogue) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        name = (await stub.CreateRun(calls.request(bundle))).run.name
        await calls.watched(stub, name)
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


def test_unknown_runs_and_formats(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        unknown = (
            stub.GetRun(pb.GetRunRequest(name="run-none")), stub.WatchRun(pb.WatchRunRequest(name="run-none")),
            stub.CancelRun(pb.CancelRunRequest(name="")), stub.GetReport(pb.GetReportRequest(name="run-none")),
            stub.ListTaskResults(pb.ListTaskResultsRequest(name="x" * 5000)),
        )  # fmt: skip
        for call in unknown:
            code, info, _ = await calls.refused(call)
            assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "NO_SUCH_RUN")
        code, _, fields = await calls.refused(stub.GetReport(pb.GetReportRequest(name="run-none", format=9)))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["format"])

    play(scenario)


def test_bundles_lie_below_the_roots(play: Play, calls: Any, bundle: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (bundle.parent / "link").symlink_to(outside)
    zipped = bundle.parent / "bundle with space.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for path in bundle.rglob("*.json"):
            archive.write(path, path.relative_to(bundle))

    async def scenario(stub: Any, service: Any) -> None:
        denied = (str(outside), f"{bundle}/../../elsewhere", str(bundle.parent / "link"), f"file://{outside}", "/etc/passwd", "/no/such")
        for uri in denied:
            code, info, fields = await calls.refused(stub.CreateRun(calls.request(bundle, bundle_uri=uri)))
            assert (code, info.reason, fields) == (grpc.StatusCode.PERMISSION_DENIED, "OUTSIDE_ROOTS", ["bundle_uri"]), uri
        for uri in ("", "bundle", "s3://bucket/key", "file://other/path", "/a\x00b"):
            code, _, fields = await calls.refused(stub.CreateRun(calls.request(bundle, bundle_uri=uri)))
            assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["bundle_uri"]), uri
        code, info, _ = await calls.refused(stub.CreateRun(calls.request(bundle, bundle_uri=str(bundle / "none"))))
        assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "NO_SUCH_BUNDLE")
        code, _, fields = await calls.refused(stub.CreateRun(calls.request(bundle, references_uri=str(outside))))
        assert (code, fields) == (grpc.StatusCode.PERMISSION_DENIED, ["references_uri"])
        reply = await stub.CreateRun(calls.request(bundle, bundle_uri=f"file://{str(zipped).replace(' ', '%20')}", validate_only=True))
        assert reply.run.tasks_total == 1

    play(scenario)


def test_bad_models_and_tasks(play: Play, calls: Any, bundle: Path) -> None:
    async def scenario(stub: Any, service: Any) -> None:
        for model in ("", "  ", "m" * 201):
            code, _, fields = await calls.refused(stub.CreateRun(calls.request(bundle, model=model)))
            assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["model"])
        for validate_only in (False, True):
            wrong = calls.request(bundle, tasks=["language.commonsense-reasonin"], validate_only=validate_only)
            code, info, _ = await calls.refused(stub.CreateRun(wrong))
            assert code is grpc.StatusCode.INVALID_ARGUMENT
            assert "commonsense-reasoning" in info.metadata["remedy"]

    play(scenario)
