"""Where the two policies part, task by task, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from genlevel_orchestrator.levels.compute import LevelCalculator
from genlevel_orchestrator.levels.model import (
    UNSUPPORTED,
    Levels,
    LevelsError,
    LevelTask,
    Outcome,
    Result,
)

_TOLERANCE = 1e-9
# Labels longer than the public scorer's keys for the same metrics.
_UNRECOGNISED = ("CD (Chamfer Distance)", "RTE ( Relative Translation Error)")


class Difference(NamedTuple):
    """One task on which the policies part; outcomes are None where a policy refuses the value."""

    task_id: str
    label: str
    paper: Outcome | None
    upstream: Outcome | None
    reasons: tuple[str, ...]


class Drift(NamedTuple):
    """Both policies side by side. Levels are None where a policy refuses some value."""

    paper: Levels | None
    upstream: Levels | None
    differences: tuple[Difference, ...]


def drift(tasks: Sequence[LevelTask], results: Mapping[str, Result]) -> Drift:
    """Compare the policies on one set of results."""
    paper = LevelCalculator(tasks, "paper")
    upstream = LevelCalculator(tasks, "upstream")
    paper_outcomes, paper_faults = _outcomes(paper, results)
    upstream_outcomes, upstream_faults = _outcomes(upstream, results)
    differences = []
    for task in tasks:
        result = results.get(task.task_id, UNSUPPORTED)
        ours, theirs = paper_outcomes.get(task.task_id), upstream_outcomes.get(task.task_id)
        refusals = [
            f"{policy} refuses the value: {faults[task.task_id]}"
            for policy, faults in (("paper", paper_faults), ("upstream", upstream_faults))
            if task.task_id in faults
        ]
        if refusals or (ours is not None and theirs is not None and _part(ours, theirs)):
            reasons = tuple(refusals or _reasons(task, result, ours, theirs))
            differences.append(Difference(task.task_id, task.label, ours, theirs, reasons))
    return Drift(_levels(paper, results), _levels(upstream, results), tuple(differences))


def _levels(calculator: LevelCalculator, results: Mapping[str, Result]) -> Levels | None:
    try:
        return calculator.levels(results)
    except LevelsError:
        return None


def _outcomes(
    calculator: LevelCalculator, results: Mapping[str, Result]
) -> tuple[dict[str, Outcome], dict[str, str]]:
    faults = {fault.task_id: fault.problem for fault in calculator.faults(results)}
    sound = {task_id: result for task_id, result in results.items() if task_id not in faults}
    outcomes = {outcome.task_id: outcome for outcome in calculator.outcomes(sound)}
    return {task_id: o for task_id, o in outcomes.items() if task_id not in faults}, faults


def _part(ours: Outcome, theirs: Outcome) -> bool:
    same_score = math.isclose(ours.score or 0.0, theirs.score or 0.0, rel_tol=0.0, abs_tol=_TOLERANCE)
    # A win of 0 changes no level, so it is no drift.
    wins_differ = ours.won != theirs.won and bool(ours.score or theirs.score)
    return not same_score or wins_differ


def _reasons(task: LevelTask, result: Result, ours: Outcome | None, theirs: Outcome | None) -> list[str]:
    label, value = task.label.upper(), result.value
    reasons = []
    if label == "WER":
        reasons.append("upstream reads the word error rate, which is in percent, as a fraction")
    if task.label in _UNRECOGNISED:
        reasons.append("upstream does not recognise the label: the error stays raw and more counts as better")
    if label == "EPE":
        reasons.append("upstream reads the normalised SoTA cell as pixels")
    if task.modality == "language" and label == "RMSE":
        reasons.append("upstream maps the model's RMSE but not the SoTA")
    if value == 0.0 and task.mapping != "identity":
        reasons.append("upstream turns a raw value of 0 into score 0")
    if not result.comparable:
        reasons.append("the value is not comparable, which upstream does not know")
    if task.scaled_by_coverage and result.coverage < 1.0:
        reasons.append("predictions are missing, which upstream does not know")
    if theirs is not None and theirs.score is not None and not 0.0 <= theirs.score <= 100.0:
        reasons.append("upstream does not clip scores to 0..100")
    if not reasons and ours is not None and theirs is not None and ours.won != theirs.won:
        reasons.append("the mapping saturates: after it the two values tie, before it they do not")
    return reasons or ["the policies map the value differently"]
