"""Evaluators and the orchestrator together, until someone asks them to stop: what ``genlevel serve`` does."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from genlevel_orchestrator.api.health import Setter, health_port, watch_journal
from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.api.server import OrchestratorServer, ServerOptions, check_options
from genlevel_orchestrator.api.uploads import UploadStore
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.evaluators import GROUP, LocalEvaluators
from genlevel_orchestrator.runs.journal import Journal
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings

log = logging.getLogger(__name__)

STOP_SECONDS = 25.0
"""Clusters kill what has not ended 30 s after they asked."""
MODULES = {"embedded": "genlevel_evaluator.serve.embedded", "bare": "genlevel_evaluator.serve.bare"}


@dataclass(frozen=True)
class Serving:
    """What to serve.

    Attributes:
        options: How the orchestrator listens.
        roots: Folders bundles may lie in.
        source: Where evaluators come from: ``embedded`` or ``bare`` children, or ``configured`` in the settings.
        only: Names of evaluators; empty means all there are.
        health_port: Port of the health service; none without it.
        resume: Take up runs that an earlier process left behind.
        runs_at_once: Runs at work at a time.
    """

    options: ServerOptions
    roots: tuple[Path, ...]
    source: str = "embedded"
    only: tuple[str, ...] = ()
    health_port: int | None = None
    resume: bool = True
    runs_at_once: int = 2


Started = Callable[[str, dict[str, str]], None]


class _Stop:
    """Whether someone asked us to stop: for the event loop, and for the thread that waits for the journal."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.thread = threading.Event()

    def listen(self) -> None:
        """Take SIGINT and SIGTERM for such a wish."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.set)

    def set(self) -> None:
        if not self.event.is_set():
            log.info("asked to stop: runs at work are left for the next process")
            _end_for_certain()
        self.event.set()
        self.thread.set()


def _end_for_certain() -> None:
    """End the process even where a thread does not: one that unpacks a large bundle cannot be stopped. Runs are interrupted by then."""

    def end() -> None:
        log.warning("did not end within %.0f s; a thread is still at work", STOP_SECONDS)
        logging.shutdown()
        os._exit(0)

    timer = threading.Timer(STOP_SECONDS, end)
    timer.daemon = True
    timer.start()


def _check_state(folder: Path) -> None:
    """Refuse a folder that cannot be written, such as a volume of another user: else the first upload or run would tell."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        remedy = f"Give user {os.getuid()} a folder, or volume, that it may write to; GENLEVEL_STATE_DIR names it."
        raise UserError(f"the state folder {folder} cannot be written: {error.strerror}", remedy, ExitCode.PREREQUISITE_MISSING) from None


async def serve(serving: Serving, settings: Settings, started: Started) -> None:
    """Serve until SIGINT or SIGTERM; runs at work then are taken up by the next process, or by ``genlevel runs resume``.

    Args:
        serving: What to serve.
        settings: Where the journal lies, and the endpoints of source ``configured``.
        started: Told the orchestrator's address and the evaluators' once both answer.

    Raises:
        UserError: Something cannot start, or the evaluators ended by themselves.
    """
    check_options(serving.options)
    _check_state(settings.state)
    stop = _Stop()
    stop.listen()
    async with health_port(serving.options.host, serving.health_port) as set_ready:
        try:
            journal = await asyncio.to_thread(Journal, settings, settings.database_start_seconds, stop.thread)
        except UserError:
            if stop.event.is_set():
                return
            raise
        try:
            async with _evaluators(serving, settings) as (endpoints, ended):
                known = {name: endpoint.target for name, endpoint in endpoints.items()}
                service = RunService(settings.model_copy(update={"evaluators": endpoints}), journal=journal)
                async with _server(serving, settings, service, set_ready) as address:
                    started(address, known)
                    await _first(stop.event.wait(), ended)
        finally:
            journal.close()
    if not stop.event.is_set():
        raise UserError("the evaluators ended by themselves", f"See {_log(settings)}.", ExitCode.UNREACHABLE)


@asynccontextmanager
async def _server(serving: Serving, settings: Settings, service: RunService, set_ready: Setter) -> AsyncIterator[str]:
    """The server at work; yields its address."""
    uploads = UploadStore(settings.state / "uploads", settings.uploads)
    uploads.clear()
    backend = JournalBackend(service, at_once=serving.runs_at_once, resume=serving.resume)
    server = OrchestratorServer(backend, serving.roots, serving.options, service.catalogue, uploads)
    address = await server.start()
    backend.start()
    watching = asyncio.create_task(watch_journal(service.journal, [set_ready, server.set_ready]))
    try:
        yield address
    finally:
        watching.cancel()
        await set_ready(False)
        await asyncio.shield(server.stop())


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
