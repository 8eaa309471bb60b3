"""Whole runs against an evaluator that does as it is told: resume, edits, missing files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import ModuleType

import pytest

from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.records import EventRecord, RunSpec
from genlevel_orchestrator.runs.results import RunResult, RunState, TaskStatus
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings

ACCURACY = "language.commonsense-reasoning"


def test_a_run_from_beginning_to_end(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    fake = fakes.FakeEvaluator()
    events: list[EventRecord] = []
    result = fakes.execute(settings, fake, bundles.text_bundle(tmp_path / "b"), events=events)
    assert result.state is RunState.SUCCEEDED
    assert len(result.tasks) == 699
    outcome = result.outcome(ACCURACY)
    assert (outcome.status, fakes.value_of(result), outcome.normalised, outcome.win) == (TaskStatus.SCORED, 70.0, 70.0, False)
    assert result.outcome("language.counterfactual-reasoning").win
    assert (result.levels["paper"].status, result.evaluators) == ("partial", {"language": "fake"})
    assert result.count(TaskStatus.NOT_SUBMITTED) == 697
    kinds = [event.kind for event in events]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_ended")
    assert kinds.count("task_done") == 2
    assert fake.calls["combine"] + fake.calls["finalize"] == 0, "a task of one shard is one call"


@pytest.mark.usefixtures("small_shards")
def test_many_shards_fold_to_the_same_value_in_few_messages(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    fake = fakes.FakeEvaluator()
    result = fakes.execute(settings, fake, bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 405, 300)]))
    assert fakes.value_of(result) == pytest.approx(100 * 300 / 405)
    assert result.outcome(ACCURACY).shards == 41
    assert fake.calls["combine"] == 3  # 16, then 15 more twice over: 1 + 15 + 15 + ...
    assert fake.most_running <= settings.dispatch.in_flight
    order = [int(key) for ids in sorted(fake.shards, key=lambda ids: int(ids[0])) for key in ids]
    assert order == list(range(405))


@pytest.mark.usefixtures("small_shards")
def test_the_same_command_again_scores_nothing_twice(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 100, 60)])
    fake = fakes.FakeEvaluator()
    first = fakes.execute(settings, fake, bundle)
    again = fakes.execute(settings, fake, bundle)
    assert fakes.value_of(first) == fakes.value_of(again) == 60.0
    assert max(fake.scored.values()) == 1
    assert again.outcome(ACCURACY).shards_reused == 10


@pytest.mark.usefixtures("small_shards")
def test_an_edited_prediction_rescores_its_own_shard(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 100, 60)])
    fake = fakes.FakeEvaluator()
    fakes.execute(settings, fake, bundle)
    path = next(bundle.rglob("prediction.json"))
    predictions = json.loads(path.read_text())
    predictions[73]["prediction"] = "answer 73"
    path.write_text(json.dumps(predictions))
    fake.scored.clear()
    assert fakes.value_of(fakes.execute(settings, fake, bundle)) == 61.0
    assert sorted(map(int, fake.scored)) == list(range(70, 80))


@pytest.mark.usefixtures("small_shards")
def test_another_version_of_a_metric_scores_everything_again(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 30, 10)])
    fake = fakes.FakeEvaluator()
    fakes.execute(settings, fake, bundle)
    fake.signature = "v2"
    assert fakes.execute(settings, fake, bundle).outcome(ACCURACY).shards_reused == 0
    assert set(fake.scored.values()) == {2}


def test_missing_predictions_are_sent_as_missing(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    data, predictions = bundles.questions(10, 10)
    bundles.write_task(tmp_path / "b", bundles.ACCURACY, data, predictions[:4])
    result = fakes.execute(settings, fakes.FakeEvaluator(), tmp_path / "b")
    assert fakes.value_of(result) == 40.0
    assert result.violation_count == 6


def test_issues_of_the_evaluator_reach_the_outcome_also_when_reused(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    data, predictions = bundles.questions(3, 3)
    predictions[1]["prediction"] = "odd"
    bundles.write_task(tmp_path / "b", bundles.ACCURACY, data, predictions)
    fake = fakes.FakeEvaluator()
    for _ in range(2):
        outcome = fakes.execute(settings, fake, tmp_path / "b").outcome(ACCURACY)
        assert outcome.issue_counts == {"ODD": 1}
        assert not outcome.provisional


def test_two_runs_at_once_do_not_touch_each_other(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    one = bundles.text_bundle(tmp_path / "one", [(bundles.ACCURACY, 50, 20)])
    two = bundles.text_bundle(tmp_path / "two", [(bundles.ACCURACY, 50, 30)])

    async def run() -> list[RunResult]:
        async with fakes.serving(fakes.FakeEvaluator()) as target:
            service = RunService(settings.model_copy(update={"evaluators": {"language": Endpoint(target=target)}}))
            names = [service.create(RunSpec("model", str(bundle))).name for bundle in (one, two)]
            return await asyncio.gather(*(service.execute(name, "configured") for name in names))

    assert [fakes.value_of(result) for result in asyncio.run(run())] == [40.0, 60.0]


def test_a_bundle_without_predictions_says_so_instead_of_running(tmp_path: Path, settings: Settings, bundles: ModuleType) -> None:
    data, _ = bundles.questions(3, 3)
    bundles.write_task(tmp_path / "b", bundles.ACCURACY, data, None)
    service = RunService(settings)
    name = service.create(RunSpec("model", str(tmp_path / "b"))).name
    with pytest.raises(UserError, match="no task with predictions") as caught:
        asyncio.run(service.execute(name, "configured"))
    assert "there is no prediction.json" in caught.value.message
    assert service.journal.run(name).state is RunState.FAILED


def test_tasks_without_predictions_count_as_not_submitted(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    data, predictions = bundles.questions(3, 3)
    bundles.write_task(tmp_path / "b", bundles.ACCURACY, data, predictions)
    bundles.write_task(tmp_path / "b", bundles.F1, data, None)
    result = fakes.execute(settings, fakes.FakeEvaluator(), tmp_path / "b")
    assert result.state is RunState.SUCCEEDED
    assert result.outcome("language.counterfactual-reasoning").status is TaskStatus.NOT_SUBMITTED
    assert [violation.code for violation in result.violations] == ["NO_PREDICTIONS"]


def test_what_cannot_become_a_run_is_refused_at_once(tmp_path: Path, settings: Settings) -> None:
    service = RunService(settings)
    for spec in (RunSpec("m", str(tmp_path / "none")), RunSpec(" ", str(tmp_path)), RunSpec("m", str(tmp_path), tasks=("nonsense",))):
        with pytest.raises(UserError):
            service.create(spec)
    assert not service.journal.runs()
