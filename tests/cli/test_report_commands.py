"""`genlevel report` and `genlevel compare` over a journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import ExitCode
from genlevel_orchestrator.runs.journal import Journal
from genlevel_orchestrator.runs.records import RunSpec
from genlevel_orchestrator.runs.results import RunState
from genlevel_orchestrator.settings import load_settings


@pytest.fixture(scope="session")
def synthetic(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(Path(__file__).resolve().parents[1] / "orchestrator" / "report" / "synthetic.py")


@pytest.fixture
def runs(synthetic: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names of journalled runs: two that ended, one of another version of every metric, one still queued."""
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    catalogue = Catalogue.load()
    journal = Journal(load_settings())
    names = {}
    for label, options in {"a": {}, "b": {"share": 1.2}, "newer": {"version": 2}}.items():
        record = journal.create(RunSpec(model=f"model {label}", bundle="/data"))
        result = replace(synthetic.run_result(catalogue, **options), name=record.name, model=f"model {label}")
        journal.finish(record.name, RunState.PROVISIONAL, "", result)
        names[label] = record.name
    names["queued"] = journal.create(RunSpec(model="m", bundle="/data")).name
    journal.close()
    return names


def test_report_writes_its_files_into_a_folder_of_the_run(runs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", runs["a"], "--json"]) == ExitCode.OK
    files = json.loads(capsys.readouterr().out)["files"]
    named = {name: f"{runs['a']}/report.{name}" for name in ("json", "xlsx", "html")}
    assert files == {**named, "samples": f"{runs['a']}/samples.json.gz"}
    assert json.loads(Path(files["json"]).read_text())["run"]["model"] == "model a"
    assert Path(files["xlsx"]).read_bytes().startswith(b"PK")


def test_report_in_one_format(runs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", runs["a"], "-f", "html", "-o", str(tmp_path / "out")]) == ExitCode.OK
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
    assert run_command(["report", runs["a"], "-f", "html,pdf"]) == ExitCode.BAD_INPUT
    assert "pdf" in capsys.readouterr().err


def test_report_of_runs_that_have_none(runs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", runs["queued"]]) == ExitCode.BAD_INPUT
    assert f"genlevel runs watch {runs['queued']}" in capsys.readouterr().err
    assert run_command(["report", "run-nothing"]) == ExitCode.BAD_INPUT
    assert "no run 'run-nothing'" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert run_command(["report", runs["a"], "-o", str(tmp_path / "file")]) == ExitCode.BAD_INPUT


def test_compare_runs(runs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["compare", runs["a"], runs["b"], "--json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert document["first"]["model"] == "model a"
    assert document["counts"]["better"] > 0
    assert document["counts"]["refused"] == 0
    (level_2,) = [row for row in document["levels"] if (row["policy"], row["level"]) == ("paper", "2")]
    assert level_2["difference"] == pytest.approx(level_2["second"] - level_2["first"])
    assert level_2["difference"] > 0


def test_compare_prints_tables_and_flags_signatures(runs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["compare", runs["a"], runs["newer"]]) == ExitCode.OK
    captured = capsys.readouterr()
    assert "not compared" in captured.out
    assert "different versions of the metric: 1 and 2" in captured.out
    assert "made in different ways" in captured.err
    assert run_command(["compare", runs["a"], runs["a"]]) == ExitCode.OK
    assert "103 equal" in capsys.readouterr().err


def test_compare_reads_report_files(runs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", runs["a"], "-o", str(tmp_path / "a")]) == ExitCode.OK
    capsys.readouterr()
    assert run_command(["compare", str(tmp_path / "a"), str(tmp_path / "a" / "report.json"), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["counts"]["equal"] == 103
    for text, words in (("{", "cannot be read"), ("[]", "no report"), ('{"schema": "genlevel.report", "schema_version": 9}', "version 9")):
        (tmp_path / "bad.json").write_text(text)
        assert run_command(["compare", str(tmp_path / "bad.json"), runs["a"]]) == ExitCode.BAD_INPUT
        assert words in capsys.readouterr().err
