"""``genlevel levels`` and ``genlevel rank``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.results_io import write_results_xlsx
from genlevel_orchestrator.results_io.published import published_models


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published scores of all models, in the public scorer's layout."""
    path = tmp_path_factory.mktemp("levels") / "published.xlsx"
    models = {name: dict(model.values) for name, model in published_models().items()}
    write_results_xlsx(path, Catalogue.load(), models)
    return path


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code = run_command([*arguments, "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.out
    return json.loads(captured.out)


def test_document(workbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = run_json(capsys, "levels", str(workbook), "--model", "VITRON-v1", "--zero-is-unsupported")
    assert document["policy"] == "paper"
    assert document["sota"] == "workbook"
    assert set(document["levels"]) == {"2", "3", "4", "5"}
    assert set(document["modalities"]) == {"image", "video", "audio", "three_d"}
    image = document["modalities"]["image"]["levels"]
    assert image["4"] == pytest.approx(4.5874, abs=0.005)
    assert document["levels"]["4"] == pytest.approx(image["4"] / 4.0)
    assert len(document["tasks"]) == 699
    task = next(t for t in document["tasks"] if t["task_id"] == "image.generation.image-deraining")
    assert (task["value"], task["unit"], task["won"]) == (14.59, "dB", False)


def test_zeros_of_opinion_scores_are_refused_unless_declared(
    workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["levels", str(workbook), "--model", "LLaMA-Omni"]
    assert run_command(arguments) == 2
    error = capsys.readouterr().err
    assert "mos in MOS 1..5): 0.0 lies below 1.0" in error
    assert "--zero-is-unsupported" in error
    assert run_command([*arguments, "--zero-is-unsupported"]) == 0


def test_upstream_gives_the_public_scorers_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A workbook whose model column is the SoTA column, read from file and scored as the public scorer does."""
    path = tmp_path / "sota.xlsx"
    catalogue = Catalogue.load()
    write_results_xlsx(path, catalogue, {"copy": {task.task_id: task.sota_workbook for task in catalogue.tasks.values()}})
    levels = run_json(capsys, "levels", str(path), "--model", "copy", "--policy", "upstream")["levels"]
    expected = {"2": 112.20786464365304, "3": 112.20786464365304, "4": 156.21245112919934, "5": 98.83674852003352}
    assert levels == pytest.approx(expected, abs=1e-10)


def test_formats_agree(workbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = Catalogue.load()
    rows = [
        {"modality": task.modality, "paradigm": task.paradigm, "task": task.name, "score": value or None}
        for task_id, value in published_models()["NExT-GPT-V1.5"].values.items()
        if (task := catalogue.tasks[task_id])
    ]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    flags = ("--model", "NExT-GPT-V1.5", "--zero-is-unsupported")
    assert run_json(capsys, "levels", str(path), *flags) == run_json(capsys, "levels", str(workbook), *flags)


def test_sota_tables(workbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("levels", str(workbook), "--model", "Vitron-V1", "--zero-is-unsupported")
    assert run_json(capsys, *flags)["levels"]["5"] > 0.0
    assert run_json(capsys, *flags, "--sota", "paper")["levels"]["5"] == 0.0
    easy = tmp_path / "easy.csv"
    easy.write_text("modality,paradigm,task,score\naudio,generation,TextToSpeech,99\n", encoding="utf-8")
    tasks = run_json(capsys, *flags, "--sota", str(easy))["tasks"]
    assert next(t["sota"] for t in tasks if t["task_id"] == "audio.generation.text-to-speech") == 99.0
    assert run_command([*flags, "--sota", "nowhere"]) == 2


def test_drift(workbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = run_json(
        capsys, "levels", str(workbook), "--model", "NExT-GPT-V1.5", "--zero-is-unsupported", "--drift"
    )
    tasks = {task["task_id"]: task["reasons"] for task in document["drift"]["tasks"]}
    assert sum("fraction" in reasons[0] for reasons in tasks.values()) == 5
    assert document["drift"]["levels"]["upstream"]["2"] < 0.0 < document["drift"]["levels"]["paper"]["2"]


def test_audio_level_2_of_the_public_scorer(workbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Percent read as a fraction turns the published 25.05 into -1198.6."""
    flags = ("levels", str(workbook), "--model", "NExT-GPT-V1.5", "--zero-is-unsupported", "--policy", "upstream")
    assert run_json(capsys, *flags)["modalities"]["audio"]["levels"]["2"] == pytest.approx(-1198.6, abs=0.05)


def test_table(workbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--model", "Vitron-V1", "--zero-is-unsupported", "--drift"]
    assert run_command(["levels", str(workbook), *flags]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    image = next(line for line in lines if line[0] == "image")
    assert image[3] == "4.59"
    assert any(line[0] == "all" for line in lines)


def test_fractions_are_warned_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.csv"
    path.write_text("modality,paradigm,task,score\nnlp,,Commonsense Reasoning,0.83\n", encoding="utf-8")
    document = run_json(capsys, "levels", str(path), "--model", "x")
    assert "looks like a fraction" in document["warnings"][0]
    assert run_command(["levels", str(path), "--model", "x"]) == 0
    assert "looks like a fraction" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "words"),
    [("nan", "not a number (NaN)"), (-1.0, "cannot be negative"), (-0.5, "cannot be negative")],
)
def test_impossible_scores_name_their_task(
    cell: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.xlsx"
    write_results_xlsx(path, Catalogue.load(), {"m": {}})
    workbook = openpyxl.load_workbook(path)
    workbook["Video-Generation"].cell(2, 6).value = cell
    workbook["Image-Generation"].cell(2, 6).value = cell
    workbook.save(path)
    assert run_command(["levels", str(path), "--model", "m", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert words in error["message"]
    assert any(fault["task_id"].startswith("image.generation.") for fault in error["details"])


def test_unknown_policy(workbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["levels", str(workbook), "--model", "Vitron-V1", "--policy", "kind"]) == 2
    assert "paper, upstream" in capsys.readouterr().err


def test_rank_published(capsys: pytest.CaptureFixture[str]) -> None:
    document = run_json(capsys, "rank", "published")
    models = {entry["model"]: entry for entry in document["models"]}
    assert [entry["rank"] for entry in document["models"]] == list(range(1, len(models) + 1))
    assert document["models"][0]["model"] == "Vitron-V1"
    assert "GPT4V" not in models
    assert models["GPT-4V"]["groups"] == ["image.comprehension", "language"]
    assert models["GPT-4V"]["published"]["2"]["overall"] == 4.54
    assert models["GPT-4V"]["levels"]["2"] == pytest.approx(4.54, abs=0.005)
    assert models["InternVL-2.5-8B"]["groups"] == ["video.comprehension", "language"]
    assert models["MotionGPT-T5"]["levels"]["3"] == 0.0


@pytest.mark.parametrize("policy", ["paper", "upstream"])
def test_rank_table(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["rank", "published", "--policy", policy, "--sota", "paper"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("rank\tmodel\tlevel")
    assert len(lines) == 37
