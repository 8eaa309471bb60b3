"""Intervals of level differences: against the levels computed by hand, laws, and what is held fixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.report import build_report, compare
from genlevel_orchestrator.report import level_intervals as module_under_test
from genlevel_orchestrator.report.level_intervals import REPLICATES, level_intervals
from genlevel_orchestrator.runs.assess import assess
from genlevel_orchestrator.runs.results import RunResult

Side = tuple[dict[str, Any], dict[str, Any]]
SIZE = 60


@pytest.fixture(scope="module")
def module(load_module: Any) -> Any:
    return load_module(Path(__file__).with_name("paired_runs.py"))


@pytest.fixture(scope="module")
def candidates(catalogue: Catalogue, synthetic: Any) -> list[str]:
    """Percentage tasks of image comprehension that the made-up run scored."""
    scored = synthetic.raw_values(catalogue, 0.95)
    return [
        t.task_id for t in catalogue.tasks.values()
        if t.task_id in scored and (t.modality, t.paradigm) == ("image", "comprehension") and catalogue.metric_of(t).unit == "percent"
    ]  # fmt: skip


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer replicates, where their number does not matter."""
    monkeypatch.setattr(module_under_test, "REPLICATES", 30)


@pytest.fixture(scope="module")
def chosen(candidates: list[str]) -> list[str]:
    return candidates[:3]


def made(module: Any, result: RunResult, catalogue: Catalogue, chosen: list[str], seed: int, shift: float = 0.0) -> Side:
    """A run with scores for the chosen tasks, and levels that follow from them."""
    generator = np.random.default_rng(seed)
    details = {}
    for task_id in chosen:
        scores = np.clip(generator.normal(40 + shift, 15, SIZE), 0, 100)
        result, details[task_id] = module.with_scores(result, task_id, scores)
    tasks, levels = assess(catalogue, {task.task_id: task for task in result.tasks})
    return build_report(replace(result, tasks=tasks, levels=levels), catalogue), details


def test_level_two_moves_by_the_means_of_its_tasks(module: Any, result: RunResult, catalogue: Catalogue, chosen: list[str]) -> None:
    (one, mine), (other, yours) = made(module, result, catalogue, chosen, 1), made(module, result, catalogue, chosen, 2, 10.0)
    found = level_intervals(one, other, mine, yours, catalogue)["paper", "2"]
    differences = [np.subtract(yours[task_id].replicates, mine[task_id].replicates) for task_id in chosen]
    # Level 2: the mean over comprehension tasks, half of image, a quarter of the whole. Independent tasks: variances add.
    tasks = sum(task.modality == "image" and task.paradigm == "comprehension" for task in catalogue.tasks.values())
    spread = np.sqrt(sum(np.var(item) for item in differences)) / tasks / 8
    centre = sum(np.mean(item) for item in differences) / tasks / 8
    assert found["low"] == pytest.approx(centre - 1.96 * spread, abs=0.3 * spread)
    assert found["high"] == pytest.approx(centre + 1.96 * spread, abs=0.3 * spread)
    assert found["method"] == f"paired_bootstrap_{REPLICATES}"


@pytest.mark.usefixtures("few")
def test_a_run_against_itself_has_no_interval_but_zero(module: Any, result: RunResult, catalogue: Catalogue, chosen: list[str]) -> None:
    side = made(module, result, catalogue, chosen, 1)
    found = level_intervals(side[0], side[0], side[1], side[1], catalogue)
    assert {(policy, level) for policy, level in found} == {(policy, level) for policy in ("paper", "upstream") for level in "2345"}
    assert all((item["low"], item["high"]) == (0.0, 0.0) for item in found.values())


@pytest.mark.usefixtures("few")
def test_the_other_way_round_is_the_negative(module: Any, result: RunResult, catalogue: Catalogue, chosen: list[str]) -> None:
    (one, mine), (other, yours) = made(module, result, catalogue, chosen, 1), made(module, result, catalogue, chosen, 2)
    there, back = level_intervals(one, other, mine, yours, catalogue), level_intervals(other, one, yours, mine, catalogue)
    for key, item in there.items():
        assert back[key]["low"] == pytest.approx(-item["high"], abs=1e-12)
        assert back[key]["high"] == pytest.approx(-item["low"], abs=1e-12)


def test_tasks_with_equal_ids_do_not_move_together(module: Any, result: RunResult, catalogue: Catalogue, chosen: list[str]) -> None:
    """Two tasks with the very same replicates: were they taken in the same order, the spread would be twice one task's."""
    first, second = chosen[:2]
    scores = np.random.default_rng(3).normal(40, 10, SIZE)
    run, one = module.with_scores(result, first, scores)
    run, other = module.with_scores(run, second, scores)
    tasks, levels = assess(catalogue, {task.task_id: task for task in run.tasks})
    report = build_report(replace(run, tasks=tasks, levels=levels), catalogue)
    width = {}
    for name, details in {"one": {first: one}, "both": {first: one, second: other}}.items():
        found = level_intervals(report, report, details, {}, catalogue)["paper", "2"]
        width[name] = found["high"] - found["low"]
    assert width["both"] / width["one"] == pytest.approx(np.sqrt(2), rel=0.1)


def test_no_intervals_without_replicates_or_with_other_levels(module: Any, result: RunResult, catalogue: Catalogue, chosen: list[str]) -> None:
    report, details = made(module, result, catalogue, chosen, 1)
    assert level_intervals(report, report, {}, {}, catalogue) == {}
    levels = report["levels"]["paper"]
    other = {**report, "levels": {"paper": {**levels, "levels": {**levels["levels"], "2": levels["levels"]["2"] + 1}}}}
    assert level_intervals(other, report, details, details, catalogue) == {}
    custom = {**report, "levels": {"paper": {**levels, "sota": "my.csv"}}}
    assert level_intervals(custom, report, details, details, catalogue) == {}


@pytest.mark.usefixtures("few")
def test_the_comparison_says_how_many_tasks_are_held_fixed(module: Any, result: RunResult, catalogue: Catalogue, chosen: list[str]) -> None:
    report, details = made(module, result, catalogue, chosen, 1)
    found = compare(report, report, details, details, catalogue)
    fixed = report["coverage"]["scored"] - len(chosen)
    assert any(line.startswith(f"{fixed} scored task(s) have no bootstrap replicates") for line in found.warnings)
    assert all(row["difference_interval"] is not None for row in found.levels)
    assert all(row["difference_interval"] is None for row in compare(report, report).levels)
