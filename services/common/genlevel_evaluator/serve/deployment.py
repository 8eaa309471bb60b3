"""The adapter that puts the handlers on Ray Serve. Method names are rpc names; `grpc_context` must be called so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve import Application

from genlevel_evaluator.evaluator import load
from genlevel_evaluator.handlers import Handlers
from genlevel_evaluator.serve.loopback import rebind_replica
from genlevel_evaluator.serve.trim import allow_pandas

SERVICER_FUNCTION = "genlevel.v1.evaluator_pb2_grpc.add_EvaluatorServiceServicer_to_server"


class EvaluatorDeployment:
    """One evaluator behind Serve."""

    def __init__(self, name: str, roots: Sequence[str], parallel: int) -> None:
        rebind_replica()
        allow_pandas()
        self._handlers = Handlers(load(name), tuple(Path(root) for root in roots), parallel)

    async def DescribeEvaluator(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._handlers.describe_evaluator(request, grpc_context)

    async def EvaluateShard(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._handlers.evaluate_shard(request, grpc_context)

    async def EvaluateShardStream(self, requests: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._handlers.evaluate_shard_stream(requests, grpc_context)

    async def CombineStates(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._handlers.combine_states(request, grpc_context)

    async def FinalizeMetric(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._handlers.finalize_metric(request, grpc_context)

    async def EvaluateMetric(self, requests: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._handlers.evaluate_metric(requests, grpc_context)


def application(name: str, roots: Sequence[str] = (), parallel: int = 1, replicas: int = 1) -> Application:
    """The Serve application of one evaluator.

    Far more calls are admitted than are worked on (a semaphore inside does the waiting): with few admitted calls the router
    backs off for up to half a second between tries.
    """
    deployment = serve.deployment(
        EvaluatorDeployment,
        name=name,
        num_replicas=replicas,
        max_ongoing_requests=64,
        max_queued_requests=512,
        graceful_shutdown_timeout_s=30,
        ray_actor_options={"num_cpus": 0},
    )
    return deployment.bind(name, list(roots), parallel)
