"""Progress of a run: on standard error a bar on a terminal or a line a task on a pipe; a watched run's events on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from genlevel_orchestrator.runs.records import EventRecord
from genlevel_orchestrator.runs.results import to_plain
from genlevel_orchestrator.runs.runner import Listener


@contextmanager
def watch(name: str, quiet: bool) -> Iterator[Listener]:
    """A listener that shows events while the block runs."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar(name) as listener:
            yield listener
    else:
        yield _line


def _line(event: EventRecord) -> None:
    if event.kind in ("task_done", "run_started", "run_ended"):
        words = [event.kind.replace("_", " "), event.task_id, event.message]
        print(" ".join(word for word in words if word), file=sys.stderr, flush=True)


@contextmanager
def _bar(name: str) -> Iterator[Listener]:
    # rich takes a tenth of a second to import, so pipes do not pay for it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = progress.add_task(f"{name}: starting", total=None)
        shards = progress.add_task("shards", total=None)

        def listener(event: EventRecord) -> None:
            counters = event.counters
            progress.update(
                tasks, description=f"{name}: tasks", total=counters.get("tasks_total") or None, completed=counters.get("tasks_done", 0)
            )
            reused = counters.get("shards_reused", 0)
            progress.update(
                shards, description=f"shards ({reused} reused)" if reused else "shards", total=counters.get("shards_total") or None,
                completed=counters.get("shards_done", 0),
            )  # fmt: skip
            if event.kind == "task_done" and event.message.startswith("failed"):
                console.print(f"{event.task_id} {event.message}", markup=False, highlight=False)

        yield listener


def print_event(event: EventRecord, as_json: bool) -> None:
    """Print an event as one line."""
    if as_json:
        print(json.dumps(to_plain(event)), flush=True)
        return
    clock = time.strftime("%H:%M:%S", time.localtime(event.time))
    words = (str(event.token), clock, event.kind, event.task_id, event.message)
    print(" ".join(word for word in words if word), flush=True)
