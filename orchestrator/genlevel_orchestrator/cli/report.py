"""``genlevel report``: the report of a run, again, in any of its formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlevel_orchestrator.cli.output import print_json, print_lines
from genlevel_orchestrator.errors import UserError

if TYPE_CHECKING:
    from genlevel_orchestrator.runs.details import SampleDetails
    from genlevel_orchestrator.runs.results import RunResult

_READABLE = (1, 2)


def register(app: typer.Typer) -> None:
    """Add the command ``report``."""
    app.command("report")(report)


def report(
    run: Annotated[str, typer.Argument(help="Name of the run; `genlevel runs list` shows them.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write into; by default one named after the run.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", "-f", help="json, xlsx, html and samples, separated by commas.")
    ] = "json,xlsx,html,samples",
    endpoint: Annotated[str | None, typer.Option(help="Ask this orchestrator instead of the journal of this machine.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the report of a run again."""
    wanted = _formats(formats)
    folder = output or Path(Path(run).name)
    paths = _fetch(endpoint, run, folder, wanted) if endpoint else _write(run, folder, wanted)
    if as_json:
        print_json({"run": run, "files": {name: str(path) for name, path in paths.items()}})
    else:
        print_lines(str(path) for path in paths.values())


def _formats(text: str) -> list[str]:
    from genlevel_orchestrator.report import FORMATS

    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise UserError(f"unknown report format {', '.join(unknown) or '(none)'}", f"Write some of {', '.join(FORMATS)}.")
    return wanted


def _write(run: str, folder: Path, formats: list[str]) -> dict[str, Path]:
    from genlevel_orchestrator.catalogue import Catalogue
    from genlevel_orchestrator.report import write_reports

    result, details = finished_run(run)
    try:
        return write_reports(result, Catalogue.load(), folder, formats, details)
    except OSError as error:
        raise UserError(f"cannot write the report into {folder} ({error})", "Choose another folder with --output.") from None


def _fetch(endpoint: str, run: str, folder: Path, formats: list[str]) -> dict[str, Path]:
    from genlevel_orchestrator.api.client import OrchestratorClient
    from genlevel_orchestrator.report import file_name

    paths = {}
    with OrchestratorClient(endpoint) as client:
        for name in formats:
            content = client.get_report(run, name).content
            folder.mkdir(parents=True, exist_ok=True)
            paths[name] = folder / file_name(name)
            paths[name].write_bytes(content)
    return paths


def finished_run(name: str) -> tuple[RunResult, dict[str, SampleDetails]]:
    """Return the result of a run of this machine's journal, and what lies behind its values by task.

    Raises:
        UserError: When there is no such run, or it has no result yet.
    """
    from genlevel_orchestrator.runs.journal import Journal
    from genlevel_orchestrator.settings import load_settings

    journal = Journal(load_settings())
    try:
        result = journal.result(name)
        state = journal.run(name).state
        details = journal.details(name)
    finally:
        journal.close()
    if result is None:
        remedy = f"Continue it with `genlevel runs resume {name}`." if state.ended else f"Watch it with `genlevel runs watch {name}`."
        raise UserError(f"run {name} has no result: it is {state}", remedy)
    return result, details


def report_document(name: str) -> tuple[dict[str, Any], dict[str, SampleDetails]]:
    """Return the report document of a run's name, or of the path of a report.json, and what lies behind its values by task.

    Raises:
        UserError: When there is neither.
    """
    import json

    from genlevel_orchestrator.report import FILE_NAME, read_samples

    path = Path(name)
    if path.suffix != ".json" and not path.is_dir():
        from genlevel_orchestrator.catalogue import Catalogue
        from genlevel_orchestrator.report import build_report

        result, details = finished_run(name)
        return build_report(result, Catalogue.load()), details
    file = path / "report.json" if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} cannot be read as a report ({error})", "Give a run's name or the report.json of one.") from None
    if not isinstance(document, dict) or document.get("schema") != "genlevel.report":
        raise UserError(f"{file} is no report of GenLevel", "Give a run's name or the report.json of one.")
    if document.get("schema_version") not in _READABLE:
        found = document.get("schema_version")
        raise UserError(f"{file} has report schema version {found}, this version reads 1 and 2", "Write it again with `genlevel report`.")
    return document, read_samples(file.parent / FILE_NAME, document)
