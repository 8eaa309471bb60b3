"""A gate lets a few in, and a suspect in alone."""

from __future__ import annotations

import asyncio

from genlevel_orchestrator.runs.gate import Gate


def test_at_most_its_width_and_suspects_alone() -> None:
    inside: list[bool] = []
    most = [0]

    async def call(gate: Gate, alone: bool) -> None:
        async with gate.pass_through(alone):
            inside.append(alone)
            most[0] = max(most[0], len(inside))
            assert len(inside) == 1 or not any(inside)
            await asyncio.sleep(0.001)
            inside.remove(alone)

    async def run() -> None:
        gate = Gate(3)
        await asyncio.gather(*(call(gate, number % 5 == 0) for number in range(60)))

    asyncio.run(run())
    assert most[0] == 3


def test_a_caller_that_is_cancelled_while_it_waits_leaves_no_trace() -> None:
    async def run() -> None:
        gate = Gate(1)
        async with gate.pass_through():
            waiting = asyncio.create_task(_enter(gate, True))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(_enter(gate, False), 1)

    asyncio.run(run())


async def _enter(gate: Gate, alone: bool) -> None:
    async with gate.pass_through(alone):
        pass
