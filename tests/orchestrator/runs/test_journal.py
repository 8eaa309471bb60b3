"""The journal: what is written is found again, also by another process and after a crash."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import journal as journal_module
from genlevel_orchestrator.runs import owners
from genlevel_orchestrator.runs.journal import Journal, RunTaken
from genlevel_orchestrator.runs.records import RunSpec, ShardRecord
from genlevel_orchestrator.runs.results import IssueRecord, RunResult, RunState, TaskOutcome, TaskStatus
from genlevel_orchestrator.runs.writer import JournalWriter
from genlevel_orchestrator.settings import Dispatch, Settings

SPEC = RunSpec("model", "/bundle", None, ("language.*",))


@pytest.fixture
def stored(settings: Settings, database: str) -> Settings:
    """Settings with a journal in SQLite or PostgreSQL."""
    return settings.model_copy(update={"database": database})


@pytest.fixture
def journal(stored: Settings) -> Iterator[Journal]:
    opened = Journal(stored)
    yield opened
    opened.close()


def _shard(key: str, state: bytes = b"state") -> ShardRecord:
    issues = (IssueRecord("1", "ODD", "warning", "an odd one"),)
    return ShardRecord(key, "language", "s" * 64, 3, state, issues, b"value")


def test_runs_are_found_again(journal: Journal) -> None:
    made = journal.create(SPEC)
    assert journal.run(made.name) == made
    assert (made.state, made.spec) == (RunState.QUEUED, SPEC)
    second = journal.create(SPEC)
    assert [record.name for record in journal.runs()] == [second.name, made.name]
    assert [record.name for record in journal.runs(1, (second.created, second.name))] == [made.name]


def test_a_request_id_makes_one_run(journal: Journal) -> None:
    spec = RunSpec("model", "/bundle", request_id="r-1")
    with ThreadPoolExecutor(4) as pool:
        names = {record.name for record in pool.map(lambda _: journal.create(spec), range(8))}
    assert len(names) == 1
    assert len(journal.runs()) == 1


def test_an_unknown_run_is_offered_the_nearest(journal: Journal) -> None:
    made = journal.create(SPEC)
    with pytest.raises(UserError) as caught:
        journal.run(made.name[:-1])
    assert made.name in str(caught.value.remedy)


@pytest.mark.parametrize("inline", [0, 1 << 20])
def test_shards_keep_their_state_inline_or_in_a_file(tmp_path: Path, database: str, inline: int) -> None:
    settings = Settings(state=tmp_path, database=database, dispatch=Dispatch(inline_state_bytes=inline))
    journal = Journal(settings)
    journal.commit([journal.put_shard("run", _shard("a" * 64, bytes(range(256)) * 4))])
    found = Journal(settings).shard("a" * 64)
    assert found is not None
    assert (found.samples, found.value, found.issues[0].code, found.state) == (3, b"value", "ODD", None)
    assert journal.state("a" * 64) == bytes(range(256)) * 4
    files = [path for path in (tmp_path / "states").rglob("*") if path.is_file()]
    assert len(files) == (inline == 0)


def test_a_lost_or_damaged_state_is_scored_again(tmp_path: Path, database: str) -> None:
    journal = Journal(Settings(state=tmp_path, database=database, dispatch=Dispatch(inline_state_bytes=0)))
    journal.commit([journal.put_shard("run", _shard("a" * 64))])
    (file,) = [path for path in (tmp_path / "states").rglob("*") if path.is_file()]
    file.write_bytes(b"damaged")
    with pytest.raises(UserError, match="lost"):
        journal.state("a" * 64)
    file.unlink()
    assert journal.shard("a" * 64) is None
    journal.commit([journal.put_shard("run", _shard("a" * 64))])
    assert journal.state("a" * 64) == b"state"


def test_events_have_growing_tokens(journal: Journal) -> None:
    made, other = journal.create(SPEC), journal.create(SPEC)
    for number in range(5):
        journal.commit([journal.put_event(run.name, "note", "", str(number), {"tasks_done": number}) for run in (made, other)])
    events = journal.events(made.name)
    assert [event.message for event in events] == list("01234")
    assert sorted({event.token for event in events}) == [event.token for event in events]
    assert [event.message for event in journal.events(made.name, events[2].token)] == ["3", "4"]
    assert journal.run(made.name).tasks_done == 4


def test_outcomes_and_results_come_back_as_they_were(journal: Journal) -> None:
    name = journal.create(SPEC).name
    outcome = TaskOutcome("t", TaskStatus.FAILED, "image", "psnr", reason="no")
    journal.commit([journal.put_outcome(name, outcome), journal.put_outcome(name, outcome)])
    assert journal.outcomes(name) == {"t": outcome}
    result = RunResult(name, "m", RunState.PROVISIONAL, "/b", None, "a", "b", (outcome,))
    journal.finish(name, RunState.PROVISIONAL, "1 failed", result)
    assert journal.result(name) == result
    assert journal.run(name).message == "1 failed"


def test_a_run_whose_process_died_is_interrupted_and_can_be_claimed(stored: Settings) -> None:
    script = (
        "import sys, pathlib; from genlevel_orchestrator.settings import Settings; from genlevel_orchestrator.runs.journal import Journal;"
        "from genlevel_orchestrator.runs.records import RunSpec; j = Journal(Settings(state=pathlib.Path(sys.argv[1]), database=sys.argv[2]));"
        "n = j.create(RunSpec('m', '/b')).name; j.claim(n); print(n)"
    )
    command = [sys.executable, "-c", script, str(stored.state), stored.database]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    name = done.stdout.strip()
    journal = Journal(stored)
    assert journal.run(name).state is RunState.INTERRUPTED
    assert journal.claim(name).state is RunState.RUNNING


def test_a_run_at_work_elsewhere_is_not_taken_over(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    name = journal.create(SPEC).name
    journal.claim(name)
    ours = journal_module.owner()
    monkeypatch.setattr(journal_module, "owner", lambda: json.dumps(["another host", 1, "1"]))
    with pytest.raises(UserError, match="at work in another process"):
        journal.claim(name)
    assert json.loads(ours)[1] > 0


def test_another_hosts_run_is_dead_when_it_has_been_silent(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "owner", lambda: json.dumps(["another host", 1, "1"]))
    name = journal.create(SPEC).name
    assert journal.run(name).state is RunState.QUEUED
    monkeypatch.setattr(owners, "STALE_SECONDS", -1.0)
    assert journal.run(name).state is RunState.INTERRUPTED


def test_cancelling(journal: Journal) -> None:
    name = journal.create(SPEC).name
    journal.claim(name)
    assert not journal.beat(name)
    journal.request_cancel(name)
    assert journal.beat(name)
    journal.finish(name, RunState.CANCELLED)
    with pytest.raises(UserError, match="has ended"):
        journal.request_cancel(name)


def test_a_cancel_before_the_start_is_not_forgotten(journal: Journal) -> None:
    name = journal.create(SPEC).name
    journal.request_cancel(name)
    journal.claim(name)
    assert journal.beat(name)


def test_writes_that_gather_go_into_one_commit(journal: Journal) -> None:
    async def write() -> int:
        writer = JournalWriter(journal)
        await asyncio.gather(*(writer.put(journal.put_shard("run", _shard(f"{number:064d}"))) for number in range(200)))
        await writer.close()
        return writer.commits

    assert asyncio.run(write()) < 20
    assert all(journal.shard(f"{number:064d}") for number in range(200))


def test_a_failed_commit_is_told_to_those_who_wait(journal: Journal) -> None:
    def broken(_: object) -> None:
        raise sqlite3.OperationalError("disk full")

    async def write() -> None:
        writer = JournalWriter(journal)
        try:
            await writer.put(broken)
        finally:
            await writer.close()

    with pytest.raises(sqlite3.OperationalError):
        asyncio.run(write())


def test_a_journal_of_another_version_is_refused(settings: Settings) -> None:
    Journal(settings).close()
    with sqlite3.connect(settings.state / "journal.sqlite") as connection:
        connection.execute("update meta set value = '99'")
    with pytest.raises(UserError, match="schema 99"):
        Journal(settings)


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").mkdir()
    with pytest.raises(UserError, match=r"journal sqlite:"):
        Journal(Settings(state=tmp_path))


def test_two_processes_write_at_once(stored: Settings) -> None:
    script = (
        "import sys, pathlib; from genlevel_orchestrator.settings import Settings; from genlevel_orchestrator.runs.journal import Journal;"
        "from genlevel_orchestrator.runs.records import RunSpec; j = Journal(Settings(state=pathlib.Path(sys.argv[1]), database=sys.argv[2]));"
        "n = j.create(RunSpec('m', '/b')).name\n"
        "for k in range(40): j.commit([j.put_event(n, 'note', '', str(k), {'tasks_done': k})])"
    )
    # Both also make the tables of an empty database at the same time.
    children = [subprocess.Popen([sys.executable, "-c", script, str(stored.state), stored.database]) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    journal = Journal(stored)
    assert [len(journal.events(record.name)) for record in journal.runs()] == [40, 40]


def test_writers_of_the_same_shards_in_other_orders_all_succeed(stored: Settings) -> None:
    """PostgreSQL ends one of two transactions that wait for each other; the writer tries again."""
    journals = [Journal(stored) for _ in range(3)]
    keys = [f"{number:064d}" for number in range(60)]

    async def write(journal: Journal, chosen: list[str]) -> None:
        writer = JournalWriter(journal)
        for start in range(0, len(chosen), 20):
            await writer.put(*(journal.put_shard("run", _shard(key, key.encode())) for key in chosen[start : start + 20]))
        await writer.close()

    async def all_of_them() -> None:
        orders = (keys, keys[::-1], keys[30:] + keys[:30])
        await asyncio.gather(*(write(journal, order) for journal, order in zip(journals, orders, strict=True) for _ in range(2)))

    asyncio.run(all_of_them())
    assert all(journals[0].state(key) == key.encode() for key in keys)


def test_words_of_any_kind_can_be_journalled(journal: Journal) -> None:
    odd = "nul \x00, half \ud83d, whole \U0001f600"
    made = journal.create(RunSpec(odd, "/bundle"))
    journal.claim(made.name)
    journal.commit([journal.put_event(made.name, "note", "t", odd, {})])
    journal.commit([journal.put_outcome(made.name, TaskOutcome("t", TaskStatus.FAILED, "image", "psnr", reason=odd))])
    journal.finish(made.name, RunState.FAILED, odd)
    assert journal.run(made.name).message == "nul \ufffd, half ?, whole \U0001f600"
    assert journal.outcomes(made.name)["t"].reason == odd


def test_who_was_taken_for_dead_steps_aside(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    name = journal.create(SPEC).name
    journal.claim(name)
    with monkeypatch.context() as other:
        other.setattr(journal_module, "owner", lambda: json.dumps(["this host", 1, "1", "another kernel", "x"]))
        other.setattr(journal_module, "alive", lambda *_: False)
        journal.claim(name)
    with pytest.raises(RunTaken):
        journal.beat(name)
    journal.finish(name, RunState.SUCCEEDED, "ours is no longer the word that counts")
    assert journal.run(name).message == ""


@pytest.mark.parametrize("place", ["another kernel or pid namespace", ""])
def test_a_pid_of_another_container_says_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Two containers of one host name both have a process 1; only the heartbeat tells whether the other one lives."""
    host, pid, started, *_ = json.loads(owners.owner())
    monkeypatch.setattr(journal_module, "owner", lambda: json.dumps([host, pid + 1, started, place, "x"]))
    name = journal.create(SPEC).name
    assert journal.run(name).state is RunState.QUEUED
    monkeypatch.setattr(owners, "STALE_SECONDS", -1.0)
    assert journal.run(name).state is RunState.INTERRUPTED


def test_only_abandoned_runs_of_the_api_are_offered(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_other(origin: str = "api") -> str:
        with monkeypatch.context() as other:
            other.setattr(journal_module, "owner", lambda: json.dumps(["host", 1, "1", "another kernel", "x"]))
            return journal.create(RunSpec("m", "/b", origin=origin)).name

    lives, command_line = of_other(), of_other("")
    assert journal.abandoned() == []
    interrupted = journal.create(RunSpec("m", "/b", origin="api")).name
    journal.claim(interrupted)
    journal.finish(interrupted, RunState.INTERRUPTED)
    ended = journal.create(RunSpec("m", "/b", origin="api")).name
    journal.finish(ended, RunState.SUCCEEDED)
    assert [record.name for record in journal.abandoned()] == [interrupted]
    monkeypatch.setattr(owners, "STALE_SECONDS", -1.0)
    assert {record.name for record in journal.abandoned()} == {interrupted, lives}
    assert command_line not in {record.name for record in journal.abandoned()}
