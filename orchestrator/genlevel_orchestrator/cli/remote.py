"""``genlevel run --endpoint``: the run is made by an orchestrator elsewhere, and shown here."""

from __future__ import annotations

import json
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel_orchestrator.api.client import LONG_PATIENCE, OrchestratorClient
from genlevel_orchestrator.api.endpoint import on_this_machine
from genlevel_orchestrator.cli.output import print_json, print_lines
from genlevel_orchestrator.cli.progress import watch
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.records import EventRecord

_ENDED_WELL = (pb.RUN_STATE_SUCCEEDED, pb.RUN_STATE_PROVISIONAL)


@dataclass(frozen=True)
class RemoteRun:
    """A run to make elsewhere.

    Attributes:
        upload: send bundle and references; None sends what exists here when the orchestrator is on another machine.
    """

    endpoint: str
    model: str
    bundle: Path
    references: Path | None
    tasks: tuple[str, ...]
    upload: bool | None = None


def run_remotely(wanted: RemoteRun, output: Path | None, as_json: bool) -> None:
    """Make a run on an orchestrator, follow it and print its end.

    Raises:
        UserError: the orchestrator cannot be reached, or refuses.
        typer.Exit: with exit code 4 when the run did not succeed.
    """
    with connected(wanted.endpoint) as client:
        bundle = _uri(client, wanted, wanted.bundle, as_json)
        references = _uri(client, wanted, wanted.references, as_json) if wanted.references else ""
        try:
            run = client.create_run(wanted.model, bundle, references, wanted.tasks, str(uuid.uuid4()))
        except UserError as error:
            raise _with_hint(error, wanted, bundle) from None
        follow(client, run.name, output, as_json)


@contextmanager
def connected(endpoint: str) -> Iterator[OrchestratorClient]:
    """A client of an orchestrator that says on standard error what it waits for; a polite signal ends it as Ctrl-C does."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with OrchestratorClient(endpoint, waiting=lambda words: print(words, file=sys.stderr, flush=True)) as client:
            yield client
    finally:
        signal.signal(signal.SIGTERM, previous)


def _uri(client: OrchestratorClient, wanted: RemoteRun, path: Path, as_json: bool) -> str:
    """A path as the orchestrator is told it: sent, made absolute where both see it, or as it is where only the orchestrator does."""
    exists = path.exists()
    if wanted.upload and not exists:
        raise UserError(f"{path}: there is nothing to send", "Correct the path, or leave out --upload where only the orchestrator sees it.")
    if exists and (wanted.upload or (wanted.upload is None and not on_this_machine(wanted.endpoint))):
        return client.upload(path, (lambda sent, size: None) if as_json else _Sending(path))
    return path.absolute().as_uri() if exists else str(path)


class _Sending:
    """Tells how far an upload is: at its beginning, and every tenth of the way where that is 16 MiB or more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0

    def __call__(self, sent: int, size: int) -> None:
        if sent >= self._next:
            print(f"sending {self._path}: {sent / 1e6:.1f} of {size / 1e6:.1f} MB", file=sys.stderr, flush=True)
            self._next = min(size, sent + max(size // 10, 16 << 20)) if sent < size else size + 1


def _with_hint(error: UserError, wanted: RemoteRun, bundle: str) -> UserError:
    """Through a tunnel an orchestrator elsewhere looks like one on this machine."""
    code = (error.details or {}).get("code") if isinstance(error.details, dict) else None
    if code not in ("PERMISSION_DENIED", "NOT_FOUND") or not bundle.startswith("file:") or wanted.upload is not None:
        return error
    remedy = f"{error.remedy or 'Correct the path'}; if the orchestrator does not see the files of this machine, add --upload"
    return UserError(error.message, remedy, error.exit_code, error.details)


def follow(client: OrchestratorClient, name: str, output: Path | None, as_json: bool) -> None:
    """Show a run until it ends, and fetch its report.

    Raises:
        UserError: it ended without a result, or the orchestrator stayed away for too long.
        typer.Exit: with exit code 4 when the run did not succeed.
    """
    from genlevel_orchestrator.report import FORMATS

    client.patience = LONG_PATIENCE
    try:
        with watch(client.endpoint, quiet=as_json) as listener:
            for event in client.watch_run(name):
                listener(event_record(event))
        run = client.get_run(name)
    except BaseException:
        print(f"the run goes on: `genlevel runs watch {name} --endpoint {client.endpoint}`", file=sys.stderr, flush=True)
        raise
    if run.state not in _ENDED_WELL:
        state = state_name(run)
        words = f"run {name} ended as {state}" + (f": {run.message}" if run.message else "")
        remedy = "See the orchestrator's log; `genlevel runs resume RUN --endpoint ...` goes on with it."
        raise UserError(words, remedy, ExitCode.TASKS_FAILED)
    reports = {kind: client.get_report(name, kind).content for kind in FORMATS}
    folder = output or Path(f"{name}-report")
    paths = _write(folder, reports)
    _print(run, paths, reports["json"], as_json)
    if run.state != pb.RUN_STATE_SUCCEEDED:
        raise typer.Exit(int(ExitCode.TASKS_FAILED))


def event_record(message: pb.WatchRunResponse) -> EventRecord:
    """An event as the journal has it."""
    run = message.run
    names = ("tasks_total", "tasks_done", "shards_total", "shards_done", "shards_reused")
    counters = {name: getattr(run, name) for name in names}
    seconds = message.event_time.seconds + message.event_time.nanos / 1e9
    token = int(message.resume_token) if message.resume_token.isdigit() else 0
    return EventRecord(token, run.name, seconds, message.kind, message.task_id, message.message, counters)


def state_name(run: pb.Run) -> str:
    """The state of a run, as the command line writes it."""
    return pb.RunState.Name(run.state).removeprefix("RUN_STATE_").lower()


def _write(folder: Path, reports: dict[str, bytes]) -> dict[str, str]:
    from genlevel_orchestrator.report import file_name

    paths = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, content in reports.items():
            path = folder / file_name(kind)
            path.write_bytes(content)
            paths[kind] = str(path)
    except OSError as error:
        raise UserError(f"cannot write the report into {folder} ({error})", "Choose another folder with --output.") from None
    return paths


def _print(run: pb.Run, report: dict[str, str], document: bytes, as_json: bool) -> None:
    levels = run.levels
    if as_json:
        body: dict[str, Any] = json.loads(document)
        numbers = {str(number): getattr(levels, f"level_{number}") for number in (2, 3, 4, 5)}
        shards = {"total": run.shards_total, "done": run.shards_done, "reused": run.shards_reused}
        print_json(
            {"run": run.name, "model": run.model, "state": state_name(run), "levels": numbers, "shards": shards, "report": report, "document": body}
        )
        return
    numbers_text = "  ".join(f"level {number}: {getattr(levels, f'level_{number}'):.2f}" for number in (2, 3, 4, 5))
    print_lines([f"{numbers_text}  ({levels.status}, policy {levels.policy})"])
    print_lines([f"{run.tasks_done} of {run.tasks_total} tasks, {run.shards_reused} of {run.shards_total} shards reused"])
    print_lines([f"report: {report['html']}", f"run: {run.name} ({state_name(run)})"])
