"""A plan in the words of Ray Serve, for code and for YAML alike. Imports no Ray."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from genlevel_evaluator.evaluator import load
from genlevel_evaluator.serve.plan import Scaling, ServicePlan, ServicesError

SERVICER_FUNCTION = "genlevel.v1.evaluator_pb2_grpc.add_EvaluatorServiceServicer_to_server"
"""Registers the service of the contract with Serve's proxy."""

_LIMITS = ("max_ongoing_requests", "max_queued_requests", "graceful_shutdown_timeout_s", "health_check_period_s", "health_check_timeout_s")
_RESOURCES = ("num_cpus", "num_gpus")


def backbones_name(evaluator: str) -> str:
    """Name of the deployment that holds the networks of an evaluator that have none of their own."""
    return f"{evaluator}-backbones"


def own_name(evaluator: str, network: str) -> str:
    """Name of the deployment that holds one network."""
    return f"{backbones_name(evaluator)}-{network}"


def networks(evaluator: str, plan: ServicePlan) -> dict[str, Scaling]:
    """The deployments that hold the networks of an evaluator, where they are split off.

    Raises:
        ServicesError: the plan names a network that the evaluator has not, or there are none.
    """
    known = load(evaluator).backbones
    if not known:
        raise ServicesError(f"evaluator {evaluator} has no backbones; leave --split out")
    for network in plan.own_backbones:
        if network not in known:
            raise ServicesError(f"{evaluator}.backbones.{network}: no such network; there are {', '.join(sorted(known))}")
    return {backbones_name(evaluator): plan.backbones} | {own_name(evaluator, network): scaling for network, scaling in plan.own_backbones.items()}


def limits(plan: ServicePlan) -> dict[str, Any]:
    """What every deployment of an evaluator has."""
    return {name: plain(getattr(plan, name)) for name in _LIMITS}


def scaled(scaling: Scaling) -> dict[str, Any]:
    """How a deployment asks for resources and scales by itself."""
    values = {name: plain(value) for name, value in asdict(scaling).items()}
    resources = {name: values.pop(name) for name in _RESOURCES}
    return {"autoscaling_config": values, "ray_actor_options": resources}


def plain(value: float) -> float | int:
    """A whole number without its point."""
    return int(value) if value == int(value) else value
