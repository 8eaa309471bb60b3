"""`genlevel report` and `genlevel compare` over a journal."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import ExitCode
from genlevel_orchestrator.report import level_intervals
from genlevel_orchestrator.runs.assess import assess
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


@pytest.fixture
def paired(synthetic: Any, load_module: Callable[[Path], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    """A task, and two journalled runs with scores of its samples."""
    monkeypatch.setattr(level_intervals, "REPLICATES", 20)
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    module = load_module(Path(__file__).resolve().parents[1] / "orchestrator" / "report" / "paired_runs.py")
    catalogue = Catalogue.load()
    values = synthetic.raw_values(catalogue, 0.95)
    task_id = next(t for t in values if catalogue.metric_of(catalogue.tasks[t]).unit == "percent")
    base = synthetic.run_result(catalogue)
    journal = Journal(load_settings())
    names = []
    for right in (range(40), range(5, 60)):
        name = journal.create(RunSpec(model="m", bundle="/data")).name
        run, details = module.with_scores(base, task_id, [100.0 * (index in right) for index in range(100)])
        tasks, levels = assess(catalogue, {task.task_id: task for task in run.tasks})
        journal.commit([journal.put_details(name, task_id, details)])
        journal.finish(name, RunState.PROVISIONAL, "", replace(run, name=name, tasks=tasks, levels=levels))
        names.append(name)
    journal.close()
    return task_id, names


def test_compare_pairs_samples_of_runs_and_of_folders_alone(
    paired: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id, names = paired
    for name in names:
        assert run_command(["report", name, "-f", "json,samples"]) == ExitCode.OK
    capsys.readouterr()
    assert run_command(["compare", *names, "--json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    (row,) = [row for row in document["tasks"] if row["task_id"] == task_id]
    # 20 samples are right in the second run alone, 5 in the first alone.
    assert row["test"]["method"] == "mcnemar_exact"
    assert row["test"]["p"] == pytest.approx(2 * sum(math.comb(25, k) for k in range(6)) / 2**25)
    assert (row["verdict"], row["difference"], row["paired"]) == ("better", 15.0, True)
    assert all(level["difference_interval"] for level in document["levels"])
    # No journal from here on.
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "nothing"))
    assert run_command(["compare", *names, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == document
    assert not (tmp_path / "nothing").exists()
    assert run_command(["compare", *names]) == ExitCode.OK
    assert "mcnemar_exact" in capsys.readouterr().out


def test_compare_without_the_file_beside_says_why_nothing_is_paired(
    paired: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    task_id, names = paired
    assert run_command(["report", names[0], "-f", "json"]) == ExitCode.OK
    capsys.readouterr()
    assert run_command(["compare", names[0], names[1], "--json"]) == ExitCode.OK
    (row,) = [row for row in json.loads(capsys.readouterr().out)["tasks"] if row["task_id"] == task_id]
    assert (row["paired"], row["unpaired_reason"], row["test"]) == (False, "no sample scores", None)
    Path(names[0], "samples.json.gz").write_bytes(b"damaged")
    assert run_command(["compare", names[0], names[1]]) == ExitCode.BAD_INPUT
    assert "samples.json.gz cannot be read" in capsys.readouterr().err


def test_compare_reads_reports_of_the_version_before(runs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", runs["a"], "-f", "json", "-o", str(tmp_path / "a")]) == ExitCode.OK
    path = tmp_path / "a" / "report.json"
    report = json.loads(path.read_text())
    report["schema_version"] = 1
    for task in report["tasks"]:
        del task["worst"]
    path.write_text(json.dumps(report))
    capsys.readouterr()
    assert run_command(["compare", str(path), runs["b"], "--json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert document["counts"]["better"] > 0
    compared = [row for row in document["tasks"] if row["verdict"] not in ("refused", "only_first", "only_second")]
    assert {row["unpaired_reason"] for row in compared} == {"no sample scores"}
