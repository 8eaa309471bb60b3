"""The embedded Ray Serve: the same contract, nothing beyond loopback, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from google.rpc import error_details_pb2, status_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc, sample_pb2

pytestmark = [pytest.mark.ray, pytest.mark.slow]
NAMES = ("language", "image", "video", "audio", "three_d")


class Child:
    """`python -m genlevel_evaluator.serve.embedded` in a process group of its own."""

    def __init__(self, only: str = "") -> None:
        command = [sys.executable, "-m", "genlevel_evaluator.serve.embedded", *(["--only", only] if only else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert self.process.stdout is not None
        self.endpoints: dict[str, str] = json.loads(self.process.stdout.readline())["endpoints"]

    def members(self) -> list[psutil.Process]:
        """The child and all that it started; Ray's workers have process groups of their own, so the tree is walked."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def stop(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    started = Child()
    yield started
    started.stop()


def call(child: Child, name: str, body: Any) -> Any:
    async def main() -> Any:
        async with grpc.aio.insecure_channel(child.endpoints[name]) as channel:
            return await body(evaluator_pb2_grpc.EvaluatorServiceStub(channel))

    return asyncio.run(main())


def request(evaluator: str = "language", metric: str = "accuracy") -> pb.EvaluateShardRequest:
    answer = sample_pb2.Content(text="a")
    samples = [sample_pb2.Sample(id="1", prediction=answer, references=[answer])]
    header = pb.RequestHeader(evaluator=evaluator, protocol_version=1)
    return pb.EvaluateShardRequest(header=header, metric=pb.MetricSpec(metric=metric), samples=samples, finalize=True)


def test_all_five_answer_and_say_who_they_are(child: Child) -> None:
    for name in NAMES:
        described = call(child, name, lambda stub, n=name: stub.DescribeEvaluator(pb.DescribeEvaluatorRequest(), metadata=(("application", n),)))
        assert described.evaluator == name
        assert described.metrics


def test_a_value_and_a_stream_come_through_the_proxy(child: Child) -> None:
    async def parts() -> AsyncIterator[pb.EvaluateMetricRequest]:
        yield pb.EvaluateMetricRequest(start=request())

    metadata = (("application", "language"),)
    assert call(child, "language", lambda stub: stub.EvaluateShard(request(), metadata=metadata)).value.value == 100.0
    assert call(child, "language", lambda stub: stub.EvaluateMetric(parts(), metadata=metadata)).value.value == 100.0


def test_states_come_through_the_proxy_as_a_stream(child: Child) -> None:
    metadata = (("application", "language"),)

    async def body(stub: Any) -> float:
        shards = [request() for _ in range(3)]
        for number, shard in enumerate(shards):
            shard.finalize = False
            shard.samples[0].id = str(number)
        shards[0].samples[0].prediction.text = "b"
        states = [(await stub.EvaluateShard(shard, metadata=metadata)).state for shard in shards]

        async def parts() -> AsyncIterator[pb.FinalizeStatesRequest]:
            yield pb.FinalizeStatesRequest(start=pb.FinalizeMetricRequest(header=shards[0].header, metric=shards[0].metric))
            for state in states:
                yield pb.FinalizeStatesRequest(state=state)

        return float((await stub.FinalizeStates(parts(), metadata=metadata)).value.value)

    assert call(child, "language", body) == pytest.approx(200.0 / 3.0, abs=1e-12)


def test_errors_keep_their_details_through_the_proxy(child: Child) -> None:
    for bad, reason in ((request(metric="acuracy"), "UNKNOWN_METRIC"), (request(evaluator="image"), "WRONG_EVALUATOR")):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            call(child, "language", lambda stub, b=bad: stub.EvaluateShard(b, metadata=(("application", "language"),)))
        trailer = dict(caught.value.trailing_metadata() or ())["grpc-status-details-bin"]
        info = error_details_pb2.ErrorInfo()
        assert status_pb2.Status.FromString(trailer).details[0].Unpack(info)
        assert info.reason == reason


def test_nothing_listens_beyond_loopback(child: Child) -> None:
    assert sum("ServeReplica" in " ".join(process.cmdline()) for process in child.members()) == len(NAMES)
    listening = [
        (process.name(), connection.laddr.ip)
        for process in child.members()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening, "the test looks at the wrong processes"
    assert [entry for entry in listening if entry[1] not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")] == []


def test_idle_evaluators_have_no_torch(child: Child) -> None:
    replicas = [process for process in child.members() if "ServeReplica" in " ".join(process.cmdline())]
    assert len(replicas) == len(NAMES)
    maps = [Path(f"/proc/{process.pid}/maps").read_text() for process in replicas]
    assert all("numpy" in text for text in maps)
    assert not any("libtorch" in text for text in maps)


def test_it_ends_with_its_pipe_and_leaves_nothing() -> None:
    child = Child("language")
    members = child.members()
    assert any("ServeReplica" in " ".join(process.cmdline()) for process in members), "the test looks at the wrong processes"
    folders = {name for process in members for argument in process.cmdline() for name in re.findall(r"/tmp/glr-\w+", argument)}
    assert child.stop() == 0
    _, left = psutil.wait_procs(members, timeout=20)
    assert left == []
    assert folders
    assert [folder for folder in folders if os.path.exists(folder)] == []
