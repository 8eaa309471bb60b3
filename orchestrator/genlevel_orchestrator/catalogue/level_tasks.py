"""The bridge from the catalogue to the level arithmetic: tasks with their SoTA, chosen by name or file."""

from __future__ import annotations

from collections.abc import Mapping

from genlevel_orchestrator.catalogue.catalogue import Catalogue
from genlevel_orchestrator.catalogue.model import Task
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import LevelTask


def level_tasks(
    catalogue: Catalogue, sota: str = "workbook", overrides: Mapping[str, float] | None = None
) -> list[LevelTask]:
    """Return all tasks as the levels see them.

    Args:
        catalogue: The catalogue.
        sota: ``workbook`` (the public scorer's cells) or ``paper`` (the paper's values where they differ).
        overrides: SoTA by task id, in the metric's unit; they go before both.

    Raises:
        UserError: When ``sota`` is neither of the two words.
    """
    if sota not in ("workbook", "paper"):
        raise UserError(f"unknown SoTA table {sota!r}", "Write workbook, paper or the path of a file.")
    replaced = overrides or {}
    return [
        _level_task(catalogue, task, sota, replaced.get(task.task_id)) for task in catalogue.tasks.values()
    ]


def _level_task(catalogue: Catalogue, task: Task, sota: str, override: float | None) -> LevelTask:
    metric = catalogue.metric_of(task)
    raw, cell = task.sota_raw, task.sota_workbook
    if sota == "paper" and task.sota_paper is not None:
        raw = cell = task.sota_paper
    if override is not None:
        raw = cell = override
    return LevelTask(
        task_id=task.task_id,
        modality=task.modality,
        paradigm=task.paradigm,
        label=task.metric_label,
        higher_is_better=metric.higher_is_better,
        mapping=metric.mapping,
        scale=metric.mapping_scale or 0.0,
        lower=metric.lower,
        upper=metric.upper,
        sota=raw,
        sota_cell=cell,
        scaled_by_coverage=metric.missing == "coverage",
    )
