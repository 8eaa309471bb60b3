"""Comparing runs: differences with intervals, and refusal where signatures part."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.report import build_report, compare
from genlevel_orchestrator.runs.results import RunResult


@pytest.fixture(scope="module")
def first(result: RunResult, catalogue: Catalogue) -> dict[str, Any]:
    return build_report(result, catalogue)


def made(synthetic: Any, catalogue: Catalogue, **options: Any) -> dict[str, Any]:
    return build_report(synthetic.run_result(catalogue, name="run-b", **options), catalogue)


def rows(comparison: Any) -> dict[str, dict[str, Any]]:
    return {row["task_id"]: row for row in comparison.tasks}


def test_a_run_equals_itself(first: dict[str, Any]) -> None:
    comparison = compare(first, first)
    assert comparison.counts["equal"] == first["coverage"]["scored"]
    assert all(row["difference"] == 0.0 for row in comparison.levels)
    assert all(row["difference"] == 0.0 for row in comparison.tasks), "also where both are infinite"


def test_better_and_worse_follow_the_direction(first: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    values = synthetic.raw_values(catalogue, 0.95)
    up = next(t for t in values if catalogue.metric_of(catalogue.tasks[t]).higher_is_better and 20 < values[t] < 40)
    down = next(t for t in values if not catalogue.metric_of(catalogue.tasks[t]).higher_is_better)
    second = made(synthetic, catalogue, overrides={up: values[up] * 2, down: values[down] * 2})
    found = rows(compare(first, second))
    assert found[up]["verdict"] == "better"
    assert found[up]["difference"] == pytest.approx(values[up])
    assert found[down]["verdict"] == "worse"
    back = rows(compare(second, first))
    assert (back[up]["verdict"], back[down]["verdict"]) == ("worse", "better")


def test_interval_of_a_difference_by_hand(first: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    values = synthetic.raw_values(catalogue, 0.95)
    task_id = next(t for t in values if 20 < values[t] < 40 and catalogue.metric_of(catalogue.tasks[t]).unit == "percent")
    row = rows(compare(first, made(synthetic, catalogue, overrides={task_id: values[task_id] * 1.5})))[task_id]
    one, other = values[task_id], values[task_id] * 1.5
    half = math.hypot(0.05 * one, 0.05 * other)
    assert row["difference_interval"]["low"] == pytest.approx(other - one - half)
    assert row["difference_interval"]["high"] == pytest.approx(other - one + half)


def test_small_differences_are_undecided(first: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    values = synthetic.raw_values(catalogue, 0.95)
    task_id = next(t for t in values if 20 < values[t] < 40)
    row = rows(compare(first, made(synthetic, catalogue, overrides={task_id: values[task_id] * 1.01})))[task_id]
    assert row["verdict"] == "undecided"


def test_values_of_other_signatures_are_refused(first: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    comparison = compare(first, made(synthetic, catalogue, version=2))
    assert comparison.counts["refused"] == first["coverage"]["scored"]
    assert {row["reason"] for row in comparison.tasks} == {"different versions of the metric: 1 and 2"}
    assert all(row["difference"] is None and row["difference_interval"] is None for row in comparison.tasks)
    assert any("made in different ways" in warning for warning in comparison.warnings)


def test_leaving_out_samples_is_not_better(first: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    values = synthetic.raw_values(catalogue, 0.95)
    down = next(t for t in values if not catalogue.metric_of(catalogue.tasks[t]).higher_is_better)
    one, other = copy.deepcopy(first), made(synthetic, catalogue, overrides={down: values[down] / 2})
    assert rows(compare(one, other))[down]["verdict"] == "better"
    for report, present in ((one, 40), (other, 30)):
        next(t for t in report["tasks"] if t["task_id"] == down).update(missing_scored_as_worst=False, expected=40, present=present)
    row = rows(compare(one, other))[down]
    assert (row["verdict"], row["first"]["present"], row["second"]["present"]) == ("undecided", 40, 30)
    assert "30 of 40 samples" in row["reason"]
    assert rows(compare(other, one))[down]["verdict"] == "undecided"
    next(t for t in one["tasks"] if t["task_id"] == down).update(present=20)
    assert rows(compare(one, other))[down]["verdict"] == "better", "it has the better value of more samples"


def test_tasks_of_one_run_only(first: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    extra = synthetic.special_cases(catalogue)["failed"]
    absent = next(t["task_id"] for t in first["tasks"] if t["status"] == "not_submitted")
    second = made(synthetic, catalogue, overrides={absent: 1.0})
    found = rows(compare(first, second))
    assert found[absent]["verdict"] == "only_second"
    assert rows(compare(second, first))[absent]["verdict"] == "only_first"
    assert extra not in found


def test_comparison_is_json(first: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    document = compare(first, made(synthetic, catalogue, share=1.1)).to_dict()
    assert json.loads(json.dumps(document, allow_nan=False))["schema"] == "genlevel.comparison"
