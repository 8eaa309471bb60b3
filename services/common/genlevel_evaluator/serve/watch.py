"""Looks at the replicas of one evaluator from the process that started them, and keeps the health port true."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import grpc

from genlevel_evaluator.serve.health import LIVE, READY, HealthServer
from genlevel_evaluator.serve.local_ray import describe
from genlevel_evaluator.serve.logs import ServeLogs
from genlevel_evaluator.serve.plan import ServicePlan
from genlevel_evaluator.serve.readiness import Look, Readiness

log = logging.getLogger("genlevel")

LOOK_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""How long a look waits for one answer."""


class Watcher:
    """The evaluator as seen from outside its replicas.

    Args:
        name: of the evaluator.
        plan: how it runs.
        handle: of its Serve application.
        address: of its gRPC ingress.
        health: the health port.
        logs: Serve's log files.
    """

    def __init__(self, name: str, plan: ServicePlan, handle: Any, address: str, health: HealthServer, logs: ServeLogs) -> None:
        self._name = name
        self._plan = plan
        self._handle = handle
        self._address = address
        self._health = health
        self._logs = logs
        self._readiness = Readiness(plan.replicas, plan.live_seconds, time.monotonic())
        self._said: set[str] = set()

    async def watch(self, stop: asyncio.Event) -> None:
        """Looks again and again, until `stop`."""
        async with grpc.aio.insecure_channel(self._address) as channel:
            while not stop.is_set():
                self._tell(await self.look(channel))
                self._logs.forward()
                await pause(stop, LOOK_SECONDS)

    async def look(self, channel: Any) -> Look:
        """Asks every replica, and makes one real call where they are all well."""
        answers, why = await self._broadcast("report")
        reports = tuple(answer for answer in answers if isinstance(answer, dict))
        if why or len(reports) < self._plan.replicas:
            return Look(reports, dead=why != LATE, why=why)
        try:
            await describe(channel, self._name, ANSWER_SECONDS)
        except grpc.aio.AioRpcError as error:
            return Look(reports, why=f"no answer over gRPC: {error.code().name}")
        return Look(reports, answered=True)

    async def _broadcast(self, method: str) -> tuple[list[Any], str]:
        """What each replica answers, with Ray's errors among them; and what is wrong when they could not all be asked."""
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        try:
            answers = await self._handle.broadcast(method).results_async(timeout_s=ANSWER_SECONDS, return_exceptions=True)
        except TimeoutError:
            return [], LATE
        except (RayError, RayServeException):
            return [], "no replica runs"
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        return answers, f"a replica is gone ({type(failed[0]).__name__})" if failed else ""

    def _tell(self, look: Look) -> None:
        """Passes a look on to the health port and says what changed."""
        before = (self._readiness.ready, self._readiness.live, self._readiness.reasons)
        self._readiness.take(look, time.monotonic())
        now = (self._readiness.ready, self._readiness.live, self._readiness.reasons)
        self._health.set(READY, self._readiness.ready)
        self._health.set(LIVE, self._readiness.live)
        for report in look.reports:
            for backbone in report["loaded"]:
                self._once(f"replica {report['replica']}: backbone {backbone} is loaded")
        if now == before:
            return
        if self._readiness.ready:
            log.info("ready")
        for reason in self._readiness.reasons:
            log.warning("not ready: %s", reason)
        if not self._readiness.live:
            log.error("no answer for %g seconds: not live, a restart is due", self._plan.live_seconds)

    def _once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            log.info(line)

    async def drain(self, hurry: asyncio.Event) -> bool:
        """Not ready at once; takes calls until clients have seen that; then waits for those in work. Returns whether they are finished.

        Args:
            hurry: set when the evaluator was told a second time to end: takes no more calls at once.
        """
        self._health.set(READY, False)
        log.info("told to end: not ready; takes calls for %g more seconds", self._plan.drain_seconds)
        await pause(hurry, self._plan.drain_seconds)
        end = time.monotonic() + self._plan.graceful_shutdown_timeout_s
        left = await self._in_flight("drain")
        while left and time.monotonic() < end:
            await asyncio.sleep(0.2)
            left = await self._in_flight("drain")
        if left:
            log.warning("%d calls are cut off after %g seconds; their callers may repeat them", left, self._plan.graceful_shutdown_timeout_s)
        await asyncio.sleep(0.5)  # the last replies are on their way through the proxy
        self._logs.forward()
        return not left

    async def _in_flight(self, method: str) -> int:
        answers, why = await self._broadcast(method)
        # A replica that does not answer in time is at work.
        return sum(answer for answer in answers if isinstance(answer, int)) or int(why == LATE)


LATE = "a replica did not answer in time"


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Waits for that long, or until `event` is set."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
