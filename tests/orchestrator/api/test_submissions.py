"""`genlevel run`, `runs` and `report` against an orchestrator that sees none of our files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.api.client import OrchestratorClient
from genlevel_orchestrator.api.packing import Package
from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.api.server import OrchestratorServer, ServerOptions
from genlevel_orchestrator.api.uploads import UploadStore
from genlevel_orchestrator.cli import remote
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.report import read_samples
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings, Uploads

TOKEN = "0123456789abcdef-token"


@pytest.fixture
def elsewhere(tmp_path: Path, settings: Settings, fakes: ModuleType, threaded: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An orchestrator that sees none of our files, and is not taken for one of this machine."""
    monkeypatch.setattr(remote, "on_this_machine", lambda _: False)
    monkeypatch.setenv("GENLEVEL_TOKEN", TOKEN)
    (tmp_path / "theirs").mkdir()

    @asynccontextmanager
    async def orchestrator() -> AsyncIterator[str]:
        async with fakes.serving(fakes.FakeEvaluator()) as target:
            service = RunService(settings.model_copy(update={"evaluators": {"language": Endpoint(target=target)}}))
            store = UploadStore(settings.state / "uploads", Uploads(keep_free_bytes=0))
            server = OrchestratorServer(JournalBackend(service), [tmp_path / "theirs"], ServerOptions(token=TOKEN), service.catalogue, store)
            try:
                yield await server.start()
            finally:
                await server.stop()
                service.close()

    with threaded(orchestrator) as endpoint:
        yield endpoint


def test_a_bundle_of_this_machine_is_scored_elsewhere(
    tmp_path: Path, settings: Settings, bundles: ModuleType, elsewhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data, predictions = bundles.questions(10, 7)
    bundles.write_task(tmp_path / "predictions", bundles.ACCURACY, None, predictions)
    bundles.write_task(tmp_path / "references", bundles.ACCURACY, data, None)
    arguments = ["run", str(tmp_path / "predictions"), "--references", str(tmp_path / "references"), "--model", "m"]
    arguments += ["--endpoint", elsewhere, "--output", str(tmp_path / "report")]
    for attempt in range(2):
        assert run_command(arguments) == 0, capsys.readouterr()
        printed = capsys.readouterr()
        assert "1 of 1 tasks" in printed.out
        assert ("sending" in printed.err) == (attempt == 0)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    (task,) = [task for task in report["tasks"] if task["status"] == "scored"]
    assert task["value"] == 70.0
    assert [item["value"] for item in task["worst"]] == [0.0] * 3
    details = read_samples(tmp_path / "report" / "samples.json.gz", report)[task["task_id"]]
    assert (details.samples, sum(details.scores)) == (10, 700.0)
    assert len(list((settings.state / "uploads").rglob("*.zip"))) == 2
    # The same as a zip that someone made, which is sent as it is.
    packed = tmp_path / "mine.zip"
    packed.write_bytes(b"".join(Package(tmp_path / "predictions").chunks()))
    assert run_command([arguments[0], str(packed), *arguments[2:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["shards"]["reused"] == 1


def test_a_path_that_only_the_orchestrator_sees_is_passed_on(
    tmp_path: Path, bundles: ModuleType, elsewhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = bundles.text_bundle(tmp_path / "theirs" / "b")
    arguments = ["run", str(there), "--model", "m", "--endpoint", elsewhere, "--output", str(tmp_path / "report"), "--json"]
    assert run_command([*arguments, "--no-upload"]) == 0
    assert run_command(["run", "/only/there", *arguments[2:]]) == ExitCode.BAD_INPUT
    assert "outside" in capsys.readouterr().out.splitlines()[-1]
    assert run_command(["run", "/only/there", *arguments[2:], "--upload"]) == ExitCode.BAD_INPUT
    assert "nothing to send" in capsys.readouterr().out.splitlines()[-1]


def test_through_a_tunnel_the_remedy_is_to_send(
    tmp_path: Path, bundles: ModuleType, elsewhere: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "on_this_machine", lambda _: True)
    bundle = bundles.text_bundle(tmp_path / "ours")
    assert run_command(["run", str(bundle), "--model", "m", "--endpoint", elsewhere]) == ExitCode.BAD_INPUT
    assert "--upload" in capsys.readouterr().err


def test_a_file_that_changes_while_it_is_sent_is_refused(
    tmp_path: Path, bundles: ModuleType, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundles.text_bundle(tmp_path / "ours")
    measure = Package.measure

    def measured_then_changed(package: Package) -> Package:
        measure(package)
        file = next(bundle.rglob("prediction.json"))
        file.write_bytes(file.read_bytes()[:-1] + b" ")
        return package

    monkeypatch.setattr(Package, "measure", measured_then_changed)
    with OrchestratorClient(elsewhere) as client, pytest.raises(UserError) as caught:
        client.upload(bundle)
    assert any(word in str(caught.value) for word in ("digest", "announced", "cut off"))


def test_runs_of_an_orchestrator_elsewhere(
    tmp_path: Path, bundles: ModuleType, elsewhere: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    there = ["--endpoint", elsewhere, "--json"]

    def asked(*arguments: str) -> tuple[int, Any]:
        code = run_command([*arguments, *there])
        text = capsys.readouterr().out
        return code, json.loads(text) if arguments[1] != "watch" else [json.loads(line) for line in text.splitlines()]

    assert asked("runs", "show", "last")[1]["error"]["message"] == "there is no run yet"
    assert run_command(["run", str(bundles.text_bundle(tmp_path / "b")), "--model", "m", *there]) == 0
    name = json.loads(capsys.readouterr().out)["run"]
    (listed,) = asked("runs", "list")[1]["runs"]
    assert (listed["run"], listed["state"], listed["tasks_done"]) == (name, "succeeded", 2)
    shown = asked("runs", "show", "last")[1]
    assert {task["task_id"]: task["value"] for task in shown["tasks"]}["language.commonsense-reasoning"] == 70.0
    events = asked("runs", "watch", name)[1]
    assert [events[0]["kind"], events[-1]["kind"]] == ["run_started", "run_ended"]
    assert [event["token"] for event in asked("runs", "watch", name, "--after", str(events[-2]["token"]))[1]] == [events[-1]["token"]]
    for command in ("cancel", "resume"):
        code, document = asked("runs", command, name)
        assert (code, "ended" in document["error"]["message"]) == (2, True)
    assert run_command(["runs", "list", "--endpoint", elsewhere]) == 0
    assert name in capsys.readouterr().out
    assert run_command(["report", name, "--endpoint", elsewhere, "--output", str(tmp_path / "r")]) == 0
    assert (tmp_path / "r" / "report.html").is_file()


def test_a_run_that_failed_is_resumed_elsewhere(
    tmp_path: Path, bundles: ModuleType, elsewhere: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, predictions = bundles.questions(10, 7)
    place = bundles.write_task(tmp_path / "theirs" / "b", bundles.ACCURACY, b"{broken", predictions)
    base = ["--endpoint", elsewhere, "--json"]
    code = run_command(["run", str(tmp_path / "theirs" / "b"), "--no-upload", "--model", "m", "--output", str(tmp_path / "r"), *base])
    first = json.loads(capsys.readouterr().out)
    assert (code, first["state"]) == (4, "provisional")
    (place / "annotation.json").write_text(json.dumps({"task": bundles.ACCURACY, "type": "OpenQA", "data": data}))
    code = run_command(["runs", "resume", first["run"], *base])
    again = json.loads(capsys.readouterr().out)
    assert (code, again["state"], again["run"]) == (0, "succeeded", first["run"])
