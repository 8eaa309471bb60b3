"""The journal's tables. They are the same in SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite

from genlevel_orchestrator.errors import UserError

SCHEMA_VERSION = 1

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

# Scores of samples and bootstrap replicates. Journals older than this table have no rows for their runs.
details = sql.Table(
    "details",
    metadata,
    sql.Column("run", sql.String(100), sql.ForeignKey("runs.name", ondelete="CASCADE"), primary_key=True),
    sql.Column("task_id", sql.String(200), primary_key=True),
    sql.Column("signature", sql.String(64), nullable=False),
    sql.Column("packed", sql.LargeBinary, nullable=False),
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

# Which runs use a shard, so that cleaning up after one leaves those of the others.
uses = sql.Table(
    "uses",
    metadata,
    sql.Column("run", sql.String(100), sql.ForeignKey("runs.name", ondelete="CASCADE"), primary_key=True),
    sql.Column("key", sql.String(64), primary_key=True, index=True),
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


def create(connection: sql.Connection) -> None:
    """Make the tables that are not there.

    Raises:
        UserError: the journal was written by another version.
    """
    metadata.create_all(connection)
    found = connection.execute(sql.select(meta.c.value).where(meta.c.key == "schema")).scalar()
    if found is None:
        connection.execute(meta.insert().values(key="schema", value=str(SCHEMA_VERSION)))
    elif int(found) != SCHEMA_VERSION:
        raise UserError(
            f"the journal has schema {found}, this version reads {SCHEMA_VERSION}",
            "Use another GENLEVEL_STATE_DIR or database, or the version that wrote it.",
        )


def upsert(connection: sql.Connection, table: sql.Table, row: Mapping[str, Any]) -> None:
    """Insert a row; where its primary key is there already, replace the rest. No gap between the two for another transaction."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    statement = insert(table).values(**row)
    rest = {name: statement.excluded[name] for name in row if name not in keys}
    if rest:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys))
