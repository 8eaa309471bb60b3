"""`genlevel runs`: what the journal holds, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.runs.journal import Journal
from genlevel_orchestrator.runs.records import RunSpec
from genlevel_orchestrator.settings import load_settings


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_evaluators: str) -> None:
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("GENLEVEL_EVALUATORS", real_evaluators)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run_command([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_without_any_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "runs", "list") == (0, {"runs": []})
    code, document = _json(capsys, "runs", "show", "last")
    assert (code, document["error"]["message"]) == (2, "there is no run yet")


def test_a_run_through_its_life(tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = bundles.text_bundle(tmp_path / "b")
    code, made = _json(capsys, "run", str(bundle), "--model", "m", "--output", str(tmp_path / "report"))
    assert code == 0
    assert made["report"]["xlsx"] == str(tmp_path / "report" / "report.xlsx")
    listed = _json(capsys, "runs", "list")[1]["runs"]
    assert [(run["run"], run["state"], run["tasks_done"]) for run in listed] == [(made["run"], "succeeded", 2)]
    assert _json(capsys, "runs", "show", made["run"])[1] == made
    for command in ("resume", "cancel"):
        code, document = _json(capsys, "runs", command, made["run"])
        assert (code, "error" in document) == (2, True)
    assert run_command(["runs", "watch", "last", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [events[0]["kind"], events[-1]["kind"]] == ["run_started", "run_ended"]
    assert run_command(["runs", "watch", "last", "--after", str(events[-2]["token"]), "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_run_that_was_only_queued_can_be_shown_and_resumed(
    tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundles.text_bundle(tmp_path / "b")
    name = Journal(load_settings()).create(RunSpec("m", str(bundle))).name
    assert _json(capsys, "runs", "show", name)[1]["state"] == "queued"
    code, resumed = _json(capsys, "runs", "resume", name)
    assert (code, resumed["run"], resumed["state"]) == (0, name, "succeeded")


def test_the_plain_output_names_levels_tasks_and_report(tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", str(bundles.text_bundle(tmp_path / "b")), "--model", "m"]) == 0
    printed = capsys.readouterr()
    assert "language.commonsense-reasoning\tscored\taccuracy\t70" in printed.out
    assert "level 2: 0.00" in printed.out
    assert "2 of 699 tasks scored, 1 at or above the specialist" in printed.out
    assert "report: " in printed.out
    assert "task done language.commonsense-reasoning scored" in printed.err
