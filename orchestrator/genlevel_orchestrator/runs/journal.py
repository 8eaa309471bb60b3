"""The journal: runs, scored shards, outcomes and events. What is in it is never scored again."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from genlevel_orchestrator.catalogue.names import nearest
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import tables
from genlevel_orchestrator.runs.records import EventRecord, RunRecord, RunSpec, ShardRecord
from genlevel_orchestrator.runs.results import IssueRecord, RunResult, RunState, TaskOutcome, from_plain, to_plain
from genlevel_orchestrator.runs.store import StateStore
from genlevel_orchestrator.settings import Settings

STALE_SECONDS = 60.0
"""A run of another machine whose orchestrator has not shown itself for so long is taken for dead."""

Write = Callable[[sql.Connection], None]


class Journal:
    """The journal of one state folder or database. Methods may be called from any thread.

    Args:
        settings: where it lies.
    """

    def __init__(self, settings: Settings) -> None:
        self._engine = tables.connect(settings.database_url)
        self._writer = tables.writing(self._engine)
        self._store = StateStore(settings.store_url, settings.dispatch.inline_state_bytes)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def commit(self, writes: Sequence[Write]) -> None:
        """Do several writes in one transaction."""
        with self._writer.begin() as connection:
            for write in writes:
                write(connection)

    # Runs

    def create(self, spec: RunSpec) -> RunRecord:
        """A new run; the one already made when ``request_id`` is known."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        name = f"run-{stamp}-{secrets.token_hex(2)}"
        row = {
            "name": name, "request_id": spec.request_id or None, "model": spec.model, "spec": json.dumps(to_plain(spec)),
            "state": str(RunState.QUEUED), "created": time.time(), "owner": owner(), "beat": time.time(),
        }  # fmt: skip
        with self._writer.begin() as connection:
            if spec.request_id:
                known = connection.execute(
                    sql.select(tables.runs.c.name).where(tables.runs.c.request_id == spec.request_id)
                ).scalar()
                name = known or name
            if name == row["name"]:
                connection.execute(tables.runs.insert().values(**row))
        return self.run(name)

    def run(self, name: str) -> RunRecord:
        """A run by name.

        Raises:
            UserError: there is none; names the nearest.
        """
        with self._engine.connect() as connection:
            row = connection.execute(_run_columns().where(tables.runs.c.name == name)).mappings().first()
            if row is None:
                names = connection.execute(sql.select(tables.runs.c.name).order_by(tables.runs.c.created.desc()).limit(200))
                near = nearest(name, names.scalars())
                hint = f"Did you mean {', '.join(near)}?" if near else "List runs with `genlevel runs list`."
                raise UserError(f"no run {name!r}", hint)
        return _record(row)

    def runs(self, limit: int = 50, before: tuple[float, str] | None = None) -> list[RunRecord]:
        """Runs, newest first; ``before`` is (created, name) of the last one of the page before."""
        query = _run_columns().order_by(tables.runs.c.created.desc(), tables.runs.c.name.desc()).limit(limit)
        if before is not None:
            query = query.where(sql.tuple_(tables.runs.c.created, tables.runs.c.name) < sql.tuple_(*map(sql.literal, before)))
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def claim(self, name: str) -> RunRecord:
        """Take a run over, to execute it.

        Raises:
            UserError: another process is at work on it, or it has ended well.
        """
        with self._writer.begin() as connection:
            row = connection.execute(sql.select(tables.runs).where(tables.runs.c.name == name)).mappings().first()
            if row is None:
                raise UserError(f"no run {name!r}", "List runs with `genlevel runs list`.")
            mine = row["owner"] == owner()
            if row["state"] in (RunState.QUEUED, RunState.RUNNING) and not mine and _alive(row["owner"], row["beat"]):
                raise UserError(f"run {name} is at work in another process", f"Watch it with `genlevel runs watch {name}`.")
            connection.execute(
                tables.runs.update().where(tables.runs.c.name == name).values(
                    state=str(RunState.RUNNING), owner=owner(), beat=time.time(), ended=None,
                    cancel_requested=row["cancel_requested"] and row["state"] == RunState.QUEUED,
                    tasks_done=0, tasks_total=0, shards_total=0, shards_done=0, shards_reused=0, message="", result=None,
                )
            )  # fmt: skip
            connection.execute(tables.outcomes.delete().where(tables.outcomes.c.run == name))
        return self.run(name)

    def beat(self, name: str) -> bool:
        """Show that the run's process lives; returns whether someone asked it to stop."""
        with self._writer.begin() as connection:
            connection.execute(tables.runs.update().where(tables.runs.c.name == name).values(beat=time.time()))
            query = sql.select(tables.runs.c.cancel_requested).where(tables.runs.c.name == name)
            return bool(connection.execute(query).scalar())

    def request_cancel(self, name: str) -> RunRecord:
        """Ask a run to stop.

        Raises:
            UserError: it has ended.
        """
        record = self.run(name)
        if record.state.ended:
            raise UserError(f"run {name} has ended ({record.state})", "There is nothing to cancel.")
        with self._writer.begin() as connection:
            connection.execute(tables.runs.update().where(tables.runs.c.name == name).values(cancel_requested=True))
        return self.run(name)

    def finish(self, name: str, state: RunState, message: str = "", result: RunResult | None = None) -> None:
        """End a run."""
        values: dict[str, Any] = {"state": str(state), "ended": time.time(), "message": message}
        if result is not None:
            values["result"] = json.dumps(to_plain(result), allow_nan=False)
        update = tables.runs.update().where(tables.runs.c.name == name).values(**values)
        with self._writer.begin() as connection:
            connection.execute(update)

    def result(self, name: str) -> RunResult | None:
        """The result of a run that has ended, else None."""
        self.run(name)
        with self._engine.connect() as connection:
            text = connection.execute(sql.select(tables.runs.c.result).where(tables.runs.c.name == name)).scalar()
        return from_plain(RunResult, json.loads(text)) if text else None

    def outcomes(self, name: str) -> dict[str, TaskOutcome]:
        """Outcomes so far, by task id."""
        query = sql.select(tables.outcomes.c.task_id, tables.outcomes.c.outcome).where(tables.outcomes.c.run == name)
        with self._engine.connect() as connection:
            return {task_id: from_plain(TaskOutcome, json.loads(text)) for task_id, text in connection.execute(query)}

    # Shards

    def shard(self, key: str) -> ShardRecord | None:
        """A journalled shard without its state; None when it is not there, or its state is lost."""
        columns = [column for column in tables.shards.c if column.name != "state"]
        with self._engine.connect() as connection:
            row = connection.execute(sql.select(*columns).where(tables.shards.c.key == key)).mappings().first()
        if row is None or (row["state_file"] is not None and not self._store.has(row["state_file"])):
            return None
        parts = tuple(json.loads(row["parts"])) if row["parts"] else ()
        issues = tuple(from_plain(IssueRecord, item) for item in json.loads(row["issues"]))
        return ShardRecord(key, row["evaluator"], row["signature"], row["samples"], None, issues, row["value"], parts)

    def state(self, key: str) -> bytes:
        """The state of a journalled shard.

        Raises:
            UserError: it was removed or damaged meanwhile.
        """
        query = sql.select(tables.shards.c.state, tables.shards.c.state_file).where(tables.shards.c.key == key)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        state: bytes | None = None
        if row is not None:
            state = row["state"] if row["state_file"] is None else self._store.load(row["state_file"])
        if state is None:
            raise UserError(f"the state of shard {key[:16]}... is lost", "Resume the run: the shard is scored again.")
        return state

    def put_shard(self, run: str, shard: ShardRecord) -> Write:
        """The write that journals a shard. Its large state is stored before, so that a journalled shard always has one."""
        inline, file = self._store.save(shard.key, shard.state)
        row = {
            "key": shard.key, "evaluator": shard.evaluator, "signature": shard.signature, "samples": shard.samples,
            "state": inline, "state_file": file, "issues": json.dumps(to_plain(shard.issues)), "value": shard.value,
            "parts": json.dumps(shard.parts) if shard.parts else None, "run": run, "created": time.time(),
        }  # fmt: skip

        def write(connection: sql.Connection) -> None:
            # Another run may have journalled the same content meanwhile; a lost state file makes a row worth replacing.
            connection.execute(tables.shards.delete().where(tables.shards.c.key == shard.key))
            connection.execute(tables.shards.insert().values(**row))

        return write

    # Events

    def put_event(self, run: str, kind: str, task_id: str, message: str, counters: dict[str, int]) -> Write:
        """The write that notes an event and the run's counters after it."""
        row = {
            "run": run, "time": time.time(), "kind": kind, "task_id": task_id, "message": message,
            "counters": json.dumps(counters),
        }  # fmt: skip

        def write(connection: sql.Connection) -> None:
            connection.execute(tables.events.insert().values(**row))
            connection.execute(tables.runs.update().where(tables.runs.c.name == run).values(**counters))

        return write

    def put_outcome(self, run: str, outcome: TaskOutcome) -> Write:
        """The write that notes a task's outcome."""
        text = json.dumps(to_plain(outcome), allow_nan=False)

        def write(connection: sql.Connection) -> None:
            where = (tables.outcomes.c.run == run) & (tables.outcomes.c.task_id == outcome.task_id)
            connection.execute(tables.outcomes.delete().where(where))
            connection.execute(tables.outcomes.insert().values(run=run, task_id=outcome.task_id, outcome=text))

        return write

    def events(self, name: str, after: int = 0, limit: int = 1000) -> list[EventRecord]:
        """Events of a run behind a token, oldest first."""
        query = (
            sql.select(tables.events)
            .where((tables.events.c.run == name) & (tables.events.c.token > after))
            .order_by(tables.events.c.token)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [
                EventRecord(row["token"], name, row["time"], row["kind"], row["task_id"], row["message"], json.loads(row["counters"]))
                for row in connection.execute(query).mappings()
            ]


def _run_columns() -> sql.Select[Any]:
    return sql.select(*(column for column in tables.runs.c if column.name != "result"))


def _record(row: sql.RowMapping) -> RunRecord:
    state = RunState(row["state"])
    if not state.ended and not _alive(row["owner"], row["beat"]):
        state = RunState.INTERRUPTED
    return RunRecord(
        row["name"], from_plain(RunSpec, json.loads(row["spec"])), state, row["created"], row["ended"], row["tasks_total"],
        row["tasks_done"], row["shards_total"], row["shards_done"], row["shards_reused"], row["message"], row["cancel_requested"],
    )  # fmt: skip


def owner() -> str:
    """This process, so that others can tell whether it still lives: host, pid and when it started."""
    return json.dumps([socket.gethostname(), os.getpid(), _started(os.getpid())])


def _started(pid: int) -> str:
    """Start time of a process in ticks since boot; empty when there is no such process. A pid alone may be used again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _alive(holder: str, beat: float) -> bool:
    try:
        host, pid, started = json.loads(holder)
    except ValueError:
        return False
    if host != socket.gethostname():
        return time.time() - beat < STALE_SECONDS
    return bool(started) and _started(pid) == started
