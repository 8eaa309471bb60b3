"""`genlevel runs prune`: what is old goes, what others use stays."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sql

from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import tables
from genlevel_orchestrator.runs.journal import Journal
from genlevel_orchestrator.runs.prune import prune
from genlevel_orchestrator.settings import Settings

DAY = 86_400.0


def age(journal: Journal, name: str, days: float) -> None:
    """Make a run as old as that."""
    moment = time.time() - days * DAY
    with journal.writing() as connection:
        connection.execute(tables.runs.update().where(tables.runs.c.name == name).values(created=moment, ended=moment))


def old_uploads(settings: Settings) -> tuple[Path, Path]:
    one, other = (settings.state / "uploads" / "ab" / f"{letter * 64}.zip" for letter in "ab")
    one.parent.mkdir(parents=True)
    for path in (one, other):
        path.write_bytes(b"x" * 1000)
        os.utime(path, (time.time() - 10 * DAY,) * 2)
    return one, other


def keys(journal: Journal) -> set[str]:
    with journal.reading() as connection:
        return set(connection.execute(sql.select(tables.shards.c.key)).scalars())


@pytest.mark.usefixtures("small_shards")
def test_old_runs_go_with_what_only_they_used(
    tmp_path: Path, settings: Settings, database: str, bundles: ModuleType, fakes: ModuleType
) -> None:
    dispatch = settings.dispatch.model_copy(update={"inline_state_bytes": 0})
    settings = settings.model_copy(update={"database": database, "dispatch": dispatch})
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 100, 60)])
    old = fakes.execute(settings, fakes.FakeEvaluator(), bundle).name
    predictions = next(bundle.rglob("prediction.json"))
    edited = json.loads(predictions.read_text())
    edited[73]["prediction"] = "answer 73"
    predictions.write_text(json.dumps(edited))
    young = fakes.execute(settings, fakes.FakeEvaluator(), bundle).name
    journal = Journal(settings)
    age(journal, old, 10)
    age(journal, young, 1)
    upload, used = old_uploads(settings)
    with journal.writing() as connection:
        spec = json.dumps({"model": "m", "bundle": str(used)})
        connection.execute(tables.runs.update().where(tables.runs.c.name == young).values(spec=spec))
    (settings.state / "runs" / old / "report").mkdir(parents=True, exist_ok=True)
    (settings.state / "runs" / old / "report" / "report.json").write_bytes(b"x" * 500)

    planned = prune(journal, settings, 5 * DAY, dry_run=True)
    assert (planned.runs, planned.shards, planned.uploads) == ((old,), 1, (str(upload),))
    assert planned.bytes >= 1500
    assert len(keys(journal)) == 11
    assert upload.exists()

    assert prune(journal, settings, 5 * DAY, dry_run=False) == planned
    assert len(keys(journal)) == 10
    assert len([path for path in (settings.state / "states").rglob("*") if path.is_file()]) == 10
    assert [record.name for record in journal.runs()] == [young]
    assert (upload.exists(), used.exists()) == (False, True)
    assert not (settings.state / "runs" / old).exists()
    assert journal.events(old) == []
    with pytest.raises(UserError, match="no run"):
        journal.run(old)
    assert prune(journal, settings, 5 * DAY, dry_run=False).runs == ()
    again = fakes.execute(settings, fakes.FakeEvaluator(), bundle)
    assert sum(task.shards_reused for task in again.tasks) == 10, "what the younger run uses is there"


def test_the_command_says_what_it_would_remove(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(settings.state))
    monkeypatch.setenv("GENLEVEL_CONFIG", "")
    name = fakes.execute(settings, fakes.FakeEvaluator(), bundles.text_bundle(tmp_path / "b")).name
    age(Journal(settings), name, 3)
    assert run_command(["runs", "prune", "--older-than", "2", "--dry-run"]) == 0
    assert "1 runs, 2 shards and 0 uploads would be removed" in capsys.readouterr().out
    assert run_command(["runs", "prune", "--older-than", "4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []
    assert run_command(["runs", "prune", "--older-than", "2"]) == 0
    assert Journal(settings).runs() == []
