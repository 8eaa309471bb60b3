"""The shards of the journal. What is in it is never scored again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sql

from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import tables
from genlevel_orchestrator.runs.database import Database
from genlevel_orchestrator.runs.records import ShardRecord
from genlevel_orchestrator.runs.results import IssueRecord, from_plain, to_plain
from genlevel_orchestrator.runs.store import StateStore
from genlevel_orchestrator.settings import Settings

Write = Callable[[sql.Connection], None]


class ShardJournal(Database):
    """The journal of one state folder or database. Methods may be called from any thread.

    Args:
        settings: where it lies.
        wait_seconds: how long to wait for a database that does not answer yet.
        stop: ends the waiting early.
    """

    def __init__(self, settings: Settings, wait_seconds: float = 0.0, stop: threading.Event | None = None) -> None:
        super().__init__(settings.database_url, wait_seconds, stop)
        self._store = StateStore(settings.store_url, settings.dispatch.inline_state_bytes)
        self.retry_seconds = settings.database_retry_seconds

    def commit(self, writes: Sequence[Write]) -> None:
        """Do several writes in one transaction."""
        with self.writing() as connection:
            for write in writes:
                write(connection)

    def shard(self, key: str) -> ShardRecord | None:
        """A journalled shard without its state; None when it is not there, or its state is lost."""
        columns = [column for column in tables.shards.c if column.name != "state"]
        with self.reading() as connection:
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
        with self.reading() as connection:
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
        # Another run may have journalled the same content meanwhile; a lost state file makes a row worth replacing.
        return lambda connection: tables.upsert(connection, tables.shards, row)

    def put_use(self, run: str, key: str) -> Write:
        """The write that notes that a run uses a shard."""
        return lambda connection: tables.upsert(connection, tables.uses, {"run": run, "key": key})

    def remove_shards(self, keys: Sequence[str]) -> None:
        """Forget shards, and remove the files of their states."""
        with self.writing() as connection:
            for start in range(0, len(keys), 500):
                chosen = tables.shards.c.key.in_(keys[start : start + 500])
                files = connection.execute(sql.select(tables.shards.c.state_file).where(chosen)).scalars().all()
                connection.execute(tables.shards.delete().where(chosen))
                # Rows without a file are scored again, files without a row would lie there for ever: so files go first to go.
                for file in files:
                    if file is not None:
                        self._store.remove(file)
