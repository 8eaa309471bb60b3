"""From outcomes to levels: coverage, stand-ins, failures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs.assess import assess
from genlevel_orchestrator.runs.results import (
    RunResult,
    RunState,
    SignatureRecord,
    TaskOutcome,
    TaskStatus,
    ValueRecord,
    from_plain,
    to_plain,
)

CATALOGUE = Catalogue.load()
SIGNATURE = SignatureRecord("x", "y", "m", 1, {"a": 1})


def _outcome(task_id: str, value: float, **changes: object) -> TaskOutcome:
    task = CATALOGUE.tasks[task_id]
    record = replace(ValueRecord(value, "", "u", SIGNATURE, 10, 10, 0, False), **changes)  # type: ignore[arg-type]
    return TaskOutcome(task_id, TaskStatus.SCORED, task.evaluator, task.metric_id, record)


def _first(metric: str, modality: str = "") -> str:
    return next(t.task_id for t in CATALOGUE.tasks.values() if t.metric_id == metric and modality in t.modality and t.win_decidable)


def _assessed(outcome: TaskOutcome) -> TaskOutcome:
    tasks, _ = assess(CATALOGUE, {outcome.task_id: outcome})
    return next(task for task in tasks if task.task_id == outcome.task_id)


def test_a_perfect_error_wins_and_scores_100() -> None:
    found = _assessed(_outcome(_first("fvd"), 0.0))
    assert (found.normalised, found.win) == (100.0, True)


def test_a_stand_in_backbone_never_wins() -> None:
    found = _assessed(_outcome(_first("fvd"), 0.0, comparable=False))
    assert (found.normalised, found.win) == (100.0, False)
    _, levels = assess(CATALOGUE, {found.task_id: _outcome(_first("fvd"), 0.0, comparable=False)})
    assert levels["paper"].status == "not_comparable"


def test_missing_predictions_of_unbounded_errors_lower_the_score_and_forbid_the_win() -> None:
    found = _assessed(_outcome(_first("fvd"), 0.0, present=5))
    assert (found.normalised, found.win) == (50.0, False)


def test_an_infinite_psnr_is_100() -> None:
    found = _assessed(_outcome(_first("psnr"), float("inf")))
    assert (found.normalised, found.win) == (100.0, True)


@pytest.mark.parametrize(("metric", "value"), [("fvd", -1.0), ("miou", 140.0), ("fvd", float("inf"))])
def test_impossible_values_fail_their_task(metric: str, value: float) -> None:
    found = _assessed(_outcome(_first(metric), value))
    assert (found.status, found.normalised, found.win, found.provisional) == (TaskStatus.FAILED, None, False, True)
    assert found.reason


def test_a_failure_makes_the_levels_provisional_and_is_no_zero() -> None:
    task = CATALOGUE.tasks[_first("miou")]
    failed = TaskOutcome(task.task_id, TaskStatus.FAILED, task.evaluator, task.metric_id, reason="EVALUATOR_ABSENT")
    tasks, levels = assess(CATALOGUE, {task.task_id: failed})
    assert levels["paper"].status == "provisional"
    assert next(item for item in tasks if item.task_id == task.task_id).normalised is None
    assert len(tasks) == len(CATALOGUE.tasks)


def test_results_survive_json() -> None:
    tasks, levels = assess(CATALOGUE, {_first("psnr"): _outcome(_first("psnr"), float("inf"))})
    result = RunResult("r", "m", RunState.SUCCEEDED, "/b", None, "a", "b", tasks, levels)
    import json

    assert from_plain(RunResult, json.loads(json.dumps(to_plain(result), allow_nan=False))) == result
