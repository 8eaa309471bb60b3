"""The connection to the journal's database: opened with patience, and told apart when it goes away."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy import event

from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs import tables

log = logging.getLogger(__name__)

_BUSY_MILLISECONDS = 30_000
_CONNECT_SECONDS = 5
_LOCK = 0x67656E6C  # of our schema, among PostgreSQL's advisory locks
_URL_REMEDY = "Write postgresql+psycopg://USER:PASSWORD@HOST:5432/NAME with %-escapes in the password, or sqlite:////PATH."
# What no waiting mends.
_FINAL = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "role ", "certificate verify failed")
# A broken connection must show within seconds, also where packets are dropped without a word.
_POSTGRESQL = {
    "connect_timeout": _CONNECT_SECONDS, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 15_000, "application_name": "genlevel",
}  # fmt: skip


class DatabaseAway(UserError):
    """The database does not answer now. What was asked of it may be asked again."""

    def __init__(self, where: str, cause: str) -> None:
        super().__init__(
            f"the journal {where} does not answer: {cause}", "Start the database, or correct GENLEVEL_DATABASE_FILE or GENLEVEL_DATABASE.",
            ExitCode.UNREACHABLE,
        )  # fmt: skip
        self.cause = cause


class Database:
    """An engine, and transactions whose failures say whether the database is away.

    Args:
        url: SQLAlchemy URL; its password appears in no message.
        wait_seconds: how long to wait for a database that does not answer yet.
        stop: ends the waiting early.

    Raises:
        UserError: it cannot be opened, or was written by another version.
    """

    def __init__(self, url: str, wait_seconds: float = 0.0, stop: threading.Event | None = None) -> None:
        parsed = _parsed(url)
        self.where = _shown(parsed)
        self._engine = self._make(parsed)
        self._writer = self._engine.execution_options(genlevel_write=True)
        self._wait_for_schema(wait_seconds, stop or threading.Event())

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """A connection for queries."""
        with self._told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sql.Connection]:
        """A transaction that writes from its beginning."""
        with self._told(), self._writer.begin() as connection:
            yield connection

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            DatabaseAway: there is none.
        """
        with self.reading() as connection:
            connection.execute(sql.select(tables.meta.c.value).limit(1)).scalar()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sql.exc.TimeoutError:
            raise DatabaseAway(self.where, "no connection was free in time") from None
        except sql.exc.DBAPIError as error:
            if self._away(error):
                raise DatabaseAway(self.where, _cause(error)) from None
            raise

    def _away(self, error: sql.exc.DBAPIError) -> bool:
        # psycopg's OperationalError covers lost connections, a server that starts or stops, and deadlocks: all worth another try.
        return self._engine.dialect.name != "sqlite" and (
            error.connection_invalidated or isinstance(error, sql.exc.OperationalError | sql.exc.InterfaceError)
        )

    def _make(self, url: sql.URL) -> sql.Engine:
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise UserError(f"journal {self.where}: only SQLite and PostgreSQL hold a journal", _URL_REMEDY)
        try:
            if url.drivername.startswith("sqlite"):
                if url.database not in (None, "", ":memory:"):
                    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                engine = sql.create_engine(url, hide_parameters=True)
                _prepare_sqlite(engine)
                return engine
            extra = {key: value for key, value in _POSTGRESQL.items() if key not in url.query}
            return sql.create_engine(url, pool_pre_ping=True, max_overflow=30, hide_parameters=True, connect_args=extra)
        except ImportError as error:
            remedy = "Install what it needs: genlevel-orchestrator[postgres]."
            raise UserError(f"journal {self.where}: {error}", remedy, ExitCode.PREREQUISITE_MISSING) from None
        except (sql.exc.SQLAlchemyError, OSError) as error:
            raise UserError(f"journal {self.where}: {str(error).splitlines()[0]}", _URL_REMEDY) from None

    def _wait_for_schema(self, seconds: float, stop: threading.Event) -> None:
        begun, pause = time.monotonic(), 0.5
        while True:
            try:
                self._make_tables()
                return
            except DatabaseAway as error:
                waited = time.monotonic() - begun
                if waited + pause > seconds or any(word in error.cause for word in _FINAL) or stop.is_set():
                    after = f" (waited {waited:.0f} s)" if waited > 1 else ""
                    raise UserError(error.message + after, error.remedy, error.exit_code) from None
                log.warning("waiting for the journal %s, %.0f s more: %s", self.where, seconds - waited, error.cause)
                stop.wait(pause)
                pause = min(pause * 1.5, 5.0)
            except sql.exc.SQLAlchemyError as error:
                remedy = "Check GENLEVEL_DATABASE_FILE, GENLEVEL_DATABASE and GENLEVEL_STATE_DIR, and that its user may make tables."
                raise UserError(f"journal {self.where}: {str(error).splitlines()[0]}", remedy) from None

    def _make_tables(self) -> None:
        with self.writing() as connection:
            if self._engine.dialect.name == "postgresql":
                # Two processes that open a new database at once must not both make the tables.
                connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_LOCK)))
            tables.create(connection)


def _parsed(url: str) -> sql.URL:
    # Secrets of clusters often hold the short forms, which SQLAlchemy would give to another driver.
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            url = f"postgresql+psycopg://{url.removeprefix(short)}"
    try:
        return sql.make_url(url)
    except (sql.exc.ArgumentError, ValueError):
        # The error's words may hold the password.
        raise UserError("the database URL cannot be read", _URL_REMEDY) from None


def _shown(url: sql.URL) -> str:
    """A URL without user, password and parameters."""
    if url.drivername.startswith("sqlite"):
        return f"{url.drivername}:///{url.database or ''}"
    port = f":{url.port}" if url.port else ""
    return f"{url.drivername}://{url.host or url.query.get('host', '')}{port}/{url.database or ''}"


def _cause(error: sql.exc.DBAPIError) -> str:
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    return (lines[0] if lines else type(error.orig).__name__)[:300]


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


