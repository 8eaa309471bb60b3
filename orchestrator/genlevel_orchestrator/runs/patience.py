"""Asking the journal again while its database is away, so that a run at work outlives a restart of the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from genlevel_orchestrator.runs.database import DatabaseAway

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
HURRY_SECONDS = 5.0
_LONGEST_PAUSE = 2.0


class Patience:
    """Calls blocking functions of the journal in a thread, again and again for a bounded time.

    Args:
        seconds: how long the database may be away.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def hurry(self) -> None:
        """The process is to end: wait no longer than a few seconds from now on."""
        self._seconds = min(self._seconds, HURRY_SECONDS)

    async def __call__(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The function's result.

        Raises:
            DatabaseAway: the database stayed away for too long.
        """
        loop = asyncio.get_running_loop()
        begun, pause = loop.time(), 0.05
        while True:
            try:
                return await asyncio.to_thread(function, *arguments, **named)
            except DatabaseAway as error:
                waited = loop.time() - begun
                if waited >= self._seconds:
                    raise
                if pause >= 0.2:  # a deadlock is over at once, and not worth a line
                    log.warning("%s; waiting, %.0f s more", error.message, self._seconds - waited)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
