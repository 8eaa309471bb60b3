"""Runs that an earlier process left behind: whom the next one takes up, and whom it leaves alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from genlevel_orchestrator.api import workers
from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs import journal as journal_module
from genlevel_orchestrator.runs import owners
from genlevel_orchestrator.runs.records import RunSpec
from genlevel_orchestrator.runs.results import RunState
from genlevel_orchestrator.settings import Settings

ELSEWHERE = json.dumps(["pod-1", 1, "1", "another kernel pid:[1]", "instance"])


@pytest.fixture
def swept(
    tmp_path: Path, calls: Any, result: Any, catalogue: Catalogue, database: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Any], Any], Callable[[Any], Awaitable[Any]]], Any]:
    """Prepares a journal as another process left it, then lets a backend sweep."""
    monkeypatch.setattr(workers, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(workers, "_NEW_SECONDS", 0.0)
    (tmp_path / "data").mkdir(exist_ok=True)

    def play(prepare: Callable[[Any], Any], scenario: Callable[[Any], Awaitable[Any]], resume: bool = True) -> Any:
        async def main() -> Any:
            service = calls.MadeUpService(Settings(state=tmp_path / "state", database=database), catalogue)
            service.template, service.executed = result, []
            with monkeypatch.context() as other:
                other.setattr(journal_module, "owner", lambda: ELSEWHERE)
                service.names = prepare(service.journal)
            backend = JournalBackend(service, resume=resume)
            backend.start()
            try:
                return await asyncio.wait_for(scenario(service), 30)
            finally:
                await backend.close()
                service.close()

        return asyncio.run(main())

    return play


def _left_running(journal: Any) -> list[str]:
    name = journal.create(RunSpec("fast", "/data", origin="api")).name
    journal.claim(name)
    return [name]


async def _ended(service: Any, name: str) -> RunState:
    while not (state := service.journal.run(name).state).ended or state is RunState.INTERRUPTED:
        await asyncio.sleep(0.02)
    return state


def test_a_silent_process_elsewhere_is_followed_by_this_one_and_a_living_one_is_not(swept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(service: Any) -> None:
        (name,) = service.names
        await asyncio.sleep(0.5)
        assert service.executed == [], "its heartbeat is fresh"
        monkeypatch.setattr(owners, "STALE_SECONDS", 0.2)
        assert await _ended(service, name) is RunState.SUCCEEDED
        assert service.executed == [name]

    swept(_left_running, scenario)


def test_a_cancel_that_the_dead_process_did_not_see_is_not_forgotten(swept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "STALE_SECONDS", -1.0)

    def prepare(journal: Any) -> list[str]:
        with monkeypatch.context() as living:
            living.setattr(owners, "STALE_SECONDS", 60.0)
            names = _left_running(journal)
            journal.request_cancel(names[0])
        return names

    async def scenario(service: Any) -> None:
        assert await _ended(service, service.names[0]) is RunState.CANCELLED
        assert service.executed == []

    swept(prepare, scenario)


def test_a_run_that_ends_its_process_each_time_is_given_up(swept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "STALE_SECONDS", -1.0)

    def prepare(journal: Any) -> list[str]:
        names = _left_running(journal)
        journal.commit([journal.put_event(names[0], "shard_done", "", "", {})])
        journal.commit([journal.put_event(names[0], "run_started", "", "", {}) for _ in range(workers.STARTS_IN_VAIN)])
        return names

    async def scenario(service: Any) -> None:
        assert await _ended(service, service.names[0]) is RunState.FAILED
        assert "began 5 times" in service.journal.run(service.names[0]).message
        assert service.executed == []

    swept(prepare, scenario)


def test_without_resume_nothing_is_taken_up(swept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "STALE_SECONDS", -1.0)

    async def scenario(service: Any) -> None:
        await asyncio.sleep(0.5)
        assert service.executed == []
        assert service.journal.run(service.names[0]).state is RunState.INTERRUPTED

    swept(_left_running, scenario, False)
