"""``genlevel runs ... --endpoint``: the runs of an orchestrator elsewhere."""

from __future__ import annotations

import json
import time
from typing import Any

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel_orchestrator.api.client import LONG_PATIENCE, OrchestratorClient
from genlevel_orchestrator.cli.output import print_json, print_lines, print_table
from genlevel_orchestrator.cli.remote import connected, event_record, follow, state_name
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.results import to_plain

COLUMNS = ("run", "model", "state", "created", "tasks", "shards", "reused", "message")


def run_name(client: OrchestratorClient, name: str) -> str:
    """The name itself, or that of the newest run for ``last``."""
    if name != "last":
        return name
    newest = next(client.list_runs(1), None)
    if newest is None:
        raise UserError("there is no run yet", "Make one with `genlevel run BUNDLE --model NAME --endpoint ...`.")
    return str(newest.name)


def list_runs(endpoint: str, limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    with connected(endpoint) as client:
        runs = [run for _, run in zip(range(limit), client.list_runs(min(limit, 500)), strict=False)]
    if as_json:
        print_json({"runs": [_plain(run) for run in runs]})
        return
    print_table(COLUMNS, map(_row, runs))


def show(endpoint: str, name: str, as_json: bool) -> None:
    """Show a run and the tasks of it that have a result."""
    with connected(endpoint) as client:
        run = client.get_run(run_name(client, name))
        tasks = [task for task in client.list_task_results(run.name, 1000) if task.status != "not_submitted"]
    if as_json:
        print_json({**_plain(run), "tasks": [_task(task) for task in tasks]})
        return
    print_table(COLUMNS, [_row(run)])
    rows = ((task.task_id, task.status, task.value.value if task.value.HasField("value") else None, task.reason) for task in tasks)
    print_table(("task", "status", "value", "remark"), rows)


def watch(endpoint: str, name: str, after: int, as_json: bool) -> None:
    """Follow the events of a run until it ends."""
    from genlevel_orchestrator.cli.progress import print_event

    with connected(endpoint) as client:
        client.patience = LONG_PATIENCE
        name = run_name(client, name)
        for event in client.watch_run(name, str(after) if after else ""):
            print_event(event_record(event), as_json)
        run = client.get_run(name)
    print_lines([] if as_json else [f"{name}: {state_name(run)}"])


def cancel(endpoint: str, name: str, as_json: bool) -> None:
    """Ask a run to stop."""
    with connected(endpoint) as client:
        run = client.cancel_run(run_name(client, name))
    if as_json:
        print(json.dumps(_plain(run)))
    else:
        print_lines([f"{run.name}: asked to stop"])


def resume(endpoint: str, name: str, as_json: bool) -> None:
    """Go on with a run, and follow it to its end."""
    with connected(endpoint) as client:
        run = client.resume_run(run_name(client, name))
        follow(client, run.name, None, as_json)


def _row(run: pb.Run) -> tuple[Any, ...]:
    created = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.create_time.seconds))
    tasks, shards = f"{run.tasks_done}/{run.tasks_total}", f"{run.shards_done}/{run.shards_total}"
    return run.name, run.model, state_name(run), created, tasks, shards, run.shards_reused, run.message


def _plain(run: pb.Run) -> dict[str, Any]:
    levels = {str(number): getattr(run.levels, f"level_{number}") for number in (2, 3, 4, 5)} if run.HasField("levels") else None
    ended = run.end_time.seconds + run.end_time.nanos / 1e9 if run.HasField("end_time") else None
    return {
        "run": run.name, "model": run.model, "state": state_name(run), "created": run.create_time.seconds + run.create_time.nanos / 1e9,
        "ended": ended, "tasks_total": run.tasks_total, "tasks_done": run.tasks_done, "shards_total": run.shards_total,
        "shards_done": run.shards_done, "shards_reused": run.shards_reused, "message": run.message, "levels": levels,
    }  # fmt: skip


def _task(task: pb.TaskResult) -> dict[str, Any]:
    value = task.value.value if task.value.HasField("value") else None
    return {
        "task_id": task.task_id, "status": task.status, "evaluator": task.evaluator, "metric": task.metric, "value": to_plain(value),
        "unit": task.value.unit, "normalised": task.normalised, "win": task.win, "reason": task.reason,
    }  # fmt: skip
