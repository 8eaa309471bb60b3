"""The client against a server that misbehaves on demand."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Callable
from types import ModuleType
from typing import Any

import grpc
import pytest

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator import client as client_module
from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.failures import CallFailed, Kind
from genlevel_orchestrator.settings import Dispatch, Endpoint

QUICK = Dispatch(first_pause=0.01, start_seconds=2.0, budget_seconds=5.0)


def _request(client: EvaluatorClient) -> pb.EvaluateShardRequest:
    request = pb.EvaluateShardRequest(header=client.header(5.0), metric=pb.MetricSpec(metric="accuracy"), finalize=True)
    sample = request.samples.add(id="1")
    sample.prediction.text = "a"
    sample.references.add(text="a")
    return request


def _times(trouble: Exception, count: int) -> Callable[[Any], None]:
    left = [count]

    def before(_: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise trouble

    return before


async def _evaluate(fakes: ModuleType, fake: Any, deaths: int | None = None, dispatch: Dispatch = QUICK) -> pb.EvaluateShardResponse:
    async with fakes.serving(fake) as target, EvaluatorClient("language", Endpoint(target=target), dispatch) as client:
        return await client.evaluate(_request(client), deaths)


@pytest.mark.parametrize("trouble", ["DEAD", "BUSY", "AWAY"])
def test_three_failures_are_survived_and_a_fourth_is_not(fakes: ModuleType, trouble: str) -> None:
    fake = fakes.FakeEvaluator(before=_times(getattr(fakes, trouble), 3))
    assert asyncio.run(_evaluate(fakes, fake)).value.value == 100.0
    assert fake.calls["evaluate"] == 4
    fake = fakes.FakeEvaluator(before=_times(getattr(fakes, trouble), 4))
    with pytest.raises(CallFailed):
        asyncio.run(_evaluate(fakes, fake))
    assert fake.calls["evaluate"] == 4


def test_two_deaths_are_enough_when_asked(fakes: ModuleType) -> None:
    fake = fakes.FakeEvaluator(before=_times(fakes.DEAD, 4))
    with pytest.raises(CallFailed) as caught:
        asyncio.run(_evaluate(fakes, fake, deaths=2))
    assert fake.calls["evaluate"] == 2
    assert caught.value.failure.kind is Kind.DEAD


@pytest.mark.parametrize(
    ("code", "details", "reason"),
    [
        (grpc.StatusCode.INTERNAL, "NaN", "NAN"),
        (grpc.StatusCode.INVALID_ARGUMENT, "no such parameter", "BAD_PARAMETER"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max", ""),
        (grpc.StatusCode.NOT_FOUND, "no metric", "UNKNOWN_METRIC"),
        (grpc.StatusCode.UNAUTHENTICATED, "no token", "NO_TOKEN"),
    ],
)
def test_what_would_fail_again_is_not_tried_again(fakes: ModuleType, code: grpc.StatusCode, details: str, reason: str) -> None:
    fake = fakes.FakeEvaluator(before=_times(fakes.Trouble(code, details, reason), 1))
    with pytest.raises(CallFailed):
        asyncio.run(_evaluate(fakes, fake))
    assert fake.calls["evaluate"] == 1


def test_our_own_refusal_of_a_reply_is_not_tried_again(fakes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_OPTIONS", [("grpc.max_receive_message_length", 10)])
    fake = fakes.FakeEvaluator()
    with pytest.raises(CallFailed) as caught:
        asyncio.run(_evaluate(fakes, fake))
    assert caught.value.failure.kind is Kind.LARGE
    assert fake.calls["evaluate"] == 1


def test_a_late_evaluator_ends_at_the_deadline(fakes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_GRACE_SECONDS", 0.2)
    fake = fakes.FakeEvaluator(before=lambda _: asyncio.sleep(30))
    begun = time.monotonic()
    with pytest.raises(CallFailed) as caught:
        asyncio.run(_evaluate(fakes, fake, dispatch=QUICK.model_copy(update={"budget_seconds": 0.3})))
    assert caught.value.failure.kind is Kind.LATE
    assert time.monotonic() - begun < 5
    assert fake.calls["evaluate"] == 1


def test_an_evaluator_that_is_not_there_is_given_up_in_bounded_time() -> None:
    async def describe() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            target = f"127.0.0.1:{free.getsockname()[1]}"
        dispatch = Dispatch(start_seconds=0.5, first_pause=0.01)
        async with EvaluatorClient("language", Endpoint(target=target), dispatch) as client:
            await client.describe()

    begun = time.monotonic()
    with pytest.raises(CallFailed) as caught:
        asyncio.run(describe())
    assert caught.value.failure.reason == "EVALUATOR_ABSENT"
    assert time.monotonic() - begun < 10


def test_a_name_without_address_is_told() -> None:
    async def describe() -> None:
        dispatch = Dispatch(start_seconds=0.1)
        async with EvaluatorClient("language", Endpoint(target="nowhere.invalid:1"), dispatch) as client:
            await client.describe()

    with pytest.raises(CallFailed, match="no address"):
        asyncio.run(describe())


def test_an_evaluator_that_still_starts_is_waited_for(fakes: ModuleType) -> None:
    async def describe() -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            target = f"127.0.0.1:{free.getsockname()[1]}"
        async with EvaluatorClient("language", Endpoint(target=target), Dispatch(start_seconds=10.0)) as client:
            waiting = asyncio.create_task(client.describe())
            await asyncio.sleep(0.5)
            async with fakes.serving(fakes.FakeEvaluator(), target):
                return str((await waiting).evaluator)

    assert asyncio.run(describe()) == "language"


def test_calls_carry_their_header_and_metadata(fakes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", "secret")
    requests: list[pb.EvaluateShardRequest] = []
    fake = fakes.FakeEvaluator(before=lambda request: requests.append(request))

    async def evaluate() -> None:
        async with fakes.serving(fake) as target:
            endpoint = Endpoint(target=target, application="lang-b", token_env="TEST_TOKEN")
            async with EvaluatorClient("language", endpoint, QUICK) as client:
                await client.evaluate(_request(client))

    asyncio.run(evaluate())
    header = requests[0].header
    assert (header.evaluator, header.protocol_version, header.budget_ms) == ("language", 1, 5000)
    assert header.request_id
    assert fake.metadata[0]["application"] == "lang-b"
    assert fake.metadata[0]["authorization"] == "Bearer secret"


def test_all_addresses_of_a_name_are_used_and_those_that_leave_are_dropped(
    fakes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "REFRESH_SECONDS", 0.05)
    known = ["127.0.0.1", "127.0.0.2"]

    async def lookup(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in known]

    async def pair(port_fakes: list[Any]) -> AsyncGenerator[None, None]:
        async with fakes.serving(port_fakes[0], "127.0.0.1:0") as target:
            port = target.rsplit(":", 1)[1]
            async with fakes.serving(port_fakes[1], f"127.0.0.2:{port}"):
                monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
                async with EvaluatorClient("language", Endpoint(target=f"evaluators:{port}"), QUICK) as client:
                    await asyncio.gather(*(client.evaluate(_request(client)) for _ in range(10)))
                    yield
                    known.remove("127.0.0.1")
                    await asyncio.sleep(0.1)
                    before = port_fakes[0].calls["evaluate"]
                    await asyncio.gather(*(client.evaluate(_request(client)) for _ in range(4)))
                    assert port_fakes[0].calls["evaluate"] == before
                    yield

    async def run() -> list[int]:
        both = [fakes.FakeEvaluator(before=lambda _: asyncio.sleep(0.05)) for _ in range(2)]
        steps = pair(both)
        await anext(steps)
        shares = [fake.calls["evaluate"] for fake in both]
        await anext(steps)
        await steps.aclose()
        return shares

    assert asyncio.run(run()) == [5, 5]
