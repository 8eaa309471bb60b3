"""``genlevel probe``: ask a health port, for health checks of containers."""

from __future__ import annotations

from typing import Annotated

import typer

from genlevel_orchestrator.cli.output import print_json, print_lines
from genlevel_orchestrator.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the command ``probe``."""
    app.command("probe")(probe)


def probe(
    service: Annotated[str, typer.Argument(help="live or ready.")] = "ready",
    port: Annotated[
        int, typer.Option(envvar="GENLEVEL_SERVE_HEALTH_PORT", min=1, max=65535, help="Port of the health service.")
    ] = 9101,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask the health port of this machine; exit code 1 when the service does not serve."""
    from genlevel_orchestrator.api.probe import probe as ask

    serving, line = ask(service, port)
    if as_json:
        print_json({"service": service, "serving": serving, "answer": line})
    else:
        print_lines([line])
    if not serving:
        raise typer.Exit(int(ExitCode.UNEXPECTED))
