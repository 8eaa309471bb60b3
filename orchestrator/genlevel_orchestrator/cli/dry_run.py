"""``genlevel run --dry-run``: the plan, without starting anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genlevel_orchestrator.bundle.samples import FileFault, TaskSamples
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.cli.output import print_json, print_lines, print_table
from genlevel_orchestrator.runs.installed import installed_facts
from genlevel_orchestrator.runs.plan import cut, plan_task
from genlevel_orchestrator.runs.service import OpenedBundle, open_sources, temporary_work


def show_plan(bundle: Path, references: Path | None, tasks: tuple[str, ...], as_json: bool) -> None:
    """Print what a run of the bundle would do."""
    with temporary_work() as work:
        opened = open_sources(Catalogue.load(), bundle, references, tasks, Path(work))
        rows = _plan(opened)
    if as_json:
        print_json({"tasks": rows, "violations": len(opened.violations)})
        return
    columns = ("task", "evaluator", "metric", "samples", "missing", "shards", "remark")
    print_table(columns, ([row[name] for name in columns] for row in rows))
    shards = sum(row["shards"] for row in rows)
    print_lines([f"{len(rows)} tasks, {shards} shards; {len(opened.violations)} violations"])


def _plan(opened: OpenedBundle) -> list[dict[str, Any]]:
    facts = installed_facts(source.task for source in opened.sources)
    rows = []
    for source in opened.sources:
        row: dict[str, Any] = {
            "task": source.task.task_id, "evaluator": source.task.evaluator, "metric": source.task.metric_id,
            "samples": 0, "missing": 0, "shards": 0, "parameters": {}, "remark": "",
        }  # fmt: skip
        rows.append(row)
        try:
            samples = TaskSamples(source).load(opened.violations)
        except FileFault as error:
            row["remark"] = f"{error.side}: {error.fault.message}"
            continue
        plan = plan_task(source.task, facts, samples.envelope)
        row.update(samples=len(samples.keys), missing=samples.missing, parameters=dict(plan.parameters))
        if plan.facts is None:
            row["remark"] = "not scorable: no installed evaluator has the metric"
        else:
            row["shards"] = len(cut(samples.sizes(), plan.facts.form.kind))
    return rows
