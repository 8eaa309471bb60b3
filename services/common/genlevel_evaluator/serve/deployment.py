"""The adapter that puts the handlers on Ray Serve. Method names are rpc names; `grpc_context` must be called so."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ray import serve
from ray.serve import Application

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.handlers import Handlers, fail
from genlevel_evaluator.serve import split
from genlevel_evaluator.serve.loopback import rebind_replica
from genlevel_evaluator.serve.options import backbones_name, limits, networks, own_name, scaled
from genlevel_evaluator.serve.plan import Scaling, ServicePlan, plan_of
from genlevel_evaluator.serve.trim import allow_pandas
from genlevel_evaluator.serve.warm_up import WarmUp

Handler = Callable[[Any, Any], Awaitable[Any]]


class EvaluatorDeployment:
    """One evaluator behind Serve.

    Args:
        name: of the evaluator.
        roots: folders and URLs media may be read from.
        parallel: shards worked on at once.
        backbones: handle of the deployment that holds the networks, where they are split off.
        own: handles of deployments that hold one network, by its name.
    """

    def __init__(self, name: str, roots: Sequence[str], parallel: int, backbones: Any = None, own: Mapping[str, Any] | None = None) -> None:
        prepare_replica()
        evaluator = load(name)
        if backbones is not None:
            plan = plan_of(name)
            homes = {network: _home(handle, plan.own_backbones[network]) for network, handle in (own or {}).items()}
            evaluator = replace(evaluator, provider=split.HandleFeatures(_home(backbones, plan.backbones), homes))
        self._handlers = Handlers(evaluator, tuple(roots), parallel)
        self._warm_up = WarmUp(evaluator)
        self._in_flight = 0
        self._draining = False

    async def DescribeEvaluator(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._serve(self._handlers.describe_evaluator, request, grpc_context, pb.DescribeEvaluatorResponse)

    async def EvaluateShard(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._serve(self._handlers.evaluate_shard, request, grpc_context, pb.EvaluateShardResponse)

    async def EvaluateShardStream(self, requests: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._serve(self._handlers.evaluate_shard_stream, requests, grpc_context, pb.EvaluateShardStreamResponse)

    async def CombineStates(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._serve(self._handlers.combine_states, request, grpc_context, pb.CombineStatesResponse)

    async def FinalizeMetric(self, request: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._serve(self._handlers.finalize_metric, request, grpc_context, pb.FinalizeMetricResponse)

    async def FinalizeStates(self, requests: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._serve(self._handlers.finalize_states, requests, grpc_context, pb.FinalizeStatesResponse)

    async def EvaluateMetric(self, requests: Any, grpc_context: Any = None) -> Any:  # noqa: N802
        return await self._serve(self._handlers.evaluate_metric, requests, grpc_context, pb.EvaluateMetricResponse)

    async def _serve(self, handler: Handler, request: Any, context: Any, empty: Callable[[], Any]) -> Any:
        if self._draining:
            fail(context, EvaluatorError(Code.UNAVAILABLE, "DRAINING", "this evaluator is shutting down", "call another one, or try again"))
            return empty()
        self._in_flight += 1
        try:
            return await handler(request, context)
        finally:
            self._in_flight -= 1

    async def report(self) -> dict[str, Any]:
        """How this replica is, for the process that started it; also goes on with loading the networks. No rpc has this name."""
        self._warm_up.begin()
        return {
            "replica": serve.get_replica_context().replica_id.unique_id,
            "warm": self._warm_up.done,
            "loaded": self._warm_up.loaded,
            "faults": self._warm_up.faults,
            "in_flight": self._in_flight,
        }

    async def drain(self) -> int:
        """Takes no more calls; returns how many are still in work."""
        self._draining = True
        return self._in_flight


def _home(handle: Any, scaling: Scaling) -> split.Home:
    return split.Home(handle, "cuda" if scaling.num_gpus else "cpu")


class BackbonesDeployment(split.Networks):
    """Networks of one evaluator, on nodes of their own; each is loaded when it is first asked for."""

    def __init__(self, name: str) -> None:
        prepare_replica()
        super().__init__(load(name))


def prepare_replica() -> None:
    """What every replica needs before it works."""
    rebind_replica()
    allow_pandas()
    # Our messages go where Serve's go, with their level, so that they can be told apart there.
    ours = logging.getLogger("genlevel_evaluator")
    ours.handlers = logging.getLogger("ray.serve").handlers
    ours.propagate = False
    for handler in ours.handlers:
        handler.addFilter(_trace_as_text)


def _trace_as_text(record: logging.LogRecord) -> bool:
    """Formats a trace before a formatter does: that would use `print`, which Serve replaces in its replicas and which then garbles it."""
    if record.exc_info and record.exc_info[0] and not record.exc_text:
        record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
    return True


def application(name: str, roots: Sequence[str], plan: ServicePlan) -> Application:
    """The Serve application of one evaluator in one local Ray.

    Far more calls are admitted than are worked on (a semaphore inside does the waiting): with few admitted calls the router
    backs off for up to half a second between tries.
    """
    deployment = serve.deployment(
        EvaluatorDeployment, name=name, num_replicas=plan.replicas, ray_actor_options={"num_cpus": 0},
        logging_config={"enable_access_log": False}, **limits(plan),
    )
    return deployment.bind(name, list(roots), plan.parallel_shards)


def cluster_application(name: str, roots: Sequence[str], plan: ServicePlan, split_off: bool) -> Application:
    """The Serve application of one evaluator where Ray spans pods.

    Args:
        name: of the evaluator.
        roots: folders and URLs media may be read from.
        plan: how it runs.
        split_off: whether its networks are deployments of their own.

    Raises:
        ServicesError: the plan names a network that the evaluator has not.
    """
    evaluator = serve.deployment(EvaluatorDeployment, name=name, **limits(plan), **scaled(plan.cluster))
    if not split_off:
        return evaluator.bind(name, list(roots), plan.parallel_shards)
    bound = {deployment: serve.deployment(BackbonesDeployment, name=deployment, **limits(plan), **scaled(scaling)).bind(name) for deployment, scaling in networks(name, plan).items()}
    own = {network: bound[own_name(name, network)] for network in plan.own_backbones}
    return evaluator.bind(name, list(roots), plan.parallel_shards, bound[backbones_name(name)], own)
