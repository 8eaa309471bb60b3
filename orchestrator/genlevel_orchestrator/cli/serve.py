"""``genlevel serve``: the evaluators and the orchestrator on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlevel_orchestrator.errors import UserError

if TYPE_CHECKING:
    from genlevel_orchestrator.api.serving import Serving

DEFAULT_PORT = 9100


def register(app: typer.Typer) -> None:
    """Add the command ``serve``."""
    app.command("serve")(serve)


def serve(
    only: Annotated[str, typer.Option(help="Evaluators, separated by commas; all installed ones when left out.")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the orchestrator; 0 lets the system choose.")] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on; other machines need a token.")] = "127.0.0.1",
    roots: Annotated[
        list[Path] | None, typer.Option("--root", help="Folder bundles may lie in (repeatable); by default the current one.")
    ] = None,
    in_process: Annotated[bool, typer.Option("--in-process", help="Serve evaluators without Ray, one after another call.")] = False,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the bearer token; else GENLEVEL_TOKEN_FILE or GENLEVEL_TOKEN.")
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate (chain) of the orchestrator.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM key of that certificate.")] = None,
    tls_client_authority: Annotated[Path | None, typer.Option(help="PEM authority; clients must then show a certificate.")] = None,
    reflection: Annotated[bool, typer.Option(help="Answer gRPC reflection.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")] = False,
) -> None:
    """Serve the evaluators and the orchestrator until Ctrl-C.

    Evaluators that the settings name (GENLEVEL_EVALUATORS) are used where they are; otherwise they are started here, on loopback.
    """
    import asyncio

    from genlevel_orchestrator.api.auth import read_token
    from genlevel_orchestrator.api.server import ServerOptions
    from genlevel_orchestrator.api.serving import Serving
    from genlevel_orchestrator.api.serving import serve as serve_until_stopped
    from genlevel_orchestrator.settings import load_settings

    settings = load_settings()
    local = "bare" if in_process else "embedded"
    serving = Serving(
        options=ServerOptions(host, port, read_token(token_file), tls_certificate, tls_key, tls_client_authority, reflection),
        roots=_folders(roots or [Path.cwd()]),
        source="configured" if settings.evaluators and not in_process else local,
        only=tuple(name.strip() for name in only.split(",") if name.strip()),
    )
    if not as_json:
        print("starting the evaluators ...", file=sys.stderr, flush=True)
    asyncio.run(serve_until_stopped(serving, settings, lambda address, found: _say(serving, address, found, as_json)))


def _folders(roots: list[Path]) -> tuple[Path, ...]:
    absent = [str(root) for root in roots if not root.is_dir()]
    if absent:
        raise UserError(f"no folder {', '.join(absent)}", "Give folders that exist with --root.")
    return tuple(root.resolve() for root in roots)


def _say(serving: Serving, address: str, evaluators: dict[str, str], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"orchestrator": address, "evaluators": evaluators}), flush=True)
        return
    for name, target in evaluators.items():
        print(f"evaluator {name}: {target}")
    print(f"orchestrator: {address}")
    print(f"bundles may lie below {', '.join(map(str, serving.roots))}; Ctrl-C stops everything", flush=True)
