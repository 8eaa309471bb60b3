"""Runs in trouble: crashes, refusals, absence, updates, cancelling."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest

from genlevel_orchestrator.runs.records import RunSpec
from genlevel_orchestrator.runs.results import RunResult, RunState, TaskStatus
from genlevel_orchestrator.runs.runner import RunCancelled
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings

ACCURACY = "language.commonsense-reasoning"


@pytest.mark.usefixtures("small_shards")
def test_a_sample_that_kills_its_replica_is_found_and_the_rest_is_scored(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    calls: list[tuple[int, bool]] = []
    fake = fakes.FakeEvaluator()

    async def before(request: Any) -> None:
        ids = [sample.id for sample in request.samples]
        await asyncio.sleep(0.001)
        if "17" in ids:
            calls.append((len(ids), fake.running == 1))
            raise fakes.DEAD

    fake.before = before
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 100, 60)])
    result = fakes.execute(settings, fake, bundle)
    outcome = result.outcome(ACCURACY)
    assert (result.state, outcome.status, outcome.provisional) == (RunState.PROVISIONAL, TaskStatus.SCORED, True)
    assert result.levels["paper"].status == "provisional"
    assert fakes.value_of(result) == pytest.approx(100 * 59 / 99)
    assert [(issue.code, issue.sample_id, issue.severity) for issue in outcome.issues] == [("EVALUATOR_CRASHED", "17", "infrastructure")]
    assert "17" not in fake.scored
    assert max(fake.scored.values()) == 1
    assert [size for size, _ in calls] == [10, 10, 5, 5, 2, 2, 1, 1] or [size for size, _ in calls][:2] == [10, 10]
    assert all(alone for size, alone in calls if size < 10), "a suspect is questioned alone"
    assert calls[-1][0] == 1
    # The halves are remembered; only the sample that was not scored is tried again.
    fake.before = lambda _: None
    fake.scored.clear()
    mended = fakes.execute(settings, fake, bundle)
    assert (mended.state, fakes.value_of(mended)) == (RunState.SUCCEEDED, 60.0)
    assert set(fake.scored) == {"17"}


@pytest.mark.usefixtures("small_shards")
def test_a_damaged_state_in_the_journal_fails_its_task_and_is_scored_again(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    fake = fakes.FakeEvaluator()
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 100, 60), (bundles.F1, 100, 60)])
    assert fakes.execute(settings, fake, bundle).state is RunState.SUCCEEDED
    with contextlib.closing(sqlite3.connect(settings.state / "journal.sqlite")) as journal, journal:
        (key,) = journal.execute("SELECT key FROM shards WHERE state IS NOT NULL LIMIT 1").fetchone()
        journal.execute("UPDATE shards SET state = ? WHERE key = ?", (b"\xff\xff", key))
    fake.scored.clear()
    spoiled = fakes.execute(settings, fake, bundle)
    (failed,) = [outcome for outcome in spoiled.tasks if outcome.status is TaskStatus.FAILED]
    assert (spoiled.state, dict(fake.scored)) == (RunState.PROVISIONAL, {})
    assert "damaged; resume the run" in failed.reason
    mended = fakes.execute(settings, fake, bundle)
    assert (mended.state, max(fake.scored.values())) == (RunState.SUCCEEDED, 1)
    assert len(fake.scored) == 100


def test_a_replica_that_dies_once_costs_nothing(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    left = [1]

    def before(_: Any) -> None:
        if left[0]:
            left[0] = 0
            raise fakes.DEAD

    result = fakes.execute(settings, fakes.FakeEvaluator(before=before), bundles.text_bundle(tmp_path / "b"))
    assert (result.state, fakes.value_of(result)) == (RunState.SUCCEEDED, 70.0)


def test_shards_that_are_too_large_are_halved(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    def before(request: Any) -> None:
        if len(request.samples) > 3:
            raise fakes.Trouble(grpc.StatusCode.RESOURCE_EXHAUSTED, "out of memory", "OUT_OF_MEMORY")

    fake = fakes.FakeEvaluator(before=before)
    result = fakes.execute(settings, fake, bundles.text_bundle(tmp_path / "b"))
    assert (result.state, fakes.value_of(result)) == (RunState.SUCCEEDED, 70.0)
    assert max(fake.scored.values()) == 2  # two tasks with the same ids


def test_an_evaluator_that_refuses_fails_the_task_and_no_other(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    def before(request: Any) -> None:
        if request.metric.metric == "accuracy":
            raise fakes.Trouble(grpc.StatusCode.FAILED_PRECONDITION, "weights are missing", "WEIGHTS_MISSING")

    result = fakes.execute(settings, fakes.FakeEvaluator(before=before), bundles.text_bundle(tmp_path / "b"))
    outcome = result.outcome(ACCURACY)
    assert (result.state, outcome.status, outcome.normalised) == (RunState.PROVISIONAL, TaskStatus.FAILED, None)
    assert "WEIGHTS_MISSING" in outcome.reason
    assert "mend it" in outcome.reason
    assert result.outcome("language.counterfactual-reasoning").status is TaskStatus.SCORED


def test_an_evaluator_that_is_not_there_makes_tasks_failed_never_zero(
    tmp_path: Path, settings: Settings, bundles: ModuleType
) -> None:
    async def run() -> RunResult:
        dispatch = settings.dispatch.model_copy(update={"start_seconds": 0.3})
        endpoints = {"language": Endpoint(target="127.0.0.1:1")}
        service = RunService(settings.model_copy(update={"evaluators": endpoints, "dispatch": dispatch}))
        name = service.create(RunSpec("model", str(bundles.text_bundle(tmp_path / "b")))).name
        return await service.execute(name, "configured")

    result = asyncio.run(run())
    outcome = result.outcome(ACCURACY)
    assert (result.state, outcome.status, outcome.normalised) == (RunState.PROVISIONAL, TaskStatus.FAILED, None)
    assert outcome.reason.startswith("EVALUATOR_ABSENT")


def test_a_metric_nobody_has_is_not_scorable(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    result = fakes.execute(settings, fakes.FakeEvaluator(metrics=("accuracy",)), bundles.text_bundle(tmp_path / "b"))
    assert result.outcome("language.counterfactual-reasoning").status is TaskStatus.NOT_SCORABLE
    assert result.state is RunState.SUCCEEDED


def test_files_that_cannot_be_read(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    data, predictions = bundles.questions(4, 4)
    bundles.write_task(tmp_path / "b", bundles.ACCURACY, data, b'[{"id": 0, "prediction": NaN}]')
    bundles.write_task(tmp_path / "b", bundles.F1, b'{"data": [', predictions)
    result = fakes.execute(settings, fakes.FakeEvaluator(), tmp_path / "b")
    submitted, annotated = result.outcome(ACCURACY), result.outcome("language.counterfactual-reasoning")
    assert (submitted.status, submitted.provisional) == (TaskStatus.NOT_SUBMITTED, False)
    assert "NaN" in submitted.reason
    assert (annotated.status, annotated.provisional) == (TaskStatus.FAILED, True)
    assert {violation.code for violation in result.violations} == {"NOT_FINITE", "TRUNCATED"}


@pytest.mark.usefixtures("small_shards")
def test_cancelling_keeps_what_is_scored_and_resuming_goes_on(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 200, 120)])
    fake = fakes.FakeEvaluator()
    name = RunService(settings).create(RunSpec("model", str(bundle))).name

    async def before(_: Any) -> None:
        if len(fake.shards) >= 5:
            if not RunService(settings).journal.run(name).cancel_requested:
                RunService(settings).journal.request_cancel(name)
            await asyncio.sleep(30)

    fake.before = before
    with pytest.raises(RunCancelled):
        fakes.execute(settings, fake, bundle, name)
    journal = RunService(settings).journal
    assert journal.run(name).state is RunState.CANCELLED
    assert journal.events(name)[-1].kind == "run_ended"
    fake.before = lambda _: None
    result = fakes.execute(settings, fake, bundle, name)
    assert (result.state, fakes.value_of(result)) == (RunState.SUCCEEDED, 60.0)
    assert result.outcome(ACCURACY).shards_reused >= 5
    assert max(fake.scored.values()) == 1


def test_an_update_during_the_run_fails_the_task_instead_of_mixing(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    fake = fakes.FakeEvaluator()

    def before(_: Any) -> None:
        fake.signature = "v2"

    fake.before = before
    outcome = fakes.execute(settings, fake, bundles.text_bundle(tmp_path / "b")).outcome(ACCURACY)
    assert outcome.status is TaskStatus.FAILED
    assert "SIGNATURE_CHANGED" in outcome.reason


def test_an_impossible_value_fails_its_task_only(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    fake = fakes.FakeEvaluator()
    plain = fake._value

    def doubled(state: Any, metric: Any) -> Any:
        value = plain(state, metric)
        value.value = value.value * 2 if metric.metric == "accuracy" else value.value
        return value

    fake._value = doubled
    result = fakes.execute(settings, fake, bundles.text_bundle(tmp_path / "b"))
    assert result.outcome(ACCURACY).status is TaskStatus.FAILED
    assert "140" in result.outcome(ACCURACY).reason
    assert result.outcome("language.counterfactual-reasoning").status is TaskStatus.SCORED
