"""Health: ``live`` while the process serves, ``ready`` while its journal answers. grpc.health.v1 on a port of its own.

The probes of Kubernetes speak neither TLS nor send a token, so the port has neither; it tells nothing else. Whether evaluators answer is
no part of it: a run waits for them, and an orchestrator taken out of its Service for their sake could not even say so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.database import Database, DatabaseAway

log = logging.getLogger(__name__)

LIVE, READY = "live", "ready"
CHECK_SECONDS = 1.0
_ANSWER_SECONDS = 8.0

Setter = Callable[[bool], Awaitable[None]]


class Health:
    """States of named services, as the health service tells them."""

    def __init__(self) -> None:
        self.servicer = health.aio.HealthServicer()

    async def set(self, names: Sequence[str], serving: bool) -> None:
        """Say of services whether they serve."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in names:
            await self.servicer.set(name, state)


@asynccontextmanager
async def health_port(host: str, port: int | None) -> AsyncIterator[Setter]:
    """A server that answers ``live`` at once, and ``ready`` and the empty name as it is told; none where no port is given.

    Raises:
        UserError: the port is taken.
    """
    answers = Health()
    await answers.set([LIVE], True)
    await answers.set([READY, ""], False)

    async def set_ready(serving: bool) -> None:
        await answers.set([READY, ""], serving)

    if port is None:
        yield set_ready
        return
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health_pb2_grpc.add_HealthServicer_to_server(answers.servicer, server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        bound = 0
    if not bound:
        raise UserError(f"cannot listen on {host}:{port} for health checks", "Choose another port with --health-port.")
    await server.start()
    log.info("health checks: %s:%d", host, bound)
    try:
        yield set_ready
    finally:
        await answers.servicer.enter_graceful_shutdown()
        await server.stop(0.2)


async def watch_journal(journal: Database, setters: Sequence[Setter]) -> None:
    """Keep readiness what the journal makes of it, until cancelled."""
    # A thread of its own: those of the event loop may all be waiting for the same database.
    with ThreadPoolExecutor(1, "health") as thread:
        was: bool | None = None
        while True:
            cause = await _cause(journal, thread)
            if was is not (serving := not cause):
                log.log(logging.INFO if serving else logging.ERROR, "ready" if serving else f"not ready: {cause}")
                for setter in setters:
                    await setter(serving)
                was = serving
            await asyncio.sleep(CHECK_SECONDS)


async def _cause(journal: Database, thread: ThreadPoolExecutor) -> str:
    """Why the journal does not answer; empty when it does."""
    try:
        await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(thread, journal.ping), _ANSWER_SECONDS)
    except TimeoutError:
        return f"the journal {journal.where} does not answer within {_ANSWER_SECONDS:.0f} s"
    except DatabaseAway as error:
        return error.message
    except Exception as error:  # whatever it is, such a journal serves nobody
        return f"the journal {journal.where}: {type(error).__name__}: {error}"
    return ""
