"""Evaluators that cannot be reached: the cause is told in bounded time, and the others are not held up."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest

from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.failures import CallFailed
from genlevel_orchestrator.runs.records import EventRecord, RunSpec
from genlevel_orchestrator.runs.results import RunState, TaskStatus
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Dispatch, Endpoint, Settings


@contextmanager
def black_hole() -> Iterator[str]:
    """An address whose connections get no answer, as where a network policy drops them: a listener whose queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        time.sleep(0.1)
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for one in waiting:
                one.close()


@asynccontextmanager
async def without_application(target: str) -> AsyncIterator[asyncio.Event]:
    """Serve's proxy while the evaluator behind it starts; the words are Serve 2.60's. The event is set by the first call."""
    called = asyncio.Event()

    class Proxy(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            async def refuse(_: object, context: grpc.aio.ServicerContext) -> None:
                called.set()
                await context.abort(grpc.StatusCode.NOT_FOUND, "Application 'language' not found. Ping /ListApplications for available applications.")

            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.aio.server(handlers=[Proxy()])
    server.add_insecure_port(target)
    await server.start()
    try:
        yield called
    finally:
        await server.stop(None)


def _failure(target: str, seconds: float = 1.0) -> tuple[str, float]:
    async def describe() -> None:
        async with EvaluatorClient("language", Endpoint(target=target), Dispatch(start_seconds=seconds)) as client:
            await client.describe()

    begun = time.monotonic()
    with pytest.raises(CallFailed) as caught:
        asyncio.run(describe())
    assert caught.value.failure.reason == "EVALUATOR_ABSENT"
    return caught.value.failure.message, time.monotonic() - begun


def test_dropped_packets_are_told_from_a_refusal_and_from_a_wrong_name() -> None:
    with black_hole() as target:
        message, seconds = _failure(target)
    assert message == f"evaluator language at {target} cannot be reached: nothing answers within 3 s"
    assert seconds < 30
    assert "nobody listens there" in _failure("127.0.0.1:1")[0]
    assert "eval-nowhere.invalid has no address" in _failure("eval-nowhere.invalid:9000", 0.1)[0]


def test_an_evaluator_that_is_missing_holds_up_no_other(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType) -> None:
    bundle = bundles.text_bundle(tmp_path / "b")
    data = [{"id": 0, "input": {"image_file": "a.png"}, "output": {"text": "a"}}]
    bundles.write_task(
        bundle, "Road Crack Detection", data, [{"id": 0, "prediction": "a"}], folder="image/comprehension", task_type="Detection"
    )
    dispatch = settings.dispatch.model_copy(update={"start_seconds": 6.0})
    done: dict[str, float] = {}

    def note(event: EventRecord) -> None:
        if event.kind == "task_done":
            done[event.task_id] = event.time

    async def run() -> Any:
        with black_hole() as missing:
            async with fakes.serving(fakes.FakeEvaluator()) as target:
                endpoints = {name: Endpoint(target=missing) for name in ("image", "audio", "video")}
                endpoints["language"] = Endpoint(target=target)
                service = RunService(settings.model_copy(update={"evaluators": endpoints, "dispatch": dispatch}))
                name = service.create(RunSpec("model", str(bundle))).name
                return missing, await service.execute(name, "configured", note)

    missing, result = asyncio.run(run())
    scored = [task for task in result.tasks if task.status is TaskStatus.SCORED]
    (failed,) = [task for task in result.tasks if task.status is TaskStatus.FAILED]
    assert result.state is RunState.PROVISIONAL
    assert len(scored) == 2
    assert all(part in failed.reason for part in ("EVALUATOR_ABSENT", f"evaluator {failed.evaluator}", missing, "nothing answers"))
    assert max(done[task.task_id] for task in scored) + 3 < done[failed.task_id], "they were done long before it was given up"


@pytest.mark.usefixtures("small_shards")
def test_an_evaluator_that_is_started_again_is_waited_for(
    tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType
) -> None:
    """Its attempts would be over long before a container is back: there are two, for a connection that tears in a call is one."""
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 100, 60)])
    dispatch = settings.dispatch.model_copy(update={"attempts": 2, "start_seconds": 0.2, "return_seconds": 60.0})
    fake = fakes.FakeEvaluator(before=lambda _: asyncio.sleep(0.05))

    async def run() -> Any:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            target = f"127.0.0.1:{free.getsockname()[1]}"
        configured = settings.model_copy(update={"evaluators": {"language": Endpoint(target=target)}, "dispatch": dispatch})
        service = RunService(configured)
        name = service.create(RunSpec("model", str(bundle))).name
        async with fakes.serving(fake, target):
            running = asyncio.create_task(service.execute(name, "configured"))
            while len(fake.shards) < 3:
                await asyncio.sleep(0.01)
        assert not running.done()
        await asyncio.sleep(1.5)
        async with without_application(target) as called:
            await asyncio.wait_for(called.wait(), 30)
            await asyncio.sleep(0.5)
        async with fakes.serving(fake, target):
            return await running

    result = asyncio.run(run())
    assert (result.state, fakes.value_of(result)) == (RunState.SUCCEEDED, 60.0)


def test_one_that_does_not_return_is_given_up(fakes: ModuleType) -> None:
    from genlevel.v1 import evaluator_pb2 as pb

    async def run() -> None:
        dispatch = Dispatch(attempts=1, start_seconds=0.2, return_seconds=1.0, first_pause=0.01)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            target = f"127.0.0.1:{free.getsockname()[1]}"
        async with EvaluatorClient("language", Endpoint(target=target), dispatch) as client:
            async with fakes.serving(fakes.FakeEvaluator(), target):
                await client.describe()
            begun = time.monotonic()
            for _ in range(2):
                with pytest.raises(CallFailed, match=r"cannot be reached|does not answer"):
                    await client.evaluate(pb.EvaluateShardRequest(metric=pb.MetricSpec(metric="accuracy")))
            # The second call does not wait as long again.
            assert 1.0 < time.monotonic() - begun < 20

    asyncio.run(run())


def test_a_call_that_is_always_given_up_ends_though_others_are_answered(fakes: ModuleType) -> None:
    """Each answer says that the evaluator is there, which must not grant the refused call its time anew."""
    from genlevel.v1 import evaluator_pb2 as pb

    def before(request: pb.EvaluateShardRequest) -> None:
        if request.samples[0].id == "bad":
            raise fakes.Trouble(grpc.StatusCode.CANCELLED, "CANCELLED")

    def shard(name: str) -> pb.EvaluateShardRequest:
        request = pb.EvaluateShardRequest(metric=pb.MetricSpec(metric="accuracy"))
        sample = request.samples.add(id=name)
        sample.prediction.text = "a"
        sample.references.add(text="a")
        return request

    async def run() -> None:
        dispatch = Dispatch(attempts=2, start_seconds=1.0, return_seconds=1.0, first_pause=0.01, budget_seconds=5.0)
        async with (
            fakes.serving(fakes.FakeEvaluator(before=before)) as target,
            EvaluatorClient("language", Endpoint(target=target), dispatch) as client,
        ):
            await client.describe()
            bad = asyncio.create_task(client.evaluate(shard("bad")))
            while not bad.done():
                await client.evaluate(shard("good"))
                await asyncio.sleep(0.05)
            with pytest.raises(CallFailed, match="stopped in the middle of the call"):
                await bad

    asyncio.run(asyncio.wait_for(run(), 30))
