"""All evaluators in one local Ray Serve, on loopback: what `genlevel run` starts as its child.

`python -m genlevel_evaluator.serve.embedded --roots DIR` prints one JSON line with the endpoints once every evaluator has
answered a call, and ends when its standard input closes, or on SIGINT or SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genlevel_evaluator.serve import loopback, trim
from genlevel_evaluator.serve.bare import chosen, parser, until_asked_to_stop

READY_SECONDS = 120
OBJECT_STORE_BYTES = 80 << 20  # requests go through the proxy, the object store is hardly used

ENVIRONMENT = {
    **loopback.ENVIRONMENT,
    # Fewer threads and processes for a machine that also does the scoring.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1000",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_metrics_collection": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


class EmbeddedServe:
    """A local Ray with one Serve application for each evaluator."""

    def __init__(self, names: Sequence[str], roots: Sequence[Path], port: int = 0) -> None:
        self.names = list(names)
        self.roots = [str(Path(root).resolve()) for root in roots]
        self.port = port or loopback.free_port()
        # Socket paths have 107 characters, so Ray's folder is short and at the top.
        self._folder = Path(tempfile.mkdtemp(prefix="glr-", dir="/tmp"))

    def start(self) -> None:
        """Starts everything; returns when each evaluator answers."""
        os.environ.update(ENVIRONMENT)
        os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
        trim.prepare()
        import ray
        from ray import serve
        from ray.serve.config import HTTPOptions, gRPCOptions

        from genlevel_evaluator.serve.deployment import SERVICER_FUNCTION, application

        ray.init(
            address="local", num_cpus=max(2, os.cpu_count() or 2), include_dashboard=False, log_to_driver=False,
            object_store_memory=OBJECT_STORE_BYTES, _temp_dir=str(self._folder), configure_logging=False,
        )
        serve.start(
            http_options=HTTPOptions(host=loopback.HOST, port=loopback.free_port()),
            grpc_options=gRPCOptions(port=self.port, grpc_servicer_functions=[SERVICER_FUNCTION], enable_reflection=False),
        )
        targets = [
            serve.RunTarget(application(name, self.roots), name=name, route_prefix=f"/{name}") for name in self.names
        ]
        serve.run_many(targets, wait_for_applications_running=False)
        asyncio.run(self._answered())

    async def _answered(self) -> None:
        import grpc

        async with grpc.aio.insecure_channel(self.address) as channel:
            await asyncio.gather(*(_first_answer(channel, name) for name in self.names))

    @property
    def address(self) -> str:
        """Where all evaluators are reached; the metadata key `application` chooses one."""
        return f"{loopback.HOST}:{self.port}"

    def stop(self) -> None:
        """Ends Serve and Ray and removes what they left in the temporary folder."""
        import ray
        from ray import serve

        try:
            if ray.is_initialized():
                serve.shutdown()
        finally:
            ray.shutdown()
            self._remove_folder()

    def _remove_folder(self) -> None:
        """Ray's agents may write a last line while they end, so one try is not always enough."""
        for _ in range(50):
            shutil.rmtree(self._folder, ignore_errors=True)
            if not self._folder.exists():
                return
            time.sleep(0.1)


async def _first_answer(channel: Any, name: str) -> None:
    """Waits until one real call is answered; "running" is said too early."""
    import grpc

    from genlevel.v1 import evaluator_pb2, evaluator_pb2_grpc

    stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
    request = evaluator_pb2.DescribeEvaluatorRequest(header=evaluator_pb2.RequestHeader(evaluator=name, protocol_version=1))
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            await stub.DescribeEvaluator(request, metadata=(("application", name),), timeout=READY_SECONDS, wait_for_ready=True)
            return
        except grpc.aio.AioRpcError as error:
            waiting = error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT)
            if not waiting or time.monotonic() > end:
                raise RuntimeError(f"evaluator {name} did not start: {error.details()}") from None
            await asyncio.sleep(0.1)


def main() -> None:
    """Command line."""
    given = parser("Serve all evaluators in one local Ray, on loopback.").parse_args()
    # Ray and its children may print; the one line the parent reads gets the real standard output to itself.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):  # ray.init replaces handlers: real ones are installed after it
        signal.signal(number, lambda received, _: asked.append(received))
    serving = EmbeddedServe(chosen(given.only), given.roots, given.port)
    try:
        serving.start()
        if not asked:
            print(json.dumps({"endpoints": dict.fromkeys(serving.names, serving.address)}), file=output, flush=True)
            asyncio.run(until_asked_to_stop())
    finally:
        serving.stop()


if __name__ == "__main__":
    main()
