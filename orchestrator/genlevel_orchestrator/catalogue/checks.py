"""Checks across rows and files: references, ranges, mappings and aliases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from genlevel_orchestrator.catalogue.model import Metric, PaperMetric, Skill, Task
from genlevel_orchestrator.catalogue.names import name_key, nearest
from genlevel_orchestrator.catalogue.tables import Row

TaskRows = Sequence[tuple[Row, Task]]
LabelRows = Sequence[tuple[Row, tuple[str, str]]]

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# These mappings have no meaning without the threshold T of the paper's formula.
_SCALED = ("saturating", "tanh")


def check_references(
    tasks: TaskRows,
    metrics: Sequence[tuple[Row, Metric]],
    labels: LabelRows,
    papers: Sequence[tuple[Row, PaperMetric]],
    skill_index: Mapping[str, Skill],
    metric_index: Mapping[str, Metric],
) -> None:
    """Note every reference that leads nowhere and every value that contradicts another."""
    pairs = {pair for _, pair in labels}
    paper_numbers = {paper.number for _, paper in papers}
    for row, metric in metrics:
        _check_metric(row, metric, paper_numbers)
    for row, (_, metric_id) in labels:
        _check_metric_id(row, metric_id, metric_index)
    for row, paper in papers:
        _check_paper(row, paper, metric_index)
    for row, task in tasks:
        _check_identity(row, task)
        _check_skill(row, task, skill_index)
        if _check_metric_id(row, task.metric_id, metric_index):
            _check_task_metric(row, task, metric_index[task.metric_id])
        if pairs and (task.metric_label, task.metric_id) not in pairs:
            problem = f"label {task.metric_label!r} does not stand for {task.metric_id!r}"
            row.fault("metric_label", problem, "add the pair to labels.csv or correct the row")
    _check_aliases(tasks)


def _check_metric(row: Row, metric: Metric, paper_numbers: set[int]) -> None:
    for number in metric.paper_numbers:
        if number not in paper_numbers:
            row.fault("paper_numbers", f"{number} is not in paper_metrics.csv", "correct the number")
    if metric.mapping in _SCALED and not (metric.mapping_scale or 0.0) > 0.0:
        row.fault("mapping_scale", f"mapping {metric.mapping} needs a positive scale", "write the paper's T")
    if metric.lower is not None and metric.upper is not None and metric.lower >= metric.upper:
        row.fault("lower", "the lower bound is not below the upper one", "exchange or correct them")
    if metric.mapping == "saturating" and (metric.direction != "lower" or metric.lower != 0.0):
        row.fault(
            "mapping", "saturating maps errors, which are at least 0 and better when lower", "correct the row"
        )


def _check_metric_id(
    row: Row, metric_id: str, metric_index: Mapping[str, Metric], column: str = "metric_id"
) -> bool:
    if metric_id in metric_index:
        return True
    names = ", ".join(nearest(metric_id, metric_index)) or "an id of metrics.csv"
    row.fault(column, f"{metric_id!r} is not in metrics.csv", f"did you mean {names}")
    return False


def _check_paper(row: Row, paper: PaperMetric, metric_index: Mapping[str, Metric]) -> None:
    if not paper.metric_ids:
        row.fault("metric_ids", "no canonical metric is named", "name at least one id of metrics.csv")
    for metric_id in paper.metric_ids:
        if not _check_metric_id(row, metric_id, metric_index, "metric_ids"):
            continue
        metric = metric_index[metric_id]
        ours = (metric.direction, metric.mapping, metric.mapping_scale)
        theirs = (paper.direction, paper.mapping, paper.mapping_scale)
        if ours != theirs:
            row.fault("mapping", f"{metric_id} has {ours}, this row {theirs}", "make the two tables agree")
        if paper.number not in metric.paper_numbers:
            row.fault(
                "metric_ids", f"{metric_id} does not name number {paper.number}", "make the two tables agree"
            )


def _check_identity(row: Row, task: Task) -> None:
    if (task.modality == "language") != (task.paradigm == "language"):
        row.fault(
            "paradigm", f"{task.paradigm!r} does not fit {task.modality!r}", "language has no other paradigm"
        )
    prefix = f"{task.group}."
    slug = task.task_id.removeprefix(prefix)
    if not task.task_id.startswith(prefix) or not _SLUG.fullmatch(slug):
        row.fault("task_id", f"{task.task_id!r} is not of the form {prefix}words-with-hyphens", "rename it")


def _check_skill(row: Row, task: Task, skill_index: Mapping[str, Skill]) -> None:
    skill = skill_index.get(task.skill_id)
    if skill is None:
        row.fault("skill_id", f"{task.skill_id!r} is not in skills.csv", "add the skill or correct the id")
    elif (skill.modality, skill.paradigm) != (task.modality, task.paradigm):
        problem = f"skill {skill.skill_id} belongs to {skill.modality} {skill.paradigm}"
        row.fault("skill_id", problem, "choose a skill of the task's own modality and paradigm")


def _check_task_metric(row: Row, task: Task, metric: Metric) -> None:
    if task.evaluator not in metric.evaluators:
        allowed = " or ".join(metric.evaluators)
        row.fault("evaluator", f"{task.metric_id} belongs to {allowed}", "correct the evaluator")
    for column, value in (("sota_raw", task.sota_raw), ("sota_paper", task.sota_paper)):
        if value is None:
            continue
        below = metric.lower is not None and value < metric.lower
        above = metric.upper is not None and value > metric.upper
        if below or above:
            problem = f"{value} lies outside {metric.lower}..{metric.upper} ({metric.unit})"
            row.fault(column, problem, "write the value in the metric's unit")
    if metric.unit == metric.sota_unit and task.sota_raw != task.sota_workbook:
        row.fault("sota_raw", "differs from sota_workbook though the units are the same", "make them equal")


def _check_aliases(tasks: TaskRows) -> None:
    names = {(task.group, name_key(task.name)): task.task_id for _, task in tasks}
    owners: dict[tuple[str, str], str] = {}
    for row, task in tasks:
        for column, alias in [("folder", task.folder), *(("aliases", alias) for alias in task.aliases)]:
            if alias is None:
                continue
            key = (task.group, name_key(alias))
            owner = names.get(key, task.task_id)
            owner = owners.setdefault(key, owner) if owner == task.task_id else owner
            if owner != task.task_id:
                row.fault(column, f"{alias!r} means {owner} already", "choose another name")
