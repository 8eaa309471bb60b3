"""Folding the states of shards: order, how often a state is sent, and the size of a call."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import folding
from genlevel_orchestrator.runs.gate import Gate


class Client:
    """Merges keys, and counts how often each is sent and how many states a call has."""

    def __init__(self, fan_in: int) -> None:
        self.dispatch = SimpleNamespace(combine_fan_in=fan_in, budget_seconds=1.0)
        self.sent: Counter[str] = Counter()
        self.calls: list[int] = []
        self.final: list[str] = []
        self.streams = 0

    def header(self, seconds: float) -> pb.RequestHeader:
        return pb.RequestHeader()

    async def combine(self, request: pb.CombineStatesRequest) -> pb.CombineStatesResponse:
        keys = [key for state in request.states for key in state.keys]
        self.sent.update(keys)
        self.calls.append(len(request.states))
        if request.finalize:
            self.final = keys
        return pb.CombineStatesResponse(state=pb.MetricState(keys=keys), value=pb.MetricValue(expected=len(keys)))

    async def finalize(self, request: pb.FinalizeMetricRequest) -> pb.FinalizeMetricResponse:
        self.final = list(request.state.keys)
        return pb.FinalizeMetricResponse(value=pb.MetricValue(expected=len(request.state.keys)))

    async def finalize_states(self, parts: Callable[[], AsyncIterator[pb.FinalizeStatesRequest]]) -> pb.FinalizeStatesResponse:
        """As a client that has to repeat the call."""
        for _ in range(2):
            self.streams += 1
            first, *states = [part async for part in parts()]
            assert first.HasField("start")
            self.final = sorted(key for part in states for key in part.state.keys)
            self.sent.update(self.final)
        return pb.FinalizeStatesResponse(value=pb.MetricValue(expected=len(self.final)))


def folded(count: int, fan_in: int, size: int = 1, unpacked: int = 0) -> Client:
    async def states() -> AsyncIterator[bytes]:
        for place in range(count):
            columns = [pb.StateColumn(size=unpacked)]
            yield pb.MetricState(keys=[f"{place:0{size}d}"], columns=columns).SerializeToString()

    async def work() -> Any:
        return await folding.fold(client, Gate(1), pb.MetricSpec(), states(), pb.DetailSpec())  # type: ignore[arg-type]

    client = Client(fan_in)
    assert asyncio.run(work()).expected == count
    assert client.final == [f"{place:0{size}d}" for place in range(count)]
    return client


@pytest.mark.parametrize("fan_in", [2, 3, 16])
@pytest.mark.parametrize("count", [1, 2, 3, 15, 16, 17, 40, 257])
def test_states_keep_their_order_and_are_sent_seldom(count: int, fan_in: int) -> None:
    client = folded(count, fan_in)
    assert all(1 < size <= fan_in for size in client.calls)
    rounds = next(level for level in range(1, 20) if fan_in**level >= count)
    assert max(client.sent.values(), default=0) <= rounds + 1


@pytest.mark.parametrize("count", [3, 9, 40])
def test_large_states_are_streamed(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_BATCH_BYTES", 2500)
    client = folded(count, 16, size=1000)
    assert client.calls == []
    assert client.streams == 2, "the first attempt fails"
    assert set(client.sent.values()) == {2}


def test_small_states_that_are_large_when_read_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_UNPACKED_BYTES", 2500)
    client = folded(9, 16, unpacked=1000)
    assert (client.calls, client.streams) == ([], 2)


def test_merged_states_that_grow_large_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_BATCH_BYTES", 2500)
    client = folded(200, 3, size=100)
    assert max(client.calls) <= 3
    assert client.streams == 2


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_BATCH_BYTES", 2500)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "wb", buffering=0))  # noqa: SIM115
    with pytest.raises(UserError, match="No space left"):
        folded(9, 16, size=1000)
