"""``genlevel run``: a bundle in, levels out."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from genlevel_orchestrator.cli.output import print_json, print_lines, print_table
from genlevel_orchestrator.cli.progress import watch
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.evaluators import Mode
from genlevel_orchestrator.runs.results import RunResult, RunState, TaskOutcome, TaskStatus, to_plain
from genlevel_orchestrator.settings import Settings, load_settings

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the command ``run``."""
    app.command("run")(run)


def run(
    bundle: Annotated[Path, typer.Argument(help="Folder or zip in the General-Bench layout.")],
    model: Annotated[str, typer.Option(help="Name of the model the predictions are from.")],
    references: Annotated[Path | None, typer.Option(help="Folder or zip of the references, where the bundle has none.")] = None,
    tasks: Annotated[str, typer.Option(help="Task ids, names or globs, separated by commas.")] = "",
    endpoint: Annotated[str | None, typer.Option(help="Orchestrator (host:port) that makes the run instead of this process.")] = None,
    upload: Annotated[
        bool | None,
        typer.Option(help="Send bundle and references to the orchestrator; by default when it is on another machine and they exist here."),
    ] = None,
    in_process: Annotated[bool, typer.Option("--in-process", help="Bare gRPC servers instead of Ray Serve.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder of the report.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score the predictions of a bundle and print the levels."""
    settings = load_settings()
    names = tuple(part.strip() for part in tasks.split(",") if part.strip())
    if dry_run:
        from genlevel_orchestrator.cli.dry_run import show_plan

        show_plan(bundle, references, names, as_json)
        return
    if endpoint is not None:
        from genlevel_orchestrator.cli.remote import RemoteRun, run_remotely

        run_remotely(RemoteRun(endpoint, model, bundle, references, names, upload), output, as_json)
        return
    from genlevel_orchestrator.runs.records import RunSpec
    from genlevel_orchestrator.runs.service import RunService

    service = RunService(settings)
    spec = RunSpec(
        model, str(bundle.absolute()), str(references.absolute()) if references else None, names,
        output=str(output.absolute()) if output else None,
    )  # fmt: skip
    record = service.create(spec)
    execute_and_print(service, record.name, mode_of(settings, in_process), as_json)


def mode_of(settings: Settings, in_process: bool) -> Mode:
    """Where the evaluators come from: the settings when they name any, else a child process."""
    if in_process:
        return "bare"
    return "configured" if settings.evaluators else "embedded"


def execute_and_print(service: Any, name: str, mode: Mode, as_json: bool) -> None:
    """Execute a run that was made, write its report and print the summary.

    Raises:
        typer.Exit: with the exit code of docs/exit-codes.md, unless all is well.
        UserError: the run was cancelled.
    """
    from genlevel_orchestrator.report import write_reports
    from genlevel_orchestrator.runs.runner import RunCancelled

    try:
        with watch(name, quiet=as_json) as listener:
            result: RunResult = run_until_interrupted(service.execute(name, mode, listener))
    except RunCancelled:
        raise UserError(
            f"run {name} was cancelled", f"Continue it with `genlevel runs resume {name}`.", ExitCode.INTERRUPTED
        ) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise UserError(
            f"run {name} was interrupted; what is scored is kept", f"Continue it with `genlevel runs resume {name}`.",
            ExitCode.INTERRUPTED,
        ) from None  # fmt: skip
    finally:
        service.close()
    folder = service.report_folder(service.journal.run(name))
    paths = write_reports(result, service.catalogue, folder, details=service.journal.details(name))
    print_result(result, {kind: str(path) for kind, path in paths.items()}, as_json)
    code = exit_code(result)
    if code:
        raise typer.Exit(code)


def run_until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; a polite signal cancels it, so that it can end its children."""

    async def guarded() -> T:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work

    return asyncio.run(guarded())


def exit_code(result: RunResult) -> int:
    """Exit code of a run that ended."""
    if result.state is RunState.SUCCEEDED:
        return int(ExitCode.OK)
    failed = [task for task in result.tasks if task.status is TaskStatus.FAILED]
    scored = result.count(TaskStatus.SCORED)
    if not scored and failed and all(task.reason.startswith("EVALUATOR_ABSENT") for task in failed):
        return int(ExitCode.UNREACHABLE)
    return int(ExitCode.TASKS_FAILED)


def submitted(result: RunResult) -> list[TaskOutcome]:
    """Outcomes of the tasks that the bundle holds."""
    return [task for task in result.tasks if task.status is not TaskStatus.NOT_SUBMITTED or task.reason != "not in the bundle"]


def summary(result: RunResult, report: dict[str, str]) -> dict[str, Any]:
    """A run as one JSON object."""
    tasks = submitted(result)
    return {
        "run": result.name,
        "model": result.model,
        "state": str(result.state),
        "message": result.message,
        "levels": {policy: to_plain(levels) for policy, levels in result.levels.items()},
        "counts": dict(Counter(str(task.status) for task in result.tasks)),
        "shards": {"total": sum(task.shards for task in tasks), "reused": sum(task.shards_reused for task in tasks)},
        "tasks": [_task(task) for task in tasks],
        "violations": result.violation_count,
        "report": report,
    }


def _task(task: TaskOutcome) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(task)
    value = plain.pop("value") or {}
    signature = value.get("signature") or {}
    kept = ("task_id", "status", "evaluator", "metric", "normalised", "win", "provisional", "reason", "issue_counts", "samples", "shards", "shards_reused")
    return {
        **{name: plain[name] for name in kept},
        **{name: value.get(name) for name in ("value", "unit", "expected", "present", "comparable")},
        "signature": signature.get("text"),
    }


def print_result(result: RunResult, report: dict[str, str], as_json: bool) -> None:
    """Print a finished run."""
    if as_json:
        print_json(summary(result, report))
        return
    tasks = submitted(result)
    if sys.stdout.isatty():
        # A terminal has no room for nine columns beside the long task ids.
        print_table(("task", "value", "score", "SoTA", "remark"), map(_short_row, tasks), title=f"{result.model}: tasks of the bundle")
    else:
        print_table(("task", "status", "metric", "value", "unit", "score", "SoTA", "win", "remark"), map(_row, tasks))
    print_lines([""])
    for levels in result.levels.values():
        scores = (levels.level_2, levels.level_3, levels.level_4, levels.level_5)
        numbers = "  ".join(f"level {number}: {score:.2f}" for number, score in enumerate(scores, start=2))
        print_lines([f"{numbers}  ({levels.status}, policy {levels.policy}, SoTA {levels.sota})"])
    scored = result.count(TaskStatus.SCORED)
    line = f"{scored} of {len(result.tasks)} tasks scored, {sum(task.win for task in tasks)} at or above the specialist"
    failed = result.count(TaskStatus.FAILED) + result.count(TaskStatus.NOT_SCORABLE)
    print_lines([line + (f", {failed} without a score for other reasons" if failed else "")])
    if result.violation_count:
        print_lines([f"{result.violation_count} finding(s) in the bundle: `genlevel validate {result.bundle}` lists them"])
    if report:
        print_lines([f"report: {report.get('html', next(iter(report.values())))}"])
    print_lines([f"run: {result.name} ({result.state})"])


def _short_row(task: TaskOutcome) -> tuple[Any, ...]:
    *_, remark = _row(task)
    words = [str(task.status) if task.status is not TaskStatus.SCORED else "", "won" if task.win else "", remark]
    value = "-" if task.value is None or task.value.value is None else f"{task.value.value:.4g}"
    score = "-" if task.normalised is None else f"{task.normalised:.2f}"
    sota = "-" if task.sota_raw is None else f"{task.sota_raw:.4g}"
    return task.task_id, value, score, sota, "; ".join(word for word in words if word)


def _row(task: TaskOutcome) -> tuple[Any, ...]:
    value = task.value
    remark = task.reason
    if value is not None and not value.comparable:
        stand_in = any(not backbone.reference for backbone in value.signature.backbones)
        why = "stand-in backbone" if stand_in else "made otherwise than the SoTA"
        remark = f"{why}, not comparable" + (f"; {remark}" if remark else "")
    return (
        task.task_id, str(task.status), task.metric, value.value if value else None, value.unit if value else "", task.normalised,
        task.sota_raw, task.win, remark,
    )  # fmt: skip
