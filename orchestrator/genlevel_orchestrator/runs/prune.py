"""Removing runs that ended long ago, with their files. Shards that other runs use stay, so nothing of theirs is scored twice."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sql

from genlevel_orchestrator.runs import tables
from genlevel_orchestrator.runs.journal import Journal
from genlevel_orchestrator.runs.records import RunRecord
from genlevel_orchestrator.settings import Settings


@dataclass(frozen=True)
class Pruned:
    """What was removed.

    Attributes:
        runs: names of runs.
        shards: journalled shards that only they used.
        uploads: uploaded files that no remaining run was made of.
        bytes: of all files.
    """

    runs: tuple[str, ...]
    shards: int
    uploads: tuple[str, ...]
    bytes: int


def prune(journal: Journal, settings: Settings, seconds: float, dry_run: bool) -> Pruned:
    """Remove runs that ended more than ``seconds`` ago, and old uploads.

    Reports that were written outside the state folder (``--output``) are the caller's own and stay.
    """
    before = time.time() - seconds
    old, kept = _split(journal, before)
    names = [record.name for record in old]
    shards = _only_theirs(journal, names)
    folders = [settings.state / "runs" / name for name in names]
    uploads = list(_uploads(settings, kept, before))
    size = sum(map(_size, (*folders, *uploads)))
    if not dry_run:
        # Files first: a run whose row is still there can be pruned again.
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=not folder.exists())
        for upload in uploads:
            upload.unlink(missing_ok=True)
        journal.remove_shards(shards)
        _forget(journal, names)
    return Pruned(tuple(names), len(shards), tuple(map(str, uploads)), size)


def _split(journal: Journal, before: float) -> tuple[list[RunRecord], list[RunRecord]]:
    """Runs that ended before a moment, and the others. A run whose process died has no end; its creation counts."""
    old: list[RunRecord] = []
    kept: list[RunRecord] = []
    last: tuple[float, str] | None = None
    while page := journal.runs(500, last):
        for record in page:
            ended = record.state.ended and (record.ended or record.created) < before
            (old if ended else kept).append(record)
        last = (page[-1].created, page[-1].name)
    return old, kept


def _only_theirs(journal: Journal, names: Sequence[str]) -> list[str]:
    """Shards that these runs journalled or used, and no other run used."""
    chosen: set[str] = set()
    theirs = set(names)
    with journal.reading() as connection:
        for name in names:
            made = sql.select(tables.shards.c.key).where(tables.shards.c.run == name)
            used = sql.select(tables.uses.c.key).where(tables.uses.c.run == name)
            chosen.update(connection.execute(made.union(used)).scalars())
        keys = sorted(chosen)
        for start in range(0, len(keys), 500):
            query = sql.select(tables.uses.c.key, tables.uses.c.run).where(tables.uses.c.key.in_(keys[start : start + 500]))
            chosen -= {key for key, run in connection.execute(query) if run not in theirs}
    return sorted(chosen)


def _uploads(settings: Settings, kept: Sequence[RunRecord], before: float) -> Iterator[Path]:
    """Uploads not used for long, that no remaining run that can go on is made of."""
    needed = {path for record in kept for path in (record.spec.bundle, record.spec.references)}
    for path in sorted((settings.state / "uploads").glob("*/*.zip")):
        if str(path) not in needed and path.stat().st_mtime < before:
            yield path


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file())


def _forget(journal: Journal, names: Sequence[str]) -> None:
    with journal.writing() as connection:
        for name in names:
            # Outcomes, events and uses go with their run.
            connection.execute(tables.runs.delete().where(tables.runs.c.name == name))
