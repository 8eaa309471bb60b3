"""The watcher over a handle that answers as told: what it makes of deaths, lateness and the end. Needs no Ray process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ray.exceptions import ActorDiedError
from ray.serve.exceptions import RayServeException

from genlevel_evaluator.serve.health import LIVE, READY
from genlevel_evaluator.serve.logs import ServeLogs
from genlevel_evaluator.serve.plan import plan_of
from genlevel_evaluator.serve.watch import LATE, Watcher


class Handle:
    """Answers each broadcast with the next of `answers`, the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def broadcast(self, method: str) -> Handle:
        self.asked.append(method)
        return self

    async def results_async(self, timeout_s: float, return_exceptions: bool) -> list[Any]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return list(answer)


class Health:
    def __init__(self) -> None:
        self.states: dict[str, bool] = {LIVE: True, READY: True}

    def set(self, service: str, serving: bool) -> None:
        self.states[service] = serving


class Answering:
    """A channel on which every call is answered at once."""

    def unary_unary(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> None:
            return None

        return call

    stream_unary = unary_unary


def watcher(handle: Handle, health: Health, **numbers: float) -> Watcher:
    plan = replace(plan_of("video", {}), **numbers)  # type: ignore[arg-type]
    return Watcher("video", plan, handle, "127.0.0.1:1", health, ServeLogs("/nowhere", print))  # type: ignore[arg-type]


REPORT = {"replica": "r", "warm": True, "faults": (), "loaded": ("i3d",), "in_flight": 0}


@pytest.mark.parametrize(
    ("answer", "dead", "answered", "why"),
    [
        ([REPORT], False, True, ""),
        ([ActorDiedError()], True, False, "a replica is gone (ActorDiedError)"),
        (RayServeException("no replicas"), True, False, "no replica runs"),
        (TimeoutError(), False, False, LATE),
        ([], True, False, ""),
    ],
)
def test_looks(answer: Any, dead: bool, answered: bool, why: str) -> None:
    found = asyncio.run(watcher(Handle(answer), Health()).look(Answering()))
    assert (found.dead, found.answered, found.why) == (dead, answered, why)


async def drained(handle: Handle, health: Health, hurried: bool = False, **numbers: float) -> tuple[bool, float]:
    hurry = asyncio.Event()
    if hurried:
        hurry.set()
    begin = time.monotonic()
    finished = await watcher(handle, health, **numbers).drain(hurry)
    return finished, time.monotonic() - begin


def test_the_end_waits_for_calls_in_work() -> None:
    handle, health = Handle([2, 1], [1, 0], TimeoutError(), [0, 0]), Health()
    finished, took = asyncio.run(drained(handle, health, drain_seconds=0.3, graceful_shutdown_timeout_s=30))
    assert finished
    assert handle.asked == ["drain"] * 4  # a replica that does not answer in time is at work
    assert took > 0.3
    assert health.states == {LIVE: True, READY: False}


def test_the_end_has_an_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "genlevel"):
        finished, took = asyncio.run(drained(Handle([3]), Health(), drain_seconds=0, graceful_shutdown_timeout_s=0.5))
    assert not finished
    assert took < 5
    assert any("3 calls are cut off" in record.message for record in caplog.records)


def test_told_twice_it_does_not_wait_for_clients() -> None:
    finished, took = asyncio.run(drained(Handle([0]), Health(), hurried=True, drain_seconds=60, graceful_shutdown_timeout_s=30))
    assert finished
    assert took < 5


def test_a_replica_that_is_gone_has_no_calls_in_work() -> None:
    assert asyncio.run(drained(Handle(RayServeException("none")), Health(), drain_seconds=0, graceful_shutdown_timeout_s=30))[0]
