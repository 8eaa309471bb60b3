"""One metric on one file: lines are read while shards are scored, and states go on while others come."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.bundle.content import Sample
from genlevel_orchestrator.failures import CallFailed, Failure, Kind
from genlevel_orchestrator.runs import single
from genlevel_orchestrator.runs.gate import Gate
from genlevel_orchestrator.runs.records import ShardRecord
from genlevel_orchestrator.runs.results import IssueRecord
from genlevel_orchestrator.runs.scoring import PassingMemory, ScoredShard

IN_FLIGHT, FAN_IN = 3, 4


class Client:
    """Merges states into one that is as long as they are together."""

    dispatch = SimpleNamespace(combine_fan_in=FAN_IN, budget_seconds=1.0, in_flight=IN_FLIGHT)

    def header(self, seconds: float) -> pb.RequestHeader:
        return pb.RequestHeader()

    async def combine(self, request: pb.CombineStatesRequest) -> pb.CombineStatesResponse:
        keys = [key for state in request.states for key in state.keys]
        if request.finalize:
            return pb.CombineStatesResponse(value=pb.MetricValue(expected=len(keys), warnings=keys))
        return pb.CombineStatesResponse(state=pb.MetricState(keys=keys))

    async def finalize(self, request: pb.FinalizeMetricRequest) -> pb.FinalizeMetricResponse:
        return pb.FinalizeMetricResponse(value=pb.MetricValue(expected=len(request.state.keys), warnings=request.state.keys))


class Scorer:
    """Scores shards of one sample, the early ones slowly; notes how much there is at a time."""

    def __init__(self, failing: str = "") -> None:
        self.client, self.gate, self.details, self.failing = Client(), Gate(IN_FLIGHT), pb.DetailSpec(), failing
        self.memory, self.most, self.read = PassingMemory(), Counter[str](), 0

    def spec(self) -> pb.MetricSpec:
        return pb.MetricSpec()

    async def score(self, samples: list[Sample], finalize: bool = False) -> ScoredShard:
        key = samples[0].key if samples else "none"
        await asyncio.sleep(0.0002 * (7 - int(key) % 7 if samples else 0))
        if key == self.failing:
            raise CallFailed("language", Failure(Kind.REFUSED, "BAD", "no", ""))
        state = pb.MetricState(keys=[key] if samples else []).SerializeToString()
        value = pb.MetricValue(expected=1, warnings=[key]).SerializeToString() if finalize else None
        if key.endswith("5"):  # nothing of it could be scored
            return ScoredShard(issues=[IssueRecord(key, "LOST", "infrastructure", "", "")])
        record = ShardRecord(key, "language", "", 1, state, (), value)
        await self.memory.keep(record)
        self.most["states"] = max(self.most["states"], len(self.memory._shards))
        return ScoredShard([record], [IssueRecord(key, "SCORED", "warning", "", "")], scored=1)

    def batches(self, count: int) -> Iterator[single._Batch]:
        for place in range(count):
            self.read += 1
            yield [Sample(str(place), None, ())], [IssueRecord(str(place), "READ", "warning", "", "")], place == count - 1


def scored(scorer: Scorer, count: int) -> tuple[pb.MetricValue, list[IssueRecord]]:
    issues: list[IssueRecord] = []

    async def work() -> pb.MetricValue:
        async with aclosing(single._shards(scorer, scorer.batches(count), issues)) as shards:  # type: ignore[arg-type]
            return await single._value(scorer, shards)  # type: ignore[arg-type]

    return asyncio.run(work()), issues


@pytest.mark.parametrize("count", [1, 2, 4, 5, 60])
def test_all_shards_count_and_keep_their_order(count: int) -> None:
    value, issues = scored(Scorer(), count)
    assert list(value.warnings) == [str(place) for place in range(count) if place % 10 != 5]
    assert [(issue.sample_id, issue.code) for issue in issues] == [
        (str(place), code) for place in range(count) for code in ("READ", "LOST" if place % 10 == 5 else "SCORED")
    ]


def test_no_more_states_wait_than_there_are_shards_in_flight() -> None:
    scorer = Scorer()
    scored(scorer, 200)
    assert 1 < scorer.most["states"] <= IN_FLIGHT + 1
    assert not scorer.memory._shards


def test_nothing_scored_is_an_empty_state() -> None:
    scorer = Scorer()
    assert scored(scorer, 1)[0].expected == 1
    nothing: Any = Scorer()
    nothing.batches = lambda count: iter([([Sample("5", None, ())], [], True)])
    assert scored(nothing, 1)[0].expected == 0


def test_a_refusal_ends_it_before_all_is_read() -> None:
    scorer = Scorer(failing="7")
    with pytest.raises(CallFailed):
        scored(scorer, 1000)
    assert scorer.read < 7 + 2 * IN_FLIGHT
