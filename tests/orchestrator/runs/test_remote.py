"""`genlevel run --endpoint`: the run is made elsewhere and shown here."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.api.server import OrchestratorServer, ServerOptions
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings


def test_a_run_on_an_orchestrator(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType, threaded: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundles.text_bundle(tmp_path / "b")

    @asynccontextmanager
    async def orchestrator() -> AsyncIterator[str]:
        async with fakes.serving(fakes.FakeEvaluator()) as target:
            service = RunService(settings.model_copy(update={"evaluators": {"language": Endpoint(target=target)}}))
            server = OrchestratorServer(JournalBackend(service), [tmp_path], ServerOptions(host="127.0.0.1", port=0), service.catalogue)
            try:
                yield await server.start()
            finally:
                await server.stop()
                service.close()

    with threaded(orchestrator) as endpoint:
        arguments = ["run", str(bundle), "--model", "m", "--endpoint", endpoint, "--output", str(tmp_path / "report")]
        code = run_command([*arguments, "--json"])
        document = json.loads(capsys.readouterr().out)
        assert code == 0, document
        assert (document["state"], document["levels"]["2"]) == ("succeeded", 0.0)
        assert Path(document["report"]["html"]).read_text().startswith("<!")
        assert run_command(arguments) == 0
        assert "level 2" in capsys.readouterr().out
        code = run_command(["run", "/etc", "--model", "m", "--endpoint", endpoint, "--json"])
        assert code == 2
        assert "error" in json.loads(capsys.readouterr().out)


def test_nobody_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command(["run", str(tmp_path), "--model", "m", "--endpoint", "127.0.0.1:1", "--json"])
    assert code == 5
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "UNREACHABLE"
