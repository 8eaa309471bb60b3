"""Scores of samples through a run: journalled, kept over a resume, made up for what older versions journalled, removed with the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.report import read_samples, write_reports
from genlevel_orchestrator.runs import tables, wire
from genlevel_orchestrator.runs.details import SampleDetails
from genlevel_orchestrator.runs.journal import Journal
from genlevel_orchestrator.runs.prune import prune
from genlevel_orchestrator.runs.records import RunSpec
from genlevel_orchestrator.runs.results import RunState, SampleScore
from genlevel_orchestrator.settings import Settings

ACCURACY = "language.commonsense-reasoning"
NAME = "Commonsense Reasoning"
WORST = 10


def details_of(settings: Settings, name: str) -> dict[str, SampleDetails]:
    journal = Journal(settings)
    try:
        return journal.details(name)
    finally:
        journal.close()


def test_details_are_journalled_with_the_outcome(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    result = fakes.execute(settings, fakes.FakeEvaluator(), bundles.text_bundle(tmp_path / "b", [(NAME, 30, 12)]))
    outcome = result.outcome(ACCURACY)
    found = details_of(settings, result.name)[ACCURACY]
    assert outcome.value is not None
    assert (found.signature, found.samples) == (outcome.value.signature.digest, outcome.samples)
    assert sum(found.scores) / found.samples == pytest.approx(outcome.value.value)
    missed = sum(score == 0.0 for score in found.scores)
    assert [item.value for item in outcome.value.worst] == [0.0] * min(missed, WORST)


@pytest.mark.usefixtures("small_shards")
def test_details_of_many_shards_are_those_of_the_whole(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    fake = fakes.FakeEvaluator()
    result = fakes.execute(settings, fake, bundles.text_bundle(tmp_path / "b", [(NAME, 35, 20)]))
    assert result.outcome(ACCURACY).shards == 4
    found = details_of(settings, result.name)[ACCURACY]
    assert (found.samples, len(found.scores)) == (35, 35)


def test_a_resume_keeps_them_without_a_call(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    fake = fakes.FakeEvaluator()
    first = fakes.execute(settings, fake, bundles.text_bundle(tmp_path / "b", [(NAME, 30, 12)]))
    before = details_of(settings, first.name)
    fake.calls.clear()
    again = fakes.execute(settings, fake, tmp_path / "b", first.name)
    assert again.outcome(ACCURACY).shards_reused == 1
    assert fake.calls["finalize"] == fake.calls["combine"] == 0
    assert details_of(settings, first.name) == before


def test_an_evaluator_that_knows_no_details_scores_all_the_same(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    result = fakes.execute(settings, fakes.FakeEvaluator(details=False), bundles.text_bundle(tmp_path / "b", [(NAME, 30, 12)]))
    assert result.state is RunState.SUCCEEDED
    assert details_of(settings, result.name) == {}


def test_shards_of_an_older_version_get_their_details_from_the_state(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(NAME, 30, 12)])
    fakes.execute(settings, fakes.FakeEvaluator(details=False), bundle)
    newer = fakes.FakeEvaluator()
    result = fakes.execute(settings, newer, bundle)
    assert (result.outcome(ACCURACY).shards_reused, newer.scored.total()) == (1, 0)
    assert newer.calls["finalize"] == 1
    assert details_of(settings, result.name)[ACCURACY].samples == result.outcome(ACCURACY).samples


def test_an_older_journal_opens(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    result = fakes.execute(settings, fakes.FakeEvaluator(), bundles.text_bundle(tmp_path / "b", [(NAME, 30, 12)]))
    journal = Journal(settings)
    # As an older version left it: no such table, and no worst samples in outcomes and results.
    with journal.writing() as connection:
        connection.execute(sql.text("DROP TABLE details"))
        for table, column in ((tables.outcomes, "outcome"), (tables.runs, "result")):
            for text in connection.execute(sql.select(table.c[column])).scalars().all():
                connection.execute(table.update().where(table.c[column] == text).values({column: json.dumps(_without_worst(json.loads(text)))}))
    journal.close()
    assert details_of(settings, result.name) == {}
    reopened = Journal(settings)
    old = reopened.result(result.name)
    assert old is not None
    value = old.outcome(ACCURACY).value
    assert value is not None
    assert value.worst == ()
    assert replace(value, worst=result.outcome(ACCURACY).value.worst) == result.outcome(ACCURACY).value
    reopened.close()


def _without_worst(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _without_worst(item) for key, item in plain.items() if key != "worst"}
    return [_without_worst(item) for item in plain] if isinstance(plain, list) else plain


def test_details_go_with_their_run(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    result = fakes.execute(settings, fakes.FakeEvaluator(), bundles.text_bundle(tmp_path / "b", [(NAME, 30, 12)]))
    journal = Journal(settings)
    journal.claim(result.name)
    assert journal.details(result.name) == {}
    journal.commit([journal.put_details(result.name, "t", SampleDetails("s", 1, "k", (1.0,)))])
    journal.finish(result.name, RunState.SUCCEEDED)
    prune(journal, settings, -1.0, dry_run=False)
    with journal.reading() as connection:
        assert connection.execute(sql.select(sql.func.count()).select_from(tables.details)).scalar() == 0
    journal.close()


def test_details_are_found_again_in_either_database(tmp_path: Path, database: str) -> None:
    journal = Journal(Settings(state=tmp_path, database=database))
    name = journal.create(RunSpec("m", "/b")).name
    details = SampleDetails("s" * 64, 2, "k" * 64, (0.1, float("inf")), (0.1, -1e300))
    journal.commit([journal.put_details(name, "t", details), journal.put_details(name, "t", details)])
    assert journal.details(name) == {"t": details}
    journal.close()


def test_a_value_carries_its_worst_samples() -> None:
    message = pb.MetricValue(value=1.0, details=pb.ValueDetails(worst=[pb.SampleScore(sample_id="7", value=float("inf"))]))
    assert wire.value_record(message).worst == (SampleScore("7", float("inf")),)


def test_the_file_beside_a_report_of_a_run(settings: Settings, fakes: Any, bundles: Any, tmp_path: Path) -> None:
    result = fakes.execute(settings, fakes.FakeEvaluator(), bundles.text_bundle(tmp_path / "b", [(NAME, 30, 12)]))
    details = details_of(settings, result.name)
    paths = write_reports(result, Catalogue.load(), tmp_path / "out", ["json", "samples"], details)
    assert read_samples(paths["samples"], json.loads(paths["json"].read_text())) == details
