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
    from genlevel_orchestrator.settings import Serve, Settings


def register(app: typer.Typer) -> None:
    """Add the command ``serve``."""
    app.command("serve")(serve)


_NAME = "GENLEVEL_SERVE_"


Only = Annotated[
    str | None, typer.Option(envvar=f"{_NAME}ONLY", help="Evaluators, separated by commas; all there are when left out.")
]
Port = Annotated[
    int | None, typer.Option(envvar=f"{_NAME}PORT", min=0, max=65535, help="Port; 9100 by default, 0 lets the system choose.")
]
Host = Annotated[
    str | None, typer.Option(envvar=f"{_NAME}HOST", help="Address to listen on, 127.0.0.1 by default; others need a token.")
]
HealthPort = Annotated[
    int | None,
    typer.Option(
        envvar=f"{_NAME}HEALTH_PORT", min=0, max=65535, help="Port of the health service in plain text; none by default."
    ),
]
Roots = Annotated[
    list[Path] | None,
    typer.Option("--root", envvar=f"{_NAME}ROOTS", help="Folder bundles may lie in (repeatable); by default the current one."),
]
InProcess = Annotated[
    bool | None,
    typer.Option("--in-process/--ray", envvar=f"{_NAME}IN_PROCESS", help="Serve evaluators without Ray, one after another call."),
]
TokenFile = Annotated[Path | None, typer.Option(help="File with the bearer token; else GENLEVEL_TOKEN_FILE or GENLEVEL_TOKEN.")]
TlsCertificate = Annotated[
    Path | None, typer.Option(envvar=f"{_NAME}TLS_CERTIFICATE", help="PEM certificate (chain) of the orchestrator.")
]
TlsKey = Annotated[Path | None, typer.Option(envvar=f"{_NAME}TLS_KEY", help="PEM key of that certificate.")]
TlsClientAuthority = Annotated[
    Path | None, typer.Option(envvar=f"{_NAME}TLS_CLIENT_AUTHORITY", help="PEM authority; clients must then show a certificate.")
]
Reflection = Annotated[bool | None, typer.Option(envvar=f"{_NAME}REFLECTION", help="Answer gRPC reflection.")]
Resume = Annotated[
    bool | None,
    typer.Option(envvar=f"{_NAME}RESUME", help="Take up runs that were queued or cut off when the last process ended."),
]
RunsAtOnce = Annotated[
    int | None, typer.Option(envvar=f"{_NAME}RUNS_AT_ONCE", min=1, max=64, help="Runs at work at a time; 2 by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")]


def serve(
    only: Only = None,
    port: Port = None,
    host: Host = None,
    health_port: HealthPort = None,
    roots: Roots = None,
    in_process: InProcess = None,
    token_file: TokenFile = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    tls_client_authority: TlsClientAuthority = None,
    reflection: Reflection = None,
    resume: Resume = None,
    runs_at_once: RunsAtOnce = None,
    as_json: AsJson = False,
) -> None:
    """Serve the evaluators and the orchestrator until Ctrl-C.

    Evaluators that the settings name (GENLEVEL_EVALUATORS) are used where they are; otherwise they are started here, on loopback. What no
    option and no variable says is taken from the table [serve] of the settings file.
    """
    import asyncio
    import logging

    from genlevel_orchestrator.api.serving import serve as serve_until_stopped
    from genlevel_orchestrator.settings import load_settings

    given = {
        "only": tuple(name.strip() for name in only.split(",") if name.strip()) if only is not None else None,
        "port": port, "host": host, "health_port": health_port, "roots": tuple(roots) if roots else None, "in_process": in_process,
        "token_file": token_file, "tls_certificate": tls_certificate, "tls_key": tls_key, "tls_client_authority": tls_client_authority,
        "reflection": reflection, "resume": resume, "runs_at_once": runs_at_once,
    }  # fmt: skip
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    settings = load_settings()
    serving = _serving(
        settings, settings.serve.model_copy(update={key: value for key, value in given.items() if value is not None}), token_file
    )
    if not as_json and serving.source != "configured":
        print("starting the evaluators ...", file=sys.stderr, flush=True)
    asyncio.run(serve_until_stopped(serving, settings, lambda address, found: _say(serving, address, found, as_json)))


def _serving(settings: Settings, chosen: Serve, token_file: Path | None) -> Serving:
    """What to serve: options and variables go before the settings file."""
    from genlevel_orchestrator.api.auth import read_token
    from genlevel_orchestrator.api.server import ServerOptions
    from genlevel_orchestrator.api.serving import Serving

    token = read_token(token_file) or (read_token(chosen.token_file) if chosen.token_file else None)
    local = "bare" if chosen.in_process else "embedded"
    return Serving(
        options=ServerOptions(
            chosen.host,
            chosen.port,
            token,
            chosen.tls_certificate,
            chosen.tls_key,
            chosen.tls_client_authority,
            chosen.reflection,
        ),
        roots=_folders(list(chosen.roots) or [Path.cwd()]),
        source="configured" if settings.evaluators and not chosen.in_process else local,
        only=chosen.only,
        health_port=chosen.health_port,
        resume=chosen.resume,
        runs_at_once=chosen.runs_at_once,
    )


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
