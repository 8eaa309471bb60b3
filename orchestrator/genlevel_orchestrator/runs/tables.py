"""The journal's tables and its connection."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy import event

from genlevel_orchestrator.errors import UserError

SCHEMA_VERSION = 1
_BUSY_MILLISECONDS = 30_000

metadata = sql.MetaData()
# SQLite counts up only INTEGER keys; PostgreSQL's would end at 2^31.
_Big = sql.BigInteger().with_variant(sql.Integer, "sqlite")

meta = sql.Table("meta", metadata, sql.Column("key", sql.String(50), primary_key=True), sql.Column("value", sql.Text))

runs = sql.Table(
    "runs",
    metadata,
    sql.Column("name", sql.String(100), primary_key=True),
    sql.Column("request_id", sql.String(100), unique=True, nullable=True),
    sql.Column("model", sql.Text, nullable=False),
    sql.Column("spec", sql.Text, nullable=False),
    sql.Column("state", sql.String(20), nullable=False),
    sql.Column("created", sql.Float, nullable=False, index=True),
    sql.Column("ended", sql.Float),
    sql.Column("tasks_total", sql.Integer, nullable=False, default=0),
    sql.Column("tasks_done", sql.Integer, nullable=False, default=0),
    sql.Column("shards_total", sql.Integer, nullable=False, default=0),
    sql.Column("shards_done", sql.Integer, nullable=False, default=0),
    sql.Column("shards_reused", sql.Integer, nullable=False, default=0),
    sql.Column("message", sql.Text, nullable=False, default=""),
    sql.Column("cancel_requested", sql.Boolean, nullable=False, default=False),
    sql.Column("owner", sql.Text, nullable=False, default=""),
    sql.Column("beat", sql.Float, nullable=False, default=0.0),
    sql.Column("result", sql.Text),
)

outcomes = sql.Table(
    "outcomes",
    metadata,
    sql.Column("run", sql.String(100), sql.ForeignKey("runs.name", ondelete="CASCADE"), primary_key=True),
    sql.Column("task_id", sql.String(200), primary_key=True),
    sql.Column("outcome", sql.Text, nullable=False),
)

# Content-addressed: shared by all runs, never changed once written.
shards = sql.Table(
    "shards",
    metadata,
    sql.Column("key", sql.String(64), primary_key=True),
    sql.Column("evaluator", sql.String(50), nullable=False),
    sql.Column("signature", sql.String(64), nullable=False),
    sql.Column("samples", sql.Integer, nullable=False),
    sql.Column("state", sql.LargeBinary),
    sql.Column("state_file", sql.Text),
    sql.Column("issues", sql.Text, nullable=False),
    sql.Column("value", sql.LargeBinary),
    sql.Column("parts", sql.Text),
    sql.Column("run", sql.String(100), nullable=False),
    sql.Column("created", sql.Float, nullable=False),
)

events = sql.Table(
    "events",
    metadata,
    sql.Column("token", _Big, primary_key=True, autoincrement=True),
    sql.Column("run", sql.String(100), sql.ForeignKey("runs.name", ondelete="CASCADE"), nullable=False),
    sql.Column("time", sql.Float, nullable=False),
    sql.Column("kind", sql.String(30), nullable=False),
    sql.Column("task_id", sql.String(200), nullable=False, default=""),
    sql.Column("message", sql.Text, nullable=False, default=""),
    sql.Column("counters", sql.Text, nullable=False, default="{}"),
    sql.Index("events_of_run", "run", "token"),
    # A token is never given twice, also after rows were deleted.
    sqlite_autoincrement=True,
)


def connect(url: str) -> sql.Engine:
    """An engine for the journal, its tables made.

    Raises:
        UserError: the database cannot be opened, or was written by a newer version.
    """
    parsed = sql.make_url(url)
    if parsed.drivername.startswith("sqlite") and parsed.database not in (None, "", ":memory:"):
        assert parsed.database is not None
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        engine = sql.create_engine(url, pool_pre_ping=not parsed.drivername.startswith("sqlite"))
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        _create(engine)
    except (sql.exc.SQLAlchemyError, ImportError) as error:
        raise UserError(
            f"journal {parsed.render_as_string()}: {str(error).splitlines()[0]}", "Check GENLEVEL_DATABASE and GENLEVEL_STATE_DIR."
        ) from None
    return engine


def _prepare_sqlite(engine: sql.Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        # sqlite3 would open transactions by itself, too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sql.Connection) -> None:
        # A transaction that first reads and then writes would fail instead of waiting for another process's.
        immediate = connection.get_execution_options().get("genlevel_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Two processes that open a new journal at once both want to switch it, and there SQLite refuses without waiting: so we wait."""
    end = time.monotonic() + _BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)


def writing(engine: sql.Engine) -> sql.Engine:
    """The engine with transactions that write from their beginning."""
    return engine.execution_options(genlevel_write=True)


def _create(engine: sql.Engine) -> None:
    with writing(engine).begin() as connection:
        metadata.create_all(connection)
        found = connection.execute(sql.select(meta.c.value).where(meta.c.key == "schema")).scalar()
        if found is None:
            connection.execute(meta.insert().values(key="schema", value=str(SCHEMA_VERSION)))
        elif int(found) != SCHEMA_VERSION:
            raise UserError(
                f"the journal has schema {found}, this version reads {SCHEMA_VERSION}",
                "Use another GENLEVEL_STATE_DIR, or the version that wrote it.",
            )
