"""``genlevel catalogue``: print tasks, metrics, or everything about one of them."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from genlevel_orchestrator.catalogue import (
    Catalogue,
    InstalledMetrics,
    Metric,
    Task,
    describe_implementation,
    installed_metrics,
)
from genlevel_orchestrator.catalogue.examples import abridged, example
from genlevel_orchestrator.catalogue.names import MODALITIES, modality_name, nearest, paradigm_name
from genlevel_orchestrator.cli.output import print_json, print_notes, print_table
from genlevel_orchestrator.errors import UserError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the group ``catalogue``."""
    group = typer.Typer(help="Print the tasks and metrics of General-Bench.", no_args_is_help=True)
    group.command("tasks")(tasks)
    group.command("metrics")(metrics)
    group.command("show")(show)
    app.add_typer(group, name="catalogue")


def tasks(
    modality: Annotated[str | None, typer.Option(help="image, video, audio, 3d or language.")] = None,
    paradigm: Annotated[str | None, typer.Option(help="comprehension or generation.")] = None,
    metric: Annotated[str | None, typer.Option(help="A metric id.")] = None,
    scorable: Annotated[
        bool, typer.Option("--scorable", help="Only tasks the installed evaluators score.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List tasks."""
    catalogue, installed = Catalogue.load(), installed_metrics()
    chosen = _filter(catalogue, modality, paradigm, metric)
    if scorable:
        chosen = [task for task in chosen if catalogue.scorable(task, installed.pairs)]
    if as_json:
        print_json([task_document(catalogue, task, installed) for task in chosen])
        return
    columns = ("task", "metric", "evaluator", "SoTA", "unit", "scorable", "flag")
    print_table(columns, [_task_row(catalogue, task, installed) for task in chosen], f"{len(chosen)} tasks")
    _note_broken(installed)


def _filter(
    catalogue: Catalogue, modality: str | None, paradigm: str | None, metric: str | None
) -> list[Task]:
    chosen = list(catalogue.tasks.values())
    if modality is not None:
        name = modality_name(modality)
        if name is None:
            raise UserError(f"unknown modality {modality!r}", f"Write one of {', '.join(MODALITIES)}.")
        chosen = [task for task in chosen if task.modality == name]
    if paradigm is not None:
        # "image" stands for any modality that has the two paradigms.
        word = "language" if paradigm.casefold() in ("language", "nlp") else paradigm_name(paradigm, "image")
        if word is None:
            raise UserError(f"unknown paradigm {paradigm!r}", "Write comprehension or generation.")
        chosen = [task for task in chosen if task.paradigm == word]
    if metric is not None:
        metric_id = catalogue.metric(metric).metric_id
        chosen = [task for task in chosen if task.metric_id == metric_id]
    return chosen


def _task_row(catalogue: Catalogue, task: Task, installed: InstalledMetrics) -> tuple[Any, ...]:
    unit = catalogue.metric_of(task).unit
    scorable = catalogue.scorable(task, installed.pairs)
    return task.task_id, task.metric_id, task.evaluator, task.sota_raw, unit, scorable, task.flag or ""


def metrics(as_json: Json = False) -> None:
    """List metrics."""
    catalogue, installed = Catalogue.load(), installed_metrics()
    if as_json:
        print_json([metric_document(catalogue, metric, installed) for metric in catalogue.metrics.values()])
        return
    counts = _task_counts(catalogue)
    rows = []
    for metric in catalogue.metrics.values():
        mapping = (
            metric.mapping if metric.mapping_scale is None else f"{metric.mapping}({metric.mapping_scale:g})"
        )
        homes = " ".join(metric.evaluators)
        ready = " ".join(e for e in metric.evaluators if (e, metric.metric_id) in installed.pairs)
        numbers = ",".join(map(str, metric.paper_numbers))
        count = counts.get(metric.metric_id, 0)
        rows.append(
            (metric.metric_id, homes, ready or "-", metric.direction, metric.unit, mapping, numbers, count)
        )
    columns = ("metric", "evaluators", "installed", "better", "unit", "mapping", "paper no.", "tasks")
    print_table(columns, rows, f"{len(rows)} metrics")
    _note_broken(installed)


def _task_counts(catalogue: Catalogue) -> dict[str, int]:
    counts: dict[str, int] = {}
    for task in catalogue.tasks.values():
        counts[task.metric_id] = counts.get(task.metric_id, 0) + 1
    return counts


def show(
    name: Annotated[str, typer.Argument(help="A task id or name, or a metric id or label.")],
    as_json: Json = False,
) -> None:
    """Show everything about one task or metric."""
    catalogue, installed = Catalogue.load(), installed_metrics()
    document = _find(catalogue, name, installed)
    if as_json:
        print_json(document)
        return
    rows = [
        (key, json.dumps(abridged(v), ensure_ascii=False) if isinstance(v, dict | list | tuple) else v)
        for key, v in document.items()
    ]
    print_table(("field", "value"), rows)
    _note_broken(installed)


def _find(catalogue: Catalogue, name: str, installed: InstalledMetrics) -> dict[str, Any]:
    try:
        metric = catalogue.metric(name)
        document = metric_document(catalogue, metric, installed)
        implementations = {e: describe_implementation(e, metric.metric_id) for e in document["installed_in"]}
        examples = {evaluator: example(evaluator, metric.metric_id) for evaluator in metric.evaluators}
        return {
            **document,
            "implementations": {e: i for e, i in implementations.items() if i is not None},
            "examples": {e: found for e, found in examples.items() if found is not None},
        }
    except UserError as metric_error:
        if name in catalogue.labels:
            raise
        try:
            return task_document(catalogue, catalogue.task(name), installed)
        except UserError as task_error:
            if "occurs" in task_error.message:
                raise
            suggestions = nearest(name, [*catalogue.metrics, *catalogue.task_names()])
            remedy = f"Did you mean {', '.join(suggestions)}?" if suggestions else metric_error.remedy
            details = {"name": name, "suggestions": suggestions}
            raise UserError(f"unknown task or metric {name!r}", remedy, details=details) from None


def task_document(catalogue: Catalogue, task: Task, installed: InstalledMetrics) -> dict[str, Any]:
    """Return everything about a task."""
    metric = catalogue.metric_of(task)
    return {
        "kind": "task",
        **dataclasses.asdict(task),
        "skill": catalogue.skills[task.skill_id].name,
        "direction": metric.direction,
        "unit": metric.unit,
        "sota_unit": metric.sota_unit,
        "mapping": metric.mapping,
        "mapping_scale": metric.mapping_scale,
        "win_decidable": task.win_decidable,
        "scorable": catalogue.scorable(task, installed.pairs),
    }


def metric_document(catalogue: Catalogue, metric: Metric, installed: InstalledMetrics) -> dict[str, Any]:
    """Return everything about a metric."""
    tasks_of = [task for task in catalogue.tasks.values() if task.metric_id == metric.metric_id]
    return {
        "kind": "metric",
        **dataclasses.asdict(metric),
        "paper_names": [catalogue.paper_metrics[number].name for number in metric.paper_numbers],
        "labels": [label for label, ids in catalogue.labels.items() if metric.metric_id in ids],
        "installed_in": [e for e in metric.evaluators if (e, metric.metric_id) in installed.pairs],
        "tasks": [task.task_id for task in tasks_of],
    }


def _note_broken(installed: InstalledMetrics) -> None:
    print_notes(f"evaluator {name} cannot be loaded: {problem}" for name, problem in installed.broken)
