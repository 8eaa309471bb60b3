"""Networks split off onto a deployment of their own, on a real Ray: equal bits, from zero, and through a death."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from google.rpc import error_details_pb2, status_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc
from genlevel_evaluator.serve import local_ray, loopback, processors
from genlevel_evaluator.serve.kuberay import serve_config
from tests.common.serve import fvd_samples

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.weights]

# As under KubeRay, but without a GPU and with little patience: the networks begin at zero replicas.
SERVICES = """
[defaults]
health_check_period_s = 1
[video.cluster]
max_replicas = 1
[video.backbones]
num_gpus = 0
upscale_delay_s = 0
[video.backbones.i3d]
max_replicas = 1
"""


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[evaluator_pb2_grpc.EvaluatorServiceStub]:
    """The application that the printed configuration names, built and run as `serve deploy` does it."""
    import ray
    from ray import serve
    from ray.serve._private.api import call_user_app_builder_with_args_if_necessary as built
    from ray.serve.schema import ServeDeploySchema

    from genlevel_evaluator.serve.applications import build

    path = tmp_path_factory.mktemp("split") / "services.toml"
    path.write_text(SERVICES)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GENLEVEL_SERVICES", str(path))
        for name in processors.VARIABLES:  # what another test left there would go before what Ray grants
            environment.setenv(name, "1")
        for name, value in local_ray.ENVIRONMENT.items():  # for a quick start; Serve itself, and its sockets, as where Ray spans pods
            if name not in loopback.ENVIRONMENT and not name.startswith("RAY_SERVE_"):
                environment.setenv(name, value)
        config = ServeDeploySchema.model_validate(serve_config("video", split=True))
        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=80 << 20)
        try:
            port = loopback.free_port()
            servicers = config.grpc_options.grpc_servicer_functions
            serve.start(
                http_options={"host": "127.0.0.1", "port": loopback.free_port()},
                grpc_options={"port": port, "grpc_servicer_functions": servicers, "request_timeout_s": config.grpc_options.request_timeout_s},
            )
            (application,) = config.applications
            assert application.import_path == f"{build.__module__}:{build.__name__}"
            serve.run(built(build, application.args), name=application.name, route_prefix=application.route_prefix)
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield evaluator_pb2_grpc.EvaluatorServiceStub(channel)
        finally:
            serve.shutdown()
            ray.shutdown()


def replicas(deployment: str) -> list[psutil.Process]:
    """Processes of a deployment of our own Ray, by the title Ray gives them."""
    title = f"ServeReplica:video:{deployment}"
    found = []
    for process in psutil.Process().children(recursive=True):
        line = " ".join(process.cmdline()) if process.is_running() and process.status() != psutil.STATUS_ZOMBIE else ""
        if title in line and line.split(title, 1)[1][:1] in ("", ".", " "):
            found.append(process)
    return found


def test_networks_elsewhere_give_the_same_bits(stub: evaluator_pb2_grpc.EvaluatorServiceStub) -> None:
    assert replicas("video-backbones-i3d") == []  # scaled to zero: the call waits until one has started
    files = {"a": ("a.npz", fvd_samples.clip(1)), "bad": ("bad.mp4", fvd_samples.damaged()), "b": ("b.npz", fvd_samples.clip(2))}
    found = stub.EvaluateShard(fvd_samples.request(files), timeout=90)
    assert found.state.SerializeToString(deterministic=True) == fvd_samples.in_one_process(files)
    # What the network refuses stays an issue of its sample.
    assert [(issue.sample_id, issue.code) for issue in found.issues] == [("bad", "MEDIA_DAMAGED")]
    (evaluator,) = replicas("video")
    (networks,) = replicas("video-backbones-i3d")
    assert "libtorch_cpu" in Path(f"/proc/{networks.pid}/maps").read_text()
    assert "libtorch_cpu" not in Path(f"/proc/{evaluator.pid}/maps").read_text()


def test_a_budget_ends_a_call_that_waits_for_the_networks(stub: evaluator_pb2_grpc.EvaluatorServiceStub) -> None:
    request = fvd_samples.request({str(index): ("a.npz", fvd_samples.clip(100 + index, 16)) for index in range(32)})
    request.header.budget_ms = 700
    begin = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        stub.EvaluateShard(request, timeout=60)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason(caught.value) == "BUDGET_USED_UP"
    assert time.monotonic() - begin < 5


def test_dead_networks_are_unavailable_and_come_back(stub: evaluator_pb2_grpc.EvaluatorServiceStub) -> None:
    many = fvd_samples.request({str(index): ("a.npz", fvd_samples.clip(200 + index, 16)) for index in range(40)})
    failures: list[grpc.RpcError] = []

    def call() -> None:
        with pytest.raises(grpc.RpcError) as caught:
            stub.EvaluateShard(many, timeout=120)
        failures.append(caught.value)

    caller = threading.Thread(target=call)
    caller.start()
    time.sleep(1.5)
    (networks,) = replicas("video-backbones-i3d")
    os.kill(networks.pid, signal.SIGKILL)
    caller.join(60)
    (failure,) = failures
    assert failure.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(failure) == "BACKBONES_DIED"
    again = stub.EvaluateShard(fvd_samples.request({"a": ("a.npz", fvd_samples.clip(300))}), timeout=90)
    assert list(again.issues) == []
    assert isinstance(again, pb.EvaluateShardResponse)


def reason(error: grpc.RpcError) -> str:
    trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(trailer).details[0].Unpack(info)
    return str(info.reason)
