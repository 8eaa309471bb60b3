"""An evaluator as in its container, on a real Ray: from missing weights to a drained end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from google.rpc import error_details_pb2, status_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_evaluator import weights
from tests.common.serve import fvd_samples
from tests.common.serve.deployed_child import Deployed

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.weights]

SERVICES = """
[defaults]
drain_seconds = 1.5
health_check_period_s = 1
"""
WEIGHTS = "i3d-kinetics-400"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mounted cache in which nothing lies yet."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Deployed]:
    started = Deployed("video", tmp_path_factory.mktemp("video"), SERVICES, GENLEVEL_CACHE_DIR=str(cache))
    yield started
    started.stop()


# The tests of this module tell one story, in order: a start of Ray takes seconds.


def test_without_weights_it_is_live_and_not_ready(video: Deployed, cache: Path) -> None:
    line = video.wait_for_line(f"the weights {WEIGHTS}")
    file = weights.path(WEIGHTS)
    assert str(cache / "weights" / file.parent.name / file.name) in line
    assert f"genlevel weights fetch {WEIGHTS}" in line
    assert (video.state("live"), video.state("ready"), video.state("")) == ("SERVING", "NOT_SERVING", "NOT_SERVING")
    command = [sys.executable, "-m", "genlevel_evaluator.serve.probe", "--port", str(video.health_port)]
    for service, state, code in (("live", "SERVING", 0), ("ready", "NOT_SERVING", 1)):
        found = subprocess.run([*command, service], capture_output=True, text=True, timeout=30)
        assert (found.stdout, found.returncode) == (f"{service}: {state}\n", code)


def test_late_weights_make_it_ready_without_a_restart(video: Deployed, cache: Path) -> None:
    (cache / "weights").symlink_to(weights.weights_root())
    assert video.wait_for("SERVING") < 90
    video.wait_for_line("backbone i3d is loaded")
    # Said once for each set of networks that lack theirs, however often it was tried; the set may shrink while they are loaded.
    assert sum(f"the weights {WEIGHTS}" in line for line in video.lines) in (1, 2)
    assert video.state("") == "SERVING"


def test_only_grpc_and_health_listen_outward(video: Deployed) -> None:
    listening = [
        connection.laddr
        for process in video.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 5, "the test looks at the wrong processes"
    outward = {address.port for address in listening if address.ip not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")}
    assert outward == {video.port, video.health_port}


def test_a_sample_is_scored(video: Deployed) -> None:
    files = {key: (f"{key}.npz", fvd_samples.clip(seed)) for seed, key in enumerate("abc")}
    with video.channel() as channel:
        found = video.stub(channel).EvaluateShard(fvd_samples.request(files), timeout=60)
    assert list(found.issues) == []
    (column,) = [column for column in found.state.columns if column.name == "prediction_features"]
    assert column.ByteSize() > 3 * 400 * 4


def test_a_dead_replica_is_replaced_and_warmed_up_again(video: Deployed) -> None:
    dead = video.replica()
    os.kill(dead.pid, signal.SIGKILL)
    assert video.wait_for("NOT_SERVING", 10) < 5
    assert video.state("live") == "SERVING"
    video.wait_for("SERVING")
    assert video.replica().pid != dead.pid
    assert sum("backbone i3d is loaded" in line for line in video.lines) == 2
    assert any("controller" in line and "crashed" in line for line in video.lines)  # Serve's own word reaches the log


def test_told_to_end_it_finishes_the_call_at_work(video: Deployed) -> None:
    parts: queue.SimpleQueue[pb.EvaluateMetricRequest | None] = queue.SimpleQueue()
    with video.channel() as channel, video.channel() as other:
        open_call = video.stub(channel).EvaluateMetric.future(iter(parts.get, None), timeout=60)
        start = fvd_samples.request({})
        parts.put(pb.EvaluateMetricRequest(start=start))
        time.sleep(0.5)
        video.tell()
        assert video.wait_for("NOT_SERVING", 5) < 1
        answered = video.stub(other).DescribeEvaluator(pb.DescribeEvaluatorRequest(), timeout=5)
        assert answered.evaluator == "video"  # clients that have not seen it yet are still served
        refused = wait_until_refused(video, other)
        assert refused.code() is grpc.StatusCode.UNAVAILABLE
        assert reason(refused) == "DRAINING"
        for sample in late_samples():
            parts.put(pb.EvaluateMetricRequest(sample=sample))
        parts.put(None)
        value = open_call.result(60)
    assert list(value.issues) == []
    begin = time.monotonic()
    assert video.process.wait(30) == 0
    assert time.monotonic() - begin < 15
    video.wait_for_line("ended", 5)
    assert not any("cut off" in line or "Traceback" in line for line in video.lines)


def late_samples() -> list[sample_pb2.Sample]:
    """Four clips."""
    files = {key: (f"{key}.npz", fvd_samples.clip(seed)) for seed, key in enumerate("wxyz")}
    return list(fvd_samples.request(files).samples)


def wait_until_refused(video: Deployed, channel: grpc.Channel) -> grpc.RpcError:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            video.stub(channel).DescribeEvaluator(pb.DescribeEvaluatorRequest(), timeout=5)
        except grpc.RpcError as error:
            return error
        time.sleep(0.1)
    raise AssertionError("calls are still taken")


def reason(error: grpc.RpcError) -> str:
    trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(trailer).details[0].Unpack(info)
    return str(info.reason)
