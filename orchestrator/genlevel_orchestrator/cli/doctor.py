"""``genlevel doctor``: whether this machine has what GenLevel needs, and the line that mends what is missing."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from genlevel_orchestrator.cli.doctor_checks import Check, all_checks
from genlevel_orchestrator.cli.output import print_json
from genlevel_orchestrator.errors import ExitCode

_MARKS = {"ok": ("ok", typer.colors.GREEN), "warning": ("warn", typer.colors.YELLOW), "missing": ("MISSING", typer.colors.RED)}


def register(app: typer.Typer) -> None:
    """Add the command ``doctor``."""
    app.command("doctor")(doctor)


def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Look whether weights are there, without reading their bytes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that this machine has what GenLevel needs."""
    checks = all_checks(quick)
    missing = [check for check in checks if check.state == "missing"]
    if as_json:
        print_json({"ok": not missing, "checks": [check._asdict() for check in checks]})
    else:
        for check in checks:
            _print(check)
    if missing:
        if not as_json:
            print(f"{len(missing)} of {len(checks)} checks found something missing.", file=sys.stderr)
        raise typer.Exit(int(ExitCode.PREREQUISITE_MISSING))


def _print(check: Check) -> None:
    word, colour = _MARKS[check.state]
    mark = typer.style(f"{word:8}", fg=colour) if sys.stdout.isatty() else f"{word:8}"
    typer.echo(f"{mark}{check.name}: {check.found}")
    if check.fix:
        typer.echo(f"{'':8}fix: {check.fix}")
