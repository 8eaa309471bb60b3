"""Writes to the journal from the event loop: whatever has gathered while a commit was on goes into the next one."""

from __future__ import annotations

import asyncio

from genlevel_orchestrator.runs.journal import Journal
from genlevel_orchestrator.runs.patience import Patience
from genlevel_orchestrator.runs.shard_journal import Write

_MOST = 500


class JournalWriter:
    """One commit per batch; ``put`` returns when its writes are on disk. A database that is away is waited for.

    Args:
        journal: what is written to.
        patience: how long a database may be away; the journal's own measure by default.
    """

    def __init__(self, journal: Journal, patience: Patience | None = None) -> None:
        self._journal = journal
        self._patience = patience or Patience(journal.retry_seconds)
        self._waiting: list[tuple[list[Write], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._closing = False
        self.commits = 0
        self._task = asyncio.create_task(self._work())

    async def put(self, *writes: Write) -> None:
        """Journal the writes together."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((list(writes), done))
        self._wake.set()
        await done

    def post(self, *writes: Write) -> None:
        """Journal the writes, without waiting for it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._waiting.append((list(writes), done))
        self._wake.set()

    async def _work(self) -> None:
        while not self._closing or self._waiting:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            if not self._waiting and not self._closing:
                self._wake.clear()
            await self._commit(batch)

    async def _commit(self, batch: list[tuple[list[Write], asyncio.Future[None]]]) -> None:
        if not batch:
            return
        writes = [write for group, _ in batch for write in group]
        try:
            await self._patience(self._journal.commit, writes)
        except Exception as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
            return
        self.commits += 1
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    async def close(self) -> None:
        """Write what is waiting and stop."""
        self._closing = True
        self._wake.set()
        await asyncio.shield(self._task)
