"""``genlevel catalogue``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genlevel_orchestrator.cli.main import run_command


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code = run_command(["catalogue", *arguments, "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.out
    return json.loads(captured.out)


def test_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    tasks = run_json(capsys, "tasks")
    assert len(tasks) == 699
    first = tasks[0]
    assert first["task_id"] == "language.commonsense-reasoning"
    assert (first["metric_id"], first["unit"], first["sota_raw"]) == ("accuracy", "percent", 83.33)
    assert isinstance(first["scorable"], bool)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--modality", "3D"], 52),
        (["--modality", "nlp"], 115),
        (["--paradigm", "generation"], 133),
        (["--modality", "image", "--paradigm", "Generation"], 45),
        (["--metric", "fvd"], 5),
        (["--metric", "AUC", "--modality", "audio"], None),
        (["--metric", "psnr", "--modality", "video"], 10),
    ],
)
def test_filters(arguments: list[str], count: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    if count is None:
        assert run_command(["catalogue", "tasks", *arguments]) == 2
        assert "success_auc" in capsys.readouterr().err
    else:
        assert len(run_json(capsys, "tasks", *arguments)) == count


def test_scorable(capsys: pytest.CaptureFixture[str]) -> None:
    everything = run_json(capsys, "tasks")
    scorable = run_json(capsys, "tasks", "--scorable")
    assert scorable == [task for task in everything if task["scorable"]]
    assert 0 < len(scorable) <= 699


def test_table_on_a_pipe_is_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["catalogue", "tasks", "--metric", "epe"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["task", "metric", "evaluator", "SoTA", "unit", "scorable", "flag"]
    assert len(lines) == 4
    assert {len(line) for line in lines} == {7}


def test_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run_json(capsys, "metrics")
    assert len(metrics) == 84
    assert {number for metric in metrics for number in metric["paper_numbers"]} == set(range(1, 59))
    assert sum(len(metric["tasks"]) for metric in metrics) == 699


def test_show_task(capsys: pytest.CaptureFixture[str]) -> None:
    task = run_json(capsys, "show", "Panoramic Optical Flow Estimation")
    assert task["kind"] == "task"
    assert task["flag"].startswith("EPE 23/39.4/49.2")
    assert (task["sota_workbook"], round(task["sota_raw"], 3)) == (23.0, 2.135)
    assert (task["unit"], task["sota_unit"]) == ("px", "normalised 0..100")


def test_show_metric(capsys: pytest.CaptureFixture[str]) -> None:
    metric = run_json(capsys, "show", "chamfer_distance")
    assert metric["kind"] == "metric"
    assert metric["labels"] == ["CD (Chamfer Distance)"]
    assert (metric["mapping"], metric["mapping_scale"]) == ("saturating", 1.0)
    assert len(metric["tasks"]) == 5
    assert run_json(capsys, "show", "EPE")["metric_id"] == "epe"
    assert metric["examples"]["three_d"]["value"] > 0


@pytest.mark.parametrize("metric_id", ["accuracy", "chamfer_distance", "psnr"])
def test_show_names_the_parameters_of_installed_metrics(metric_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    metric = run_json(capsys, "show", metric_id)
    for evaluator in metric["installed_in"]:
        implementation = metric["implementations"][evaluator]
        assert implementation["unit"] == metric["unit"]
        assert implementation["version"] >= 1
        assert all({"type", "default"} == set(entry) for entry in implementation["parameters"].values())


def test_show_plain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["catalogue", "show", "fvd"]) == 0
    assert "metric_id\tfvd" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "suggestion"), [("fvdd", "fvd"), ("Tire Crak Detection", "Tire Crack Detection"), ("AUC", "roc_auc")]
)
def test_show_unknown(name: str, suggestion: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["catalogue", "show", name, "--json"]) == 2
    assert suggestion in json.loads(capsys.readouterr().out)["error"]["remedy"]


@pytest.mark.parametrize("arguments", [["--modality", "smell"], ["--paradigm", "x"], ["--metric", "fvdd"]])
def test_wrong_filters(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["catalogue", "tasks", *arguments]) == 2
    assert "remedy: " in capsys.readouterr().err
