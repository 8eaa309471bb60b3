"""``genlevel runs``: what runs there are, and what to do with them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from genlevel_orchestrator.cli.output import print_json, print_lines, print_table
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.records import RunRecord
from genlevel_orchestrator.runs.results import RunState, to_plain
from genlevel_orchestrator.settings import load_settings

Name = Annotated[str, typer.Argument(help="Name of the run, or `last`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Endpoint = Annotated[str | None, typer.Option(help="Ask this orchestrator instead of the journal of this machine.")]
_POLL_SECONDS = 0.3


def register(app: typer.Typer) -> None:
    """Add the group ``runs``."""
    group = typer.Typer(help="List, show, watch, cancel, resume or prune runs.", no_args_is_help=True)
    group.command("list")(list_runs)
    group.command("show")(show)
    group.command("watch")(watch_run)
    group.command("cancel")(cancel)
    group.command("resume")(resume)
    group.command("prune")(prune)
    app.add_typer(group, name="runs")


def _service() -> Any:
    from genlevel_orchestrator.runs.service import RunService

    return RunService(load_settings())


def _name(service: Any, name: str) -> str:
    if name != "last":
        return name
    newest = service.journal.runs(limit=1)
    if not newest:
        raise UserError("there is no run yet", "Make one with `genlevel run BUNDLE --model NAME`.")
    return str(newest[0].name)


def list_runs(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most runs to list.")] = 50, endpoint: Endpoint = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List runs, newest first."""
    if endpoint is not None:
        from genlevel_orchestrator.cli import remote_runs

        remote_runs.list_runs(endpoint, limit, as_json)
        return
    records = _service().journal.runs(limit=limit)
    if as_json:
        print_json({"runs": [_plain(record) for record in records]})
        return
    columns = ("run", "model", "state", "created", "tasks", "shards", "reused", "message")
    print_table(columns, (_row(record) for record in records))


def _row(record: RunRecord) -> tuple[Any, ...]:
    created = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
    tasks, shards = f"{record.tasks_done}/{record.tasks_total}", f"{record.shards_done}/{record.shards_total}"
    return record.name, record.spec.model, str(record.state), created, tasks, shards, record.shards_reused, record.message


def _plain(record: RunRecord) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(record)
    spec = plain.pop("spec")
    return {"run": plain.pop("name"), "model": spec["model"], "bundle": spec["bundle"], "references": spec["references"], **plain}


def show(name: Name, endpoint: Endpoint = None, as_json: AsJson = False) -> None:
    """Show a run: its result, or how far it is."""
    if endpoint is not None:
        from genlevel_orchestrator.cli import remote_runs

        remote_runs.show(endpoint, name, as_json)
        return
    from genlevel_orchestrator.cli.run import print_result, summary
    from genlevel_orchestrator.report import FORMATS, file_name

    service = _service()
    name = _name(service, name)
    result = service.journal.result(name)
    folder = service.report_folder(service.journal.run(name))
    report = {kind: str(folder / file_name(kind)) for kind in FORMATS if (folder / file_name(kind)).is_file()}
    if result is not None and as_json:
        print_json(summary(result, report))
    elif result is not None:
        print_result(result, report, False)
    else:
        record = service.journal.run(name)
        outcomes = service.journal.outcomes(name)
        if as_json:
            print_json({**_plain(record), "tasks": [to_plain(outcome) for outcome in outcomes.values()]})
            return
        print_table(("run", "model", "state", "created", "tasks", "shards", "reused", "message"), [_row(record)])
        print_table(("task", "status", "remark"), ((task.task_id, str(task.status), task.reason) for task in outcomes.values()))


def watch_run(
    name: Name,
    after: Annotated[int, typer.Option(help="Token of the last event seen.")] = 0,
    endpoint: Endpoint = None,
    as_json: AsJson = False,
) -> None:
    """Follow the events of a run until it ends."""
    if endpoint is not None:
        from genlevel_orchestrator.cli import remote_runs

        remote_runs.watch(endpoint, name, after, as_json)
        return
    from genlevel_orchestrator.cli.progress import print_event

    service = _service()
    name = _name(service, name)
    service.journal.run(name)
    while True:
        record = service.journal.run(name)  # before the events: nothing is written behind the end
        events = service.journal.events(name, after)
        for event in events:
            print_event(event, as_json)
            after = event.token
        if not events and record.state.ended:
            print_lines([] if as_json else [f"{name}: {record.state}"])
            return
        if not events:
            time.sleep(_POLL_SECONDS)


def cancel(name: Name, endpoint: Endpoint = None, as_json: AsJson = False) -> None:
    """Ask a run to stop; what is journalled stays."""
    if endpoint is not None:
        from genlevel_orchestrator.cli import remote_runs

        remote_runs.cancel(endpoint, name, as_json)
        return
    service = _service()
    record = service.journal.request_cancel(_name(service, name))
    if as_json:
        print_json(_plain(record))
    else:
        print_lines([f"{record.name}: asked to stop"])


def resume(
    name: Name,
    in_process: Annotated[bool, typer.Option("--in-process", help="Bare gRPC servers instead of Ray Serve.")] = False,
    endpoint: Endpoint = None,
    as_json: AsJson = False,
) -> None:
    """Continue a run that was cut off, cancelled or left provisional; journalled shards are not scored again."""
    if endpoint is not None:
        from genlevel_orchestrator.cli import remote_runs

        remote_runs.resume(endpoint, name, as_json)
        return
    from genlevel_orchestrator.cli.run import execute_and_print, mode_of

    service = _service()
    name = _name(service, name)
    state = service.journal.run(name).state
    if state is RunState.SUCCEEDED:
        raise UserError(f"run {name} has ended well", f"See it with `genlevel runs show {name}`.", ExitCode.BAD_INPUT)
    execute_and_print(service, name, mode_of(service.settings, in_process), as_json)


def prune(
    older_than: Annotated[float, typer.Option(min=0, help="Days since a run ended, or since a file was last used.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove runs that ended long ago, with their files, and old uploads. Scores that other runs use stay."""
    from genlevel_orchestrator.runs.prune import prune as remove

    service = _service()
    try:
        removed = remove(service.journal, service.settings, older_than * 86_400, dry_run)
    finally:
        service.close()
    if as_json:
        print_json({"dry_run": dry_run, **to_plain(removed)})
        return
    verb = "would be removed" if dry_run else "removed"
    print_lines([*removed.runs, *removed.uploads])
    counts = f"{len(removed.runs)} runs, {removed.shards} shards and {len(removed.uploads)} uploads"
    print_lines([f"{counts} {verb}, {removed.bytes / 1e6:.1f} MB of files"])
