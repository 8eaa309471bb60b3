"""The drift report: which tasks the policies score differently, and why."""

from __future__ import annotations

import math

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.levels import Difference, LevelTask, Result, drift


@pytest.fixture
def tasks() -> list[LevelTask]:
    return level_tasks(Catalogue.load())


def by_label(differences: tuple[Difference, ...], label: str) -> list[Difference]:
    return [difference for difference in differences if difference.label == label]


def test_model_equal_to_sota(tasks: list[LevelTask]) -> None:
    report = drift(tasks, {task.task_id: Result(task.sota) for task in tasks})
    labels = sorted({difference.label for difference in report.differences})
    assert labels == ["CD (Chamfer Distance)", "RTE ( Relative Translation Error)", "WER"]
    assert len(by_label(report.differences, "WER")) == 5
    assert len(by_label(report.differences, "CD (Chamfer Distance)")) == 5
    assert report.paper is not None
    assert report.upstream is not None
    assert report.upstream.level_2 > 100.0 > report.paper.level_2
    assert all(difference.reasons for difference in report.differences)


@pytest.mark.parametrize(
    ("label", "value", "words"),
    [
        ("FID", 0.0, "raw value of 0"),
        ("WER", 12.0, "as a fraction"),
        ("CD (Chamfer Distance)", 0.1, "does not recognise the label"),
        ("CIDEr", 180.0, "does not clip"),
        ("EPE", 1.0, "SoTA cell as pixels"),
        ("MS-SSIM", -0.2, "upstream refuses"),
        ("MOS", 0.5, "paper refuses"),
    ],
)
def test_reasons(tasks: list[LevelTask], label: str, value: float, words: str) -> None:
    task = next(task for task in tasks if task.label == label)
    report = drift(tasks, {task.task_id: Result(value)})
    (difference,) = [d for d in report.differences if d.task_id == task.task_id]
    assert any(words in reason for reason in difference.reasons), difference.reasons


def test_saturated_tie(tasks: list[LevelTask]) -> None:
    motion = next(task for task in tasks if task.task_id == "three_d.generation.text-to-3d-motion-generation")
    (difference,) = drift(tasks, {motion.task_id: Result(0.51)}).differences
    assert difference.upstream is not None
    assert difference.upstream.won
    assert difference.paper is not None
    assert not difference.paper.won
    assert "saturates" in difference.reasons[0]


def test_language_rmse(tasks: list[LevelTask]) -> None:
    series = next(task for task in tasks if task.modality == "language" and task.label == "RMSE")
    (difference,) = drift(tasks, {series.task_id: Result(90.0)}).differences
    assert difference.upstream is not None
    assert difference.upstream.won
    assert "not the SoTA" in difference.reasons[0]


def test_values_only_paper_understands(tasks: list[LevelTask]) -> None:
    accuracy = next(task for task in tasks if task.label == "Acc")
    (difference,) = drift(tasks, {accuracy.task_id: Result(100.0, comparable=False)}).differences
    assert "not comparable" in difference.reasons[0]
    fid = next(task for task in tasks if task.label == "FID")
    (difference,) = drift(tasks, {fid.task_id: Result(1.0, coverage=0.5)}).differences
    assert "predictions are missing" in difference.reasons[0]


def test_no_levels_where_a_policy_refuses(tasks: list[LevelTask]) -> None:
    accuracy = next(task for task in tasks if task.label == "Acc")
    report = drift(tasks, {accuracy.task_id: Result(math.nan)})
    assert report.paper is None
    assert report.upstream is None
    assert len(report.differences) == 1


def test_no_drift_without_reason(tasks: list[LevelTask]) -> None:
    percentages = {task.task_id: Result(0.9 * task.sota) for task in tasks if task.mapping == "identity"}
    assert drift(tasks, percentages).differences == ()
