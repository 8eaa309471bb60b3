"""The laws every metric keeps, checked for every metric found: order, grouping, empty side, repetition, wire round trip, shard count.

Samples come from tests/<evaluator>/generators.py, so a metric without a generator fails here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from genlevel_evaluator import codec, state_messages, states
from genlevel_evaluator.details import DetailSpec, keys_digest
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.states import Rows

TESTS = Path(__file__).resolve().parents[1]
EVALUATORS = ("language", "image", "video", "audio", "three_d")
METRICS = [(name, metric_id) for name in EVALUATORS for metric_id in load(name).metric_ids]
SAMPLES = 7
EVERYTHING = DetailSpec(worst=10, scores=True, keys=True, replicates=True)
WITHOUT_SCORES = {"fid", "fid_motion", "fvd", "fad"}
"""Metrics of whole sets: one sample alone has no value."""

pytestmark = pytest.mark.weights


class Case:
    """One metric with its samples, observed once."""

    def __init__(self, evaluator: str, metric_id: str, generators: ModuleType) -> None:
        self.scorer = Scorer.of(load(evaluator), metric_id)
        self.samples: list[RawSample] = generators.GENERATORS[metric_id](np.random.default_rng(7), SAMPLES)
        self.single = [self.scorer.observe([sample])[0] for sample in self.samples]
        self.value = self.finalize(self.single)

    def finalize(self, rows: list[Rows]) -> Value:
        return self.scorer.finalize(states.combine(rows))


@pytest.fixture(scope="module", params=METRICS, ids=[f"{evaluator}.{metric}" for evaluator, metric in METRICS])
def case(request: pytest.FixtureRequest, load_module: Callable[[Path], ModuleType]) -> Case:
    evaluator, metric_id = request.param
    return Case(evaluator, metric_id, load_module(TESTS / evaluator / "generators.py"))


def test_the_value_is_defined_and_in_range(case: Case) -> None:
    assert len(case.samples) == SAMPLES
    assert case.value.value is not None, case.value.reason
    low, high = case.scorer.metric.value_range
    assert low <= case.value.value <= high


def test_order_does_not_matter(case: Case) -> None:
    assert case.finalize(case.single[::-1]) == case.value


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_grouping_and_shard_count_do_not_matter(case: Case, shards: int) -> None:
    parts = [states.combine(case.single[i::shards]) for i in range(shards)]
    assert case.finalize(parts) == case.value


def test_samples_observed_together_or_alone_are_the_same(case: Case) -> None:
    together, _ = case.scorer.observe(case.samples)
    assert case.scorer.finalize(together).value == pytest.approx(case.value.value, rel=1e-5)


def test_a_repeated_shard_counts_once(case: Case) -> None:
    assert case.finalize([*case.single, *case.single[:3]]) == case.value


def test_an_empty_shard_adds_nothing(case: Case) -> None:
    nothing, issues = case.scorer.observe([])
    assert issues == []
    assert case.finalize([nothing, *case.single]) == case.value
    alone = case.scorer.finalize(nothing)
    assert (alone.value, alone.reason, alone.expected) == (None, "no_reference", 0)


def test_the_wire_keeps_every_bit(case: Case) -> None:
    digest = case.scorer.signature().digest
    sent = state_messages.encode_state(states.combine(case.single), digest)
    back = state_messages.decode_state(type(sent).FromString(sent.SerializeToString()), case.scorer, digest)
    assert case.scorer.finalize(back) == case.value
    with pytest.raises(EvaluatorError, match="other parameters"):
        state_messages.decode_state(sent, case.scorer, "0" * 64)


def test_nothing_submitted_is_never_a_good_score(case: Case) -> None:
    bare = [
        RawSample(s.id, None, s.references, Presence.PREDICTION_MISSING, s.attributes)
        for s in case.samples
        if s.references or case.scorer.metric.reference_free
    ]
    rows, _ = case.scorer.observe(bare)
    value = case.scorer.finalize(rows)
    assert value.present == 0
    assert value.expected == len(bare)
    if case.scorer.metric.missing is None:
        assert value.value is None
        return
    low, high = case.scorer.metric.value_range
    worst = low if case.scorer.metric.higher_is_better else high
    if case.scorer.metric.unit == "cosine x100":
        worst = 0.0  # what has no direction at all: less than unrelated pictures and texts reach
    assert value.value is not None
    assert value.value == worst or (not case.scorer.metric.higher_is_better and value.value >= 100)


def test_scores_and_replicates_do_not_depend_on_shards(case: Case) -> None:
    whole, parts = (
        case.scorer.finalize(states.combine([states.combine(case.single[i::count]) for i in range(count)]), EVERYTHING) for count in (1, 3)
    )
    messages = [codec.encode_value(value).details.SerializeToString(deterministic=True) for value in (whole, parts)]
    assert messages[0] == messages[1]
    assert replace(whole, details=None) == case.value
    details = whole.details
    assert details is not None
    assert details.samples == len(details.keys)
    assert details.keys_digest == keys_digest(details.keys)
    assert len(details.scores) == (0 if case.scorer.metric.id in WITHOUT_SCORES else details.samples)


def test_scores_of_samples_fit_the_value(case: Case) -> None:
    value = case.scorer.finalize(states.combine(case.single), EVERYTHING)
    assert value.details is not None
    scores = np.array(value.details.scores)
    defined = scores[~np.isnan(scores)]
    low, high = case.scorer.metric.value_range
    assert np.all((defined >= low) & (defined <= high))
    if len(scores) and value.signature.pooling == "sample":
        assert value.value == pytest.approx(math.fsum(defined) / len(defined), rel=1e-9)
    ranked = np.sort(defined) if case.scorer.metric.higher_is_better else np.sort(defined)[::-1]
    assert [score for _, score in value.details.worst] == ranked[:10].tolist()
    assert all(score == scores[value.details.keys.index(key)] for key, score in value.details.worst)


def test_the_interval_is_that_of_the_replicates(case: Case) -> None:
    value = case.scorer.finalize(states.combine(case.single), EVERYTHING)
    assert value.details is not None
    if value.interval is None or not value.interval.method.startswith("poisson_bootstrap"):
        return
    replicates = np.array(value.details.replicates)
    assert value.interval.method == f"poisson_bootstrap_{len(replicates)}"
    ends = np.percentile(replicates[np.isfinite(replicates)], [2.5, 97.5])
    assert (value.interval.low, value.interval.high) == pytest.approx(tuple(ends))
