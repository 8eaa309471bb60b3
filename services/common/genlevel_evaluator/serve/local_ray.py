"""One local Ray with one Serve application for each evaluator: what the embedded mode and a container have in common."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from genlevel_evaluator.serve import loopback, processors, trim
from genlevel_evaluator.serve.options import SERVICER_FUNCTION
from genlevel_evaluator.serve.plan import ServicePlan, plan_of

READY_SECONDS = 120
OBJECT_STORE_BYTES = 80 << 20
"""Requests go through the proxy, the object store is hardly used. Ray wants at least 75 MB."""

ENVIRONMENT = {
    **loopback.ENVIRONMENT,
    # Fewer threads and processes for a machine that also does the scoring.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1000",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_metrics_collection": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray would start a quarter of the machine's cores of each, whatever a container is granted.
    "RAY_num_server_call_thread": "1",
    "RAY_gcs_server_rpc_server_thread_num": "1",
    # Logs lie in the temporary folder, which is memory in a container.
    "RAY_ROTATION_MAX_BYTES": str(16 << 20),
    "RAY_ROTATION_BACKUP_COUNT": "1",
}


# For the processes Ray starts: in ours no event loop of Serve's runs on which a handle could route.
CHILDREN = {"RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0"}


class LocalServe:
    """A local Ray with Serve.

    Args:
        names: evaluators, one application each.
        roots: folders and URLs that media may be read from.
        port: of the gRPC ingress; 0 lets the system choose.
        outward: whether the gRPC ingress listens on all interfaces; everything else stays on loopback.
        plans: how each evaluator runs; by default what `services.toml` says.
    """

    def __init__(
        self, names: Sequence[str], roots: Sequence[Any], port: int = 0, *, outward: bool = False,
        plans: Mapping[str, ServicePlan] | None = None,
    ) -> None:
        self.names = list(names)
        self.roots = [resolved(str(root)) for root in roots]
        self.port = port or loopback.free_port()
        self.plans = plans if plans is not None else {name: plan_of(name) for name in names}
        self._outward = outward
        # Socket paths have 107 characters, so Ray's folder is short and at the top.
        self.folder = tempfile.mkdtemp(prefix="glr-", dir="/tmp")

    def start(self) -> list[Any]:
        """Starts everything and returns the handles of the applications, which come up on their own."""
        self._prepare()
        import ray
        from ray import serve
        from ray.serve.config import HTTPOptions, gRPCOptions

        from genlevel_evaluator.serve.deployment import application

        os.environ.update(CHILDREN)
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        ray.init(
            address="local", num_cpus=max(2, processors.count()), include_dashboard=False, log_to_driver=False,
            object_store_memory=OBJECT_STORE_BYTES, _plasma_directory=self._store(), _temp_dir=self.folder, configure_logging=False,
        )
        serve.start(
            http_options=HTTPOptions(host=loopback.HOST, port=loopback.free_port()),
            grpc_options=gRPCOptions(
                port=self.port, grpc_servicer_functions=[SERVICER_FUNCTION], enable_reflection=False,
                request_timeout_s=max(plan.request_timeout_s for plan in self.plans.values()),
            ),
        )
        targets = [
            serve.RunTarget(application(name, self.roots, self.plans[name]), name=name, route_prefix=f"/{name}") for name in self.names
        ]
        return list(serve.run_many(targets, wait_for_applications_running=False))

    def _prepare(self) -> None:
        """The environment of this process and of those Ray starts; before Ray is imported."""
        os.environ.update(ENVIRONMENT)
        if not self._outward:
            os.environ.update(loopback.INGRESS)
        # Otherwise Ray writes a token to the home folder, which need not be writable, and shares it between instances.
        os.environ.update(RAY_AUTH_MODE="token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        processors.limit_threads(max(plan.replicas for plan in self.plans.values()))
        trim.prepare()

    def _store(self) -> str | None:
        """Where the object store lies. Docker grants 64 MB of /dev/shm by default: then in our own folder, on purpose."""
        shared = shutil.disk_usage("/dev/shm").free if os.access("/dev/shm", os.W_OK) else 0
        return None if shared >= OBJECT_STORE_BYTES else self.folder

    def wait_until_answered(self) -> None:
        """Returns when each evaluator has answered a call."""
        asyncio.run(self._answered())

    async def _answered(self) -> None:
        import grpc

        async with grpc.aio.insecure_channel(self.address) as channel:
            await asyncio.gather(*(_first_answer(channel, name) for name in self.names))

    @property
    def address(self) -> str:
        """Where all evaluators are reached from this machine; the metadata key `application` chooses one."""
        return f"{loopback.HOST}:{self.port}"

    def stop(self, *, at_once: bool = False) -> None:
        """Ends Serve and Ray and removes what they left in the temporary folder.

        Args:
            at_once: calls in work have had their time: Serve does not wait for them again.
        """
        import ray
        from ray import serve

        try:
            if ray.is_initialized() and not at_once:
                serve.shutdown()
        finally:
            ray.shutdown()
            self._remove_folder()

    def _remove_folder(self) -> None:
        """Ray's agents may write a last line while they end, so one try is not always enough."""
        for _ in range(50):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not os.path.exists(self.folder):
                return
            time.sleep(0.1)


def resolved(root: str) -> str:
    """A folder in full, since Ray's processes work elsewhere; a URL as it is."""
    return root if "://" in root else os.path.realpath(root)


async def describe(channel: Any, name: str, timeout: float) -> None:
    """One real call; raises grpc.aio.AioRpcError where it is not answered."""
    from genlevel.v1 import evaluator_pb2, evaluator_pb2_grpc

    request = evaluator_pb2.DescribeEvaluatorRequest(header=evaluator_pb2.RequestHeader(evaluator=name, protocol_version=1))
    stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
    await stub.DescribeEvaluator(request, metadata=(("application", name),), timeout=timeout, wait_for_ready=True)


async def _first_answer(channel: Any, name: str) -> None:
    """Waits until one real call is answered; "running" is said too early."""
    import grpc

    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            return await describe(channel, name, READY_SECONDS)
        except grpc.aio.AioRpcError as error:
            waiting = error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT)
            if not waiting or time.monotonic() > end:
                raise RuntimeError(f"evaluator {name} did not start: {error.details()}") from None
            await asyncio.sleep(0.1)
