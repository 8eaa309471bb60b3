"""``genlevel validate``: every violation of a bundle, each with file, place and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genlevel_orchestrator.cli.output import print_json, print_lines
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.results import Violation, to_plain


def register(app: typer.Typer) -> None:
    """Add the command ``validate``."""
    app.command("validate")(validate)


def validate(
    bundle: Annotated[Path, typer.Argument(help="Folder or zip in the General-Bench layout.")],
    references: Annotated[Path | None, typer.Option(help="Folder or zip of the references, where the bundle has none.")] = None,
    tasks: Annotated[str, typer.Option(help="Task ids, names or globs, separated by commas.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a bundle and list every violation."""
    names = tuple(part.strip() for part in tasks.split(",") if part.strip())
    found, checked, samples = _check(bundle, references, names)
    errors = sum(violation.severity == "error" for violation in found)
    if as_json:
        print_json(
            {
                "bundle": str(bundle), "valid": not errors, "errors": errors, "warnings": len(found) - errors, "tasks": checked,
                "samples": samples, "violations": [to_plain(violation) for violation in found],
            }
        )
    else:
        print_lines(_line(violation) for violation in found)
        print_lines([f"{checked} tasks, {samples} samples: {errors} violations, {len(found) - errors} warnings"])
    if errors:
        raise typer.Exit(int(ExitCode.VIOLATIONS))


def _check(bundle: Path, references: Path | None, names: tuple[str, ...]) -> tuple[list[Violation], int, int]:
    from genlevel_orchestrator.bundle.validate import validate_task
    from genlevel_orchestrator.catalogue import Catalogue
    from genlevel_orchestrator.runs.installed import installed_facts
    from genlevel_orchestrator.runs.service import open_sources, temporary_work

    with temporary_work() as work:
        try:
            opened = open_sources(Catalogue.load(), bundle, references, names, Path(work), keep=None)
        except UserError as error:
            found = _of_archive(error)
            if not found:
                raise
            return found, 0, 0
        facts = installed_facts(source.task for source in opened.sources)
        samples = 0
        for source in opened.sources:
            known = facts.get((source.task.evaluator, source.task.metric_id))
            samples += validate_task(source, known.form if known else None, opened.violations)
        return list(opened.violations), len(opened.sources), samples


def _of_archive(error: UserError) -> list[Violation]:
    """The violations an unusable zip carries; they are a finding, not a failure, of this command."""
    details: Any = error.details
    if not isinstance(details, list) or not all(isinstance(item, dict) and "code" in item for item in details):
        return []
    return [Violation(**item) for item in details]


def _line(violation: Violation) -> str:
    place = f"{violation.file}{'#' + violation.pointer if violation.pointer else ''}"
    mark = "" if violation.severity == "error" else "warning: "
    return f"{place}: {mark}{violation.code}: {violation.message}; {violation.remedy}"
