"""Features in the engine: the same however the work is cut, read ahead while networks run, and computed once."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genlevel_evaluator import feature_pipeline, features, states
from genlevel_evaluator.engine import Budget, RawSample
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row
from tests.common.feature_fakes import (
    METRIC,
    Files,
    Network,
    bits,
    file_of,
    observe,
    observed,
    owner,
    sample,
)


def expected_issues() -> list[tuple[str, str, str]]:
    first = [("s003", "UNREADABLE", "prediction"), ("s007", "UNREADABLE", "reference"), ("s012", "UNREADABLE", "reference"), ("s012", "UNREADABLE", "prediction")]
    first += [("s005", "REFUSED", "prediction"), ("s009", "REFUSED", "reference"), ("s011", "REFUSED", "prediction"), ("s011", "REFUSED", "reference")]
    return [*first, ("s040", "REFUSED", "prediction")]


@pytest.mark.parametrize("batch", [1, 3, 4, 16, 1000])
@pytest.mark.parametrize("processors", [1, 8])
def test_rows_and_issues_depend_neither_on_batches_nor_on_threads(
    files: Files, network: Network, evaluator: Evaluator, mixed: list[RawSample], batch: int, processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_pipeline, "count", lambda: processors)
    source = random.Random(batch)
    files.delay = lambda: source.random() * 0.002
    rows, issues = observed(owner(files, network, batch=batch), mixed)
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == expected_issues()
    for number in (0, 20, 44):
        of_one = rows.take(np.arange(len(rows)) == number)
        assert of_one.column("prediction").tolist() == [(network.prepare(files(file_of(f"p{number}"), {})) * 2).tolist()]
    assert rows.column("_flags")[[3, 5, 7, 9, 11, 12, 40]].tolist() == [5, 5, 8, 8, 8, 8, 5]


def test_however_a_task_is_cut_its_state_is_the_same(evaluator: Evaluator, files: Files, network: Network, mixed: list[RawSample], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = observed(evaluator, mixed)
    for size in (1, 7, 32):
        monkeypatch.setattr("genlevel_evaluator.features.CACHE", features.FeatureCache())
        parts = [observed(owner(files, network), mixed[start : start + size])[0] for start in range(0, len(mixed), size)]
        assert bits(states.combine(parts)) == bits(whole)


def test_files_are_read_while_the_network_runs(files: Files, network: Network, evaluator: Evaluator) -> None:
    seen: list[int] = []

    def until_more_was_read() -> None:
        before = len(files.read)
        deadline = time.monotonic() + 10
        while len(files.read) <= before and time.monotonic() < deadline:
            time.sleep(0.001)
        seen.append(len(files.read) - before)

    files.delay = lambda: 0.005  # else all that may be read ahead can be there before the network begins
    network.meanwhile = lambda: until_more_was_read() if len(network.runs) in (1, 8) else None
    observed(evaluator, [sample(number) for number in range(64)])
    assert len(seen) == 2
    assert min(seen) > 0


def test_what_is_decoded_is_let_go_however_many_samples_there_are(files: Files, evaluator: Evaluator) -> None:
    observed(evaluator, [sample(number) for number in range(200)])
    assert len(files.read) == 400
    assert files.most_alive <= 2 * feature_pipeline.MOST_THREADS
    assert files.alive == 0


def test_a_metric_that_reads_its_media_gets_them(evaluator: Evaluator, files: Files) -> None:
    seen: list[Any] = []

    def look(one: Sample, parameters: Parameters) -> Row:
        seen.append((one.prediction, one.references))
        return observe(one, parameters)

    observed(evaluator, [sample(0)], metric=replace(METRIC, observe=look, reads=("prediction",)))
    (prediction, references), = seen
    assert prediction.values.shape == (8,)
    assert references == (feature_pipeline.RELEASED,)


def test_a_caller_who_left_is_seen_while_files_are_read(evaluator: Evaluator, files: Files) -> None:
    budget = Budget()
    files.delay = lambda: 0.05
    timer = threading.Timer(0.3, lambda: setattr(budget, "cancelled", True))
    timer.start()
    began = time.monotonic()
    with pytest.raises(EvaluatorError) as caught:
        observed(evaluator, [sample(number) for number in range(500)], budget)
    assert caught.value.code is Code.CANCELLED
    assert time.monotonic() - began < 5
    read = len(files.read)
    assert read < 200
    time.sleep(0.15)
    assert len(files.read) == read
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("genlevel-read")]


def test_a_deadline_ends_the_wait_for_a_slow_file(evaluator: Evaluator, files: Files) -> None:
    files.delay = lambda: 1.0
    with pytest.raises(EvaluatorError) as caught:
        observed(evaluator, [sample(0)], Budget(100))
    assert caught.value.code is Code.DEADLINE_EXCEEDED


@pytest.mark.parametrize("place", ["prepare", "run"])
def test_a_network_that_is_not_to_be_had_fails_the_call(evaluator: Evaluator, network: Network, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def missing(*_: Any) -> Any:
        raise EvaluatorError(Code.FAILED_PRECONDITION, "WEIGHTS_MISSING", "no weights", "fetch them")

    monkeypatch.setattr(network, place, missing)
    with pytest.raises(EvaluatorError, match="no weights"):
        observed(evaluator, [sample(number) for number in range(40)])


def test_a_file_that_many_samples_share_goes_through_once(evaluator: Evaluator, network: Network) -> None:
    rows, _ = observed(evaluator, [sample(number, reference="shared") for number in range(40)])
    assert sum(network.runs) == 41
    assert len(set(map(tuple, rows.column("reference").tolist()))) == 1


def test_two_metrics_and_two_sides_share_what_is_known(evaluator: Evaluator, files: Files, network: Network) -> None:
    first, _ = observed(evaluator, [sample(1, "same", "other")])
    done = (sum(network.runs), len(files.read))
    second, _ = observed(evaluator, [sample(1, "other", "same")], metric=replace(METRIC, id="far"))
    assert (sum(network.runs), len(files.read)) == done == (2, 2)
    assert first.column("prediction").tobytes() == second.column("reference").tobytes()


def test_features_that_are_not_finite_are_refused_by_name(evaluator: Evaluator, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "run", lambda prepared: [np.where(values == ord("?"), np.nan, values) for values in prepared])
    rows, issues = observed(evaluator, [sample(1), sample(2, "?"), sample(3, reference="?r")])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [
        ("s002", "FEATURES_NOT_FINITE", "prediction"), ("s003", "FEATURES_NOT_FINITE", "reference"),
    ]
    assert np.isfinite(rows.features("prediction")).all()
    assert len(rows.features("prediction")) == 1
