"""Evaluators and the orchestrator together, until someone asks them to stop: what ``genlevel serve`` does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.api.server import OrchestratorServer, ServerOptions, check_options
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.evaluators import GROUP, LocalEvaluators
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings

MODULES = {"embedded": "genlevel_evaluator.serve.embedded", "bare": "genlevel_evaluator.serve.bare"}


@dataclass(frozen=True)
class Serving:
    """What to serve.

    Attributes:
        options: How the orchestrator listens.
        roots: Folders bundles may lie in.
        source: Where evaluators come from: ``embedded`` or ``bare`` children, or ``configured`` in the settings.
        only: Names of evaluators; empty means all there are.
    """

    options: ServerOptions
    roots: tuple[Path, ...]
    source: str = "embedded"
    only: tuple[str, ...] = ()


Started = Callable[[str, dict[str, str]], None]


async def serve(serving: Serving, settings: Settings, started: Started) -> None:
    """Serve until SIGINT or SIGTERM; then runs at work are left for ``genlevel runs resume``.

    Args:
        serving: What to serve.
        settings: Where the journal lies, and the endpoints of source ``configured``.
        started: Told the orchestrator's address and the evaluators' once both answer.

    Raises:
        UserError: Something cannot start, or the evaluators ended by themselves.
    """
    check_options(serving.options)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with _evaluators(serving, settings) as (endpoints, ended):
        service = RunService(settings.model_copy(update={"evaluators": endpoints}))
        server = OrchestratorServer(JournalBackend(service), serving.roots, serving.options, service.catalogue)
        try:
            address = await server.start()
            started(address, {name: endpoint.target for name, endpoint in endpoints.items()})
            await _first(stop.wait(), ended)
        finally:
            await asyncio.shield(server.stop())
            service.close()
    if not stop.is_set():
        raise UserError("the evaluators ended by themselves", f"See {_log(settings)}.", ExitCode.UNREACHABLE)


async def _first(*waiting: object) -> None:
    tasks = [asyncio.ensure_future(item) for item in waiting]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def _evaluators(serving: Serving, settings: Settings) -> AsyncIterator[tuple[dict[str, Endpoint], asyncio.Future[object]]]:
    """The endpoints, and a future that is done when they are no longer there."""
    if serving.source == "configured":
        unknown = [name for name in serving.only if name not in settings.evaluators]
        if unknown:
            raise UserError(f"no endpoint for {', '.join(unknown)} in the settings", "Correct --only or GENLEVEL_EVALUATORS.")
        chosen = serving.only or tuple(settings.evaluators)
        yield {name: settings.evaluators[name] for name in chosen}, asyncio.get_running_loop().create_future()
        return
    # Zip bundles are unpacked below the state folder, so evaluators must be able to read there too.
    unpacked = settings.state / "runs"
    unpacked.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = _installed(serving.only)
    child = LocalEvaluators(MODULES[serving.source], names, (*serving.roots, unpacked), _log(settings))
    async with child as endpoints:
        yield endpoints, asyncio.ensure_future(child.ended())


def _installed(only: Sequence[str]) -> list[str]:
    installed = sorted(entry.name for entry in entry_points(group=GROUP))
    unknown = [name for name in only if name not in installed]
    if unknown or not installed:
        what = f"no evaluator {', '.join(unknown)}" if unknown else "no evaluator"
        raise UserError(
            f"{what} is installed here", f"Installed: {', '.join(installed) or 'none'}; `make install` brings all five.",
            ExitCode.PREREQUISITE_MISSING,
        )  # fmt: skip
    return list(only) or installed


def _log(settings: Settings) -> Path:
    return settings.state / "serve-evaluators.log"
