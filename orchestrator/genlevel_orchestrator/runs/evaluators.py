"""Getting hold of evaluators: those of the settings, or a child process that serves them on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.media_store import MediaStore
from genlevel_orchestrator.runs.tasks import Evaluators
from genlevel_orchestrator.settings import Endpoint, Settings

Mode = Literal["configured", "embedded", "bare"]
GROUP = "genlevel.evaluators"
_MODULES = {"embedded": "genlevel_evaluator.serve.embedded", "bare": "genlevel_evaluator.serve.bare"}
_READY_SECONDS = 180.0
_STOP_SECONDS = 20.0


@asynccontextmanager
async def open_evaluators(
    settings: Settings, names: Iterable[str], roots: Sequence[Path], mode: Mode, log: Path
) -> AsyncIterator[Evaluators]:
    """The evaluators of those names, being described; closed and ended afterwards.

    Args:
        settings: holds the endpoints of mode ``configured``.
        names: evaluators the run needs.
        roots: folders they may read media from.
        mode: where they come from: the settings, or a child process with Ray Serve or bare gRPC servers.
        log: file for what a child process writes.

    Raises:
        UserError: the child process does not start.
    """
    wanted = sorted(set(names))
    if mode == "configured":
        endpoints = {name: settings.evaluators[name] for name in wanted if name in settings.evaluators}
        async with _connected(settings, endpoints, wanted, "no endpoint in the settings") as evaluators:
            yield evaluators
        return
    installed = {entry.name for entry in entry_points(group=GROUP)}
    present = [name for name in wanted if name in installed]
    if not present:
        async with _connected(settings, {}, wanted, "not installed") as evaluators:
            yield evaluators
        return
    child = LocalEvaluators(_MODULES[mode], present, roots, log)
    async with child as endpoints, _connected(settings, endpoints, wanted, "not installed") as evaluators:
        yield evaluators


@asynccontextmanager
async def _connected(
    settings: Settings, endpoints: dict[str, Endpoint], wanted: Sequence[str], why_not: str
) -> AsyncIterator[Evaluators]:
    clients = {name: EvaluatorClient(name, endpoint, settings.dispatch) for name, endpoint in endpoints.items()}
    store = MediaStore(settings.media_store) if settings.media_store else None
    evaluators = Evaluators(clients, absent={name: why_not for name in wanted if name not in endpoints}, store=store)
    try:
        evaluators.describe()
        yield evaluators
    finally:
        await evaluators.close()


@dataclass
class LocalEvaluators:
    """Evaluators in a child process of their own group, on loopback. It ends when its standard input closes, so also when this
    process is killed.

    Attributes:
        module: what serves them.
        names: which.
        roots: folders they may read media from.
        log: file for what they write.
    """

    module: str
    names: Sequence[str]
    roots: Sequence[Path]
    log: Path
    _process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> dict[str, Endpoint]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", self.module, "--port", "0", "--only", ",".join(self.names)]
        command += ["--roots", *map(str, self.roots)] if self.roots else []
        with self.log.open("ab") as log:
            # A group of its own: Ctrl-C on the terminal is for us, and we end the child in order.
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, start_new_session=True
            )
        try:
            return await asyncio.wait_for(self._endpoints(), _READY_SECONDS)
        except TimeoutError:
            await self.stop()
            raise self._error(f"did not start within {_READY_SECONDS:.0f} s") from None
        except BaseException:
            await asyncio.shield(self.stop())
            raise

    async def _endpoints(self) -> dict[str, Endpoint]:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if line.startswith(b"{"):
                found = json.loads(line)["endpoints"]
                return {name: Endpoint(target=target) for name, target in found.items()}
        code = await self._process.wait()
        raise self._error(f"ended with code {code} before they served")

    def _error(self, what: str) -> UserError:
        tail = self.log.read_text(errors="replace").strip().splitlines()[-8:]
        return UserError(
            f"the evaluators on this machine {what}:\n" + "\n".join(f"  {line}" for line in tail),
            f"See {self.log}; `genlevel doctor` checks what they need.",
            ExitCode.PREREQUISITE_MISSING,
        )

    async def __aexit__(self, *exception: object) -> None:
        # A second Ctrl-C must not leave processes behind.
        await asyncio.shield(self.stop())

    async def ended(self) -> int:
        """The child's exit code, once it has ended by itself."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End the child: by closing its input, then by signals to its group."""
        process = self._process
        if process is None:
            return
        self._process = None
        if process.stdin is not None:
            process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
                break
            except TimeoutError:
                _signal_group(process.pid, number)
        if await process.wait() != 0:
            _signal_group(process.pid, signal.SIGKILL)  # what a child that failed left in its group


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
