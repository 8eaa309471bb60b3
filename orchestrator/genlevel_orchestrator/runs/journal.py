"""The journal: runs, their outcomes and events; its shards are in ``shard_journal``."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql

from genlevel_orchestrator.catalogue.names import nearest
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import tables
from genlevel_orchestrator.runs.details import SampleDetails, pack, unpack
from genlevel_orchestrator.runs.owners import alive, owner
from genlevel_orchestrator.runs.records import EventRecord, RunRecord, RunSpec
from genlevel_orchestrator.runs.results import RunResult, RunState, TaskOutcome, from_plain, to_plain
from genlevel_orchestrator.runs.shard_journal import ShardJournal, Write

UNENDED = (str(RunState.QUEUED), str(RunState.RUNNING))


class RunTaken(Exception):
    """Another process has taken the run over: this one was taken for dead."""


class Journal(ShardJournal):
    """The journal of one state folder or database. Methods may be called from any thread.

    Every method raises ``DatabaseAway`` when the database does not answer; it may then be called again.
    """

    # Runs

    def create(self, spec: RunSpec) -> RunRecord:
        """A new run; the one already made when ``request_id`` is known."""
        known = self._known(spec.request_id)
        if known is not None:
            return known
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        name = f"run-{stamp}-{secrets.token_hex(4)}"
        row = {
            "name": name, "request_id": spec.request_id or None, "model": _text(spec.model), "spec": json.dumps(to_plain(spec)),
            "state": str(RunState.QUEUED), "created": time.time(), "owner": owner(), "beat": time.time(),
        }  # fmt: skip
        try:
            with self.writing() as connection:
                connection.execute(tables.runs.insert().values(**row))
        except sql.exc.IntegrityError:
            # Someone else made the run of this request between our question and our insert.
            known = self._known(spec.request_id)
            if known is None:
                raise
            return known
        return self.run(name)

    def _known(self, request_id: str) -> RunRecord | None:
        if not request_id:
            return None
        with self.reading() as connection:
            row = connection.execute(_run_columns().where(tables.runs.c.request_id == request_id)).mappings().first()
        return _record(row) if row is not None else None

    def run(self, name: str) -> RunRecord:
        """A run by name.

        Raises:
            UserError: there is none; names the nearest.
        """
        with self.reading() as connection:
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
        with self.reading() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def claim(self, name: str, state: RunState = RunState.RUNNING) -> RunRecord:
        """Take a run over, to execute it now, or later where ``state`` is QUEUED.

        Raises:
            UserError: another process is at work on it, or it has ended well.
        """
        with self.writing() as connection:
            # The row is locked, so that of two processes one takes the run and the other sees it taken.
            query = sql.select(tables.runs).where(tables.runs.c.name == name).with_for_update()
            row = connection.execute(query).mappings().first()
            if row is None:
                raise UserError(f"no run {name!r}", "List runs with `genlevel runs list`.")
            mine = row["owner"] == owner()
            if row["state"] in UNENDED and not mine and alive(row["owner"], row["beat"]):
                raise UserError(f"run {name} is at work in another process", f"Watch it with `genlevel runs watch {name}`.")
            connection.execute(
                tables.runs.update().where(tables.runs.c.name == name).values(
                    state=str(state), owner=owner(), beat=time.time(), ended=None,
                    cancel_requested=row["cancel_requested"] and row["state"] == RunState.QUEUED,
                    tasks_done=0, tasks_total=0, shards_total=0, shards_done=0, shards_reused=0, message="", result=None,
                )
            )  # fmt: skip
            for table in (tables.outcomes, tables.details):
                connection.execute(table.delete().where(table.c.run == name))
        return self.run(name)

    def beat(self, name: str) -> bool:
        """Show that the run's process lives; returns whether someone asked it to stop.

        Raises:
            RunTaken: the run is another process's by now.
        """
        with self.writing() as connection:
            if not connection.execute(_mine(name).values(beat=time.time())).rowcount:
                raise RunTaken(name)
            query = sql.select(tables.runs.c.cancel_requested).where(tables.runs.c.name == name)
            return bool(connection.execute(query).scalar())

    def keep_queued(self, names: Sequence[str]) -> None:
        """Show that the process lives that these runs wait in."""
        chosen = tables.runs.c.name.in_(names) & (tables.runs.c.owner == owner())
        with self.writing() as connection:
            connection.execute(tables.runs.update().where(chosen).values(beat=time.time()))

    def abandoned(self) -> list[RunRecord]:
        """Runs made through the API that wait for someone to go on with them: cut off, or held by this very process."""
        states = (*UNENDED, str(RunState.INTERRUPTED))
        query = sql.select(tables.runs).where(tables.runs.c.state.in_(states)).order_by(tables.runs.c.created)
        with self.reading() as connection:
            rows = connection.execute(query).mappings().all()
        free = [row for row in rows if row["state"] not in UNENDED or row["owner"] == owner() or not alive(row["owner"], row["beat"])]
        return [record for record in map(_record, free) if record.spec.origin == "api"]

    def starts_in_vain(self, name: str) -> int:
        """How often the run began without a single shard or task that ended since."""
        kinds = sql.select(tables.events.c.kind).where(tables.events.c.run == name).order_by(tables.events.c.token.desc()).limit(100)
        starts = 0
        with self.reading() as connection:
            for kind in connection.execute(kinds).scalars():
                if kind in ("shard_done", "task_done"):
                    break
                starts += kind == "run_started"
        return starts

    def request_cancel(self, name: str) -> RunRecord:
        """Ask a run to stop.

        Raises:
            UserError: it has ended.
        """
        record = self.run(name)
        if record.state.ended:
            raise UserError(f"run {name} has ended ({record.state})", "There is nothing to cancel.")
        with self.writing() as connection:
            connection.execute(tables.runs.update().where(tables.runs.c.name == name).values(cancel_requested=True))
        return self.run(name)

    def finish(self, name: str, state: RunState, message: str = "", result: RunResult | None = None) -> None:
        """End a run, unless another process has taken it over."""
        values: dict[str, Any] = {"state": str(state), "ended": time.time(), "message": _text(message)}
        if result is not None:
            values["result"] = json.dumps(to_plain(result), allow_nan=False)
        with self.writing() as connection:
            connection.execute(_mine(name).values(**values))

    def result(self, name: str) -> RunResult | None:
        """The result of a run that has ended, else None."""
        self.run(name)
        with self.reading() as connection:
            text = connection.execute(sql.select(tables.runs.c.result).where(tables.runs.c.name == name)).scalar()
        return from_plain(RunResult, json.loads(text)) if text else None

    def outcomes(self, name: str) -> dict[str, TaskOutcome]:
        """Outcomes so far, by task id."""
        query = sql.select(tables.outcomes.c.task_id, tables.outcomes.c.outcome).where(tables.outcomes.c.run == name)
        with self.reading() as connection:
            return {task_id: from_plain(TaskOutcome, json.loads(text)) for task_id, text in connection.execute(query)}

    def details(self, name: str) -> dict[str, SampleDetails]:
        """What lies behind the values of a run, by task id; nothing for runs of older versions."""
        columns = (tables.details.c.task_id, tables.details.c.signature, tables.details.c.packed)
        with self.reading() as connection:
            rows = connection.execute(sql.select(*columns).where(tables.details.c.run == name)).all()
        return {task_id: unpack(signature, packed) for task_id, signature, packed in rows}

    # Events

    def put_event(self, run: str, kind: str, task_id: str, message: str, counters: dict[str, int]) -> Write:
        """The write that notes an event and the run's counters after it."""
        row = {
            "run": run, "time": time.time(), "kind": kind, "task_id": task_id, "message": _text(message),
            "counters": json.dumps(counters),
        }  # fmt: skip

        def write(connection: sql.Connection) -> None:
            connection.execute(tables.events.insert().values(**row))
            if counters:
                connection.execute(_mine(run).values(**counters))

        return write

    def put_outcome(self, run: str, outcome: TaskOutcome) -> Write:
        """The write that notes a task's outcome."""
        row = {"run": run, "task_id": outcome.task_id, "outcome": json.dumps(to_plain(outcome), allow_nan=False)}
        return lambda connection: tables.upsert(connection, tables.outcomes, row)

    def put_details(self, run: str, task_id: str, details: SampleDetails) -> Write:
        """The write that notes what lies behind a task's value."""
        row = {"run": run, "task_id": task_id, "signature": details.signature, "packed": pack(details)}
        return lambda connection: tables.upsert(connection, tables.details, row)

    def events(self, name: str, after: int = 0, limit: int = 1000) -> list[EventRecord]:
        """Events of a run behind a token, oldest first."""
        query = (
            sql.select(tables.events)
            .where((tables.events.c.run == name) & (tables.events.c.token > after))
            .order_by(tables.events.c.token)
            .limit(limit)
        )
        with self.reading() as connection:
            return [
                EventRecord(row["token"], name, row["time"], row["kind"], row["task_id"], row["message"], json.loads(row["counters"]))
                for row in connection.execute(query).mappings()
            ]


def _run_columns() -> sql.Select[Any]:
    return sql.select(*(column for column in tables.runs.c if column.name != "result"))


def _record(row: sql.RowMapping) -> RunRecord:
    state = RunState(row["state"])
    if not state.ended and not alive(row["owner"], row["beat"]):
        state = RunState.INTERRUPTED
    return RunRecord(
        row["name"], from_plain(RunSpec, json.loads(row["spec"])), state, row["created"], row["ended"], row["tasks_total"],
        row["tasks_done"], row["shards_total"], row["shards_done"], row["shards_reused"], row["message"], row["cancel_requested"],
    )  # fmt: skip


def _mine(name: str) -> sql.Update:
    return tables.runs.update().where((tables.runs.c.name == name) & (tables.runs.c.owner == owner()))


def _text(words: str) -> str:
    """Words as both databases take them: PostgreSQL has no NUL, and neither takes half a character."""
    return words.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
