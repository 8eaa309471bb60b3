"""From values to scores and levels: the catalogue's SoTA, the level arithmetic, and what the numbers may be called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.levels import LevelCalculator, Levels, Policy, Result
from genlevel_orchestrator.levels import ModalityLevels as Arithmetic
from genlevel_orchestrator.runs.results import LevelSet, ModalityLevels, TaskOutcome, TaskStatus


def assess(
    catalogue: Catalogue, outcomes: Mapping[str, TaskOutcome], sota: str = "workbook", policies: Sequence[Policy] = ("paper", "upstream")
) -> tuple[tuple[TaskOutcome, ...], dict[str, LevelSet]]:
    """Outcomes of all tasks of the catalogue with score and win (policy ``paper``), and the levels by policy.

    A value that no policy may score (a percentage over 100, a negative error) makes its task failed instead of stopping the run.
    """
    everything = {task_id: outcomes.get(task_id) or _not_submitted(catalogue, task_id) for task_id in catalogue.tasks}
    calculators = {policy: LevelCalculator(level_tasks(catalogue, sota), policy) for policy in policies}
    everything = _without_impossible(everything, catalogue, calculators["paper"])
    levels: dict[str, LevelSet] = {}
    for policy, calculator in calculators.items():
        results = {task_id: _result(outcome, catalogue) for task_id, outcome in everything.items()}
        for fault in calculator.faults(results):
            results[fault.task_id] = Result(None, "failed")
        computed = calculator.levels(results)
        levels[policy] = _level_set(computed, everything.values(), sota)
        if policy == "paper":
            scored = {
                item.task_id: replace(
                    everything[item.task_id], normalised=item.score, win=item.won, sota_raw=item.sota, sota_normalised=item.sota_score
                )
                for item in computed.outcomes
            }
    return tuple(scored[task_id] for task_id in catalogue.tasks), levels


def _not_submitted(catalogue: Catalogue, task_id: str) -> TaskOutcome:
    task = catalogue.tasks[task_id]
    return TaskOutcome(task_id, TaskStatus.NOT_SUBMITTED, task.evaluator, task.metric_id, reason="not in the bundle")


def _without_impossible(
    outcomes: dict[str, TaskOutcome], catalogue: Catalogue, calculator: LevelCalculator
) -> dict[str, TaskOutcome]:
    results = {task_id: _result(outcome, catalogue) for task_id, outcome in outcomes.items()}
    mended = dict(outcomes)
    for fault in calculator.faults(results):
        failed = replace(outcomes[fault.task_id], status=TaskStatus.FAILED, reason=fault.problem, provisional=True)
        mended[fault.task_id] = failed
    return mended


def _result(outcome: TaskOutcome, catalogue: Catalogue) -> Result:
    if outcome.status is TaskStatus.FAILED:
        return Result(None, "failed")
    if outcome.status is not TaskStatus.SCORED or outcome.value is None or outcome.value.value is None:
        return Result(None, "unsupported")
    value = outcome.value
    coverage = 1.0
    if not value.missing_scored_as_worst and value.expected:
        coverage = min(1.0, value.present / value.expected)
    comparable = value.comparable and catalogue.tasks[outcome.task_id].win_decidable
    return Result(value.value, "scored", coverage, comparable)


def _level_set(levels: Levels, outcomes: Iterable[TaskOutcome], sota: str) -> LevelSet:
    provisional = any(outcome.provisional for outcome in outcomes)
    return LevelSet(
        policy=levels.policy,
        sota=sota,
        level_2=levels.level_2,
        level_3=levels.level_3,
        level_4=levels.level_4,
        level_5=levels.level_5,
        status="provisional" if provisional else levels.status,
        modalities={name: _modality(item) for name, item in levels.modalities.items()},
        language_average=100.0 * levels.language_weight,
    )


def _modality(item: Arithmetic) -> ModalityLevels:
    groups = (item.comprehension, item.generation)
    return ModalityLevels(
        item.level_2, item.level_3, item.level_4,
        scored=sum(group.supported for group in groups), wins=sum(group.wins for group in groups),
        tasks=sum(group.tasks for group in groups),
    )  # fmt: skip
