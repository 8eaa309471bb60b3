"""Intervals of the differences of two runs' levels: the levels are computed again for every bootstrap replicate of the tasks.

Tasks are resampled independently of each other, and a task in the same way in both runs. A task without replicates is held fixed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import UNSUPPORTED, LevelCalculator, LevelTask, Policy, Result
from genlevel_orchestrator.report.numbers import from_json
from genlevel_orchestrator.report.significance import LEVEL, interval
from genlevel_orchestrator.runs.details import SampleDetails

REPLICATES = 500
"""Sets of levels a run and policy; about 1.5 ms each."""
_NUMBERS = ("2", "3", "4", "5")
_TOLERANCE = 1e-6

Samples = Mapping[str, SampleDetails]
Scores = Sequence[float]


def level_intervals(
    first: dict[str, Any], second: dict[str, Any], one: Samples, other: Samples, catalogue: Catalogue
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the interval of second minus first by policy and level.

    Nothing for a policy whose levels in a report are not those that this catalogue gives.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    if not any(details.replicates for side in (one, other) for details in side.values()):
        return found
    for policy in get_args(Policy):
        if policy not in first["levels"] or policy not in second["levels"]:
            continue
        mine, yours = _replicated(first, one, catalogue, policy), _replicated(second, other, catalogue, policy)
        if mine is None or yours is None:
            continue
        for place, number in enumerate(_NUMBERS):
            low, high = interval([b[place] - a[place] for a, b in zip(mine, yours, strict=True)])
            found[policy, number] = {"low": low, "high": high, "level": LEVEL, "method": f"paired_bootstrap_{REPLICATES}"}
    return found


def resampled(report: dict[str, Any], samples: Samples) -> set[str]:
    """The scored tasks whose replicates can be used."""
    return {task["task_id"] for task in report["tasks"] if task["status"] == "scored" and _replicates(task, samples)}


def _replicates(task: dict[str, Any], samples: Samples) -> tuple[float, ...]:
    details = samples.get(task["task_id"])
    fits = details is not None and task["signature"] is not None and details.signature == task["signature"]["digest"]
    return details.replicates if details is not None and fits else ()


def _replicated(report: dict[str, Any], samples: Samples, catalogue: Catalogue, policy: Policy) -> list[Scores] | None:
    try:
        tasks = level_tasks(catalogue, report["levels"][policy]["sota"])
    except UserError:
        return None  # a SoTA table of the caller's own
    calculator = LevelCalculator(tasks, policy)
    results = {task["task_id"]: _result(task, catalogue) for task in report["tasks"] if task["task_id"] in catalogue.tasks}
    for fault in calculator.faults(results):
        results[fault.task_id] = Result(None, "failed")
    own = _levels(calculator, results)
    told = [report["levels"][policy]["levels"][number] for number in _NUMBERS]
    if any(abs(score - known) > _TOLERANCE for score, known in zip(own, told, strict=True)):
        return None
    limits = {task.task_id: task for task in tasks}
    drawn = {
        task["task_id"]: _order(task["task_id"], _replicates(task, samples))
        for task in report["tasks"]
        if results.get(task["task_id"], UNSUPPORTED).value is not None and _replicates(task, samples)
    }
    if not drawn:
        return [own] * REPLICATES
    return [
        _levels(calculator, results | {task_id: _drawn(results[task_id], values[index], limits[task_id]) for task_id, values in drawn.items()})
        for index in range(REPLICATES)
    ]


def _order(task_id: str, replicates: Scores) -> list[float]:
    """Replicates in an order of the task's own.

    The weight of a sample depends on its id, and tasks number their samples alike: in the order given they would rise and fall together.
    """
    places = list(range(len(replicates)))
    random.Random(task_id).shuffle(places)
    return [replicates[places[index % len(places)]] for index in range(REPLICATES)]


def _drawn(result: Result, value: float, task: LevelTask) -> Result:
    if not math.isfinite(value):
        return result
    # Rounding may carry a replicate over the bound of its metric.
    low, high = -math.inf if task.lower is None else task.lower, math.inf if task.upper is None else task.upper
    return result._replace(value=min(max(value, low), high))


def _levels(calculator: LevelCalculator, results: Mapping[str, Result]) -> Scores:
    levels = calculator.levels(results)
    return levels.level_2, levels.level_3, levels.level_4, levels.level_5


def _result(task: dict[str, Any], catalogue: Catalogue) -> Result:
    if task["status"] == "failed":
        return Result(None, "failed")
    if task["status"] != "scored" or task["value"] is None:
        return UNSUPPORTED
    coverage = 1.0
    if not task["missing_scored_as_worst"] and task["expected"]:
        coverage = min(1.0, task["present"] / task["expected"])
    comparable = bool(task["comparable"]) and catalogue.tasks[task["task_id"]].win_decidable
    return Result(from_json(task["value"]), "scored", coverage, comparable)
