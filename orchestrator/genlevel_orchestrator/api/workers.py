"""Runs at work in the background of the server: a few at a time, and those that an earlier process left behind."""

from __future__ import annotations

import asyncio
import logging
import time

from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.database import DatabaseAway
from genlevel_orchestrator.runs.evaluators import Mode
from genlevel_orchestrator.runs.journal import RunTaken
from genlevel_orchestrator.runs.records import RunRecord
from genlevel_orchestrator.runs.results import RunState
from genlevel_orchestrator.runs.runner import RunCancelled
from genlevel_orchestrator.runs.service import RunService

log = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0
_NEW_SECONDS = 3.0
STARTS_IN_VAIN = 5
"""A run that began so often without scoring anything is not taken up again by itself: it may be what ends the process."""


class Workers:
    """Executes runs of one journal.

    Args:
        service: executes them.
        mode: where runs find their evaluators.
        at_once: runs at work at the same time; the others wait as queued.
        resume: take up runs of the API that were queued or cut off; those of processes that live are left alone.
    """

    def __init__(self, service: RunService, mode: Mode, at_once: int, resume: bool) -> None:
        self._service = service
        self._journal = service.journal
        self._mode: Mode = mode
        self._slots = asyncio.Semaphore(at_once)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._executing: set[str] = set()
        self._resume = resume
        self._sweeper: asyncio.Task[None] | None = None
        self.closing = False

    def start(self) -> None:
        """Begin to look for runs that were left behind, and to show that queued ones are not."""
        self._sweeper = asyncio.create_task(self._sweep())

    def begin(self, name: str) -> None:
        """Execute a run as soon as there is room; once, however often it is asked for."""
        if name in self._tasks or self.closing:
            return
        task = asyncio.create_task(self._work(name))
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    def holds(self, name: str) -> bool:
        """Whether a run is at work here, or waits here."""
        return name in self._tasks

    def goes_on(self, record: RunRecord) -> bool:
        """Whether a run that was cut off will be taken up again, here or by the next process."""
        return self._resume and record.state is RunState.INTERRUPTED and record.spec.origin == "api"

    async def close(self) -> None:
        """Stop what is at work; the journal keeps it."""
        self.closing = True
        tasks = [*self._tasks.values(), *([self._sweeper] if self._sweeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, name: str) -> None:
        try:
            async with self._slots:
                if (await asyncio.to_thread(self._journal.run, name)).cancel_requested:
                    await asyncio.to_thread(self._journal.finish, name, RunState.CANCELLED, "cancelled before it began")
                    return
                self._executing.add(name)
                await self._execute(name)
        except DatabaseAway as error:
            log.error("run %s waits: %s", name, error.message)  # the sweep takes it up
        finally:
            self._executing.discard(name)

    async def _execute(self, name: str) -> None:
        try:
            await self._service.execute(name, self._mode)
        except RunCancelled:
            log.info("run %s was cancelled", name)
        except RunTaken:
            log.warning("run %s goes on in another process", name)
        except DatabaseAway:
            raise
        except UserError as error:
            await self._failed(name, error.message)
        except Exception as error:
            log.exception("run %s failed", name)
            await self._failed(name, f"{type(error).__name__}: {error}")

    async def _failed(self, name: str, message: str) -> None:
        """End a run as failed, unless whoever executed it has ended it already."""
        if not (await asyncio.to_thread(self._journal.run, name)).state.ended:
            await asyncio.to_thread(self._journal.finish, name, RunState.FAILED, message)

    async def _sweep(self) -> None:
        while True:
            try:
                waiting = [name for name in self._tasks if name not in self._executing]
                if waiting:
                    await asyncio.to_thread(self._journal.keep_queued, waiting)
                if self._resume:
                    for record in await asyncio.to_thread(self._journal.abandoned):
                        if record.name not in self._tasks:
                            await self._take_up(record)
            except DatabaseAway as error:
                log.debug("no sweep: %s", error.message)  # readiness tells it aloud
            except Exception:
                log.exception("a sweep for runs left behind failed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _take_up(self, record: RunRecord) -> None:
        name = record.name
        if time.time() - record.created < _NEW_SECONDS:
            return  # the call that makes it may be about to begin it
        try:
            await asyncio.to_thread(self._journal.claim, name, RunState.QUEUED)
        except UserError as error:
            if isinstance(error, DatabaseAway):
                raise
            log.info("run %s: %s", name, error.message)  # another process was faster
            return
        vain = await asyncio.to_thread(self._journal.starts_in_vain, name)
        if record.cancel_requested:
            await asyncio.to_thread(self._journal.finish, name, RunState.CANCELLED, "cancelled by request")
        elif vain >= STARTS_IN_VAIN:
            words = f"began {vain} times without scoring anything; see the orchestrator's log, then resume the run"
            await asyncio.to_thread(self._journal.finish, name, RunState.FAILED, words)
        else:
            log.info("run %s is taken up again", name)
            self.begin(name)
