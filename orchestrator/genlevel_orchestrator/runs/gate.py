"""How many calls an evaluator gets at a time, and how a suspect is questioned alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """At most ``width`` calls at a time, or a single one that nobody else accompanies.

    A replica that dies takes all its calls with it. Only a shard that was alone can be blamed.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._inside = 0
        self._alone = False
        self._waiting_alone = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def pass_through(self, alone: bool = False) -> AsyncIterator[None]:
        """One call."""
        async with self._changed:
            self._waiting_alone += alone
            try:
                await self._changed.wait_for(lambda: self._may_enter(alone))
            finally:
                self._waiting_alone -= alone
            self._inside += 1
            self._alone = alone
        try:
            yield
        finally:
            await asyncio.shield(self._leave())

    def _may_enter(self, alone: bool) -> bool:
        if alone:
            return self._inside == 0
        # Those who want to be alone go first, or they would wait for ever.
        return not self._alone and not self._waiting_alone and self._inside < self._width

    async def _leave(self) -> None:
        async with self._changed:
            self._inside -= 1
            self._alone = False
            self._changed.notify_all()
