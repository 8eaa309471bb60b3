"""``genlevel run --endpoint``: the run is made by an orchestrator elsewhere, and shown here."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import typer

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel_orchestrator.api.auth import read_token
from genlevel_orchestrator.cli.output import print_json, print_lines
from genlevel_orchestrator.cli.progress import watch
from genlevel_orchestrator.cli.run import run_until_interrupted
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.remote_client import RemoteOrchestrator, connect
from genlevel_orchestrator.runs.runner import Listener


def run_remotely(
    endpoint: str, model: str, bundle: Path, references: Path | None, tasks: tuple[str, ...], output: Path | None, as_json: bool
) -> None:
    """Make a run on an orchestrator, follow it and print its end.

    Raises:
        UserError: the orchestrator cannot be reached, or refuses.
        typer.Exit: with exit code 4 when the run did not succeed.
    """
    request = pb.CreateRunRequest(
        request_id=str(uuid.uuid4()), model=model, bundle_uri=_uri(bundle), references_uri=_uri(references) if references else "",
        tasks=tasks,
    )  # fmt: skip
    with watch(endpoint, quiet=as_json) as listener:
        run, reports = run_until_interrupted(_follow(endpoint, request, listener))
    folder = output or Path(f"{run.name}-report")
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kind, content in reports.items():
        paths[kind] = folder / f"report.{kind}"
        paths[kind].write_bytes(content)
    _print(run, {kind: str(path) for kind, path in paths.items()}, reports.get("json"), as_json)
    if run.state != pb.RUN_STATE_SUCCEEDED:
        raise typer.Exit(int(ExitCode.TASKS_FAILED))


def _uri(path: Path) -> str:
    """A path as the orchestrator is told it: one that exists here is made absolute, anything else is its own affair."""
    return path.absolute().as_uri() if path.exists() else str(path)


async def _follow(endpoint: str, request: pb.CreateRunRequest, listener: Listener) -> tuple[pb.Run, dict[str, bytes]]:
    async with connect(endpoint, read_token() or "") as orchestrator:
        name = (await orchestrator.create(request)).run.name
        try:
            async for event in orchestrator.watch(name):
                listener(event)
        except BaseException:
            print_lines([f"the run goes on: `genlevel runs watch {name}` on the orchestrator's machine"])
            raise
        run = await orchestrator.get(name)
        return run, await _reports(orchestrator, run)


async def _reports(orchestrator: RemoteOrchestrator, run: pb.Run) -> dict[str, bytes]:
    if run.state not in (pb.RUN_STATE_SUCCEEDED, pb.RUN_STATE_PROVISIONAL):
        raise UserError(f"run {run.name} ended without a result: {run.message}", "See the orchestrator's log.", ExitCode.TASKS_FAILED)
    formats = {"json": pb.REPORT_FORMAT_JSON, "xlsx": pb.REPORT_FORMAT_XLSX, "html": pb.REPORT_FORMAT_HTML}
    return {kind: (await orchestrator.report(run.name, number)).content for kind, number in formats.items()}


def _print(run: pb.Run, report: dict[str, str], document: bytes | None, as_json: bool) -> None:
    levels = run.levels
    state = pb.RunState.Name(run.state).removeprefix("RUN_STATE_").lower()
    if as_json:
        body: dict[str, Any] = json.loads(document) if document else {}
        numbers = {str(number): getattr(levels, f"level_{number}") for number in (2, 3, 4, 5)}
        print_json({"run": run.name, "model": run.model, "state": state, "levels": numbers, "report": report, "document": body})
        return
    numbers_text = "  ".join(f"level {number}: {getattr(levels, f'level_{number}'):.2f}" for number in (2, 3, 4, 5))
    print_lines([f"{numbers_text}  ({levels.status}, policy {levels.policy})"])
    print_lines([f"{run.tasks_done} of {run.tasks_total} tasks, {run.shards_reused} of {run.shards_total} shards reused"])
    print_lines([f"report: {report['html']}", f"run: {run.name} ({state})"])
