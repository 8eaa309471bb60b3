"""RayServices of KubeRay (1.6 or later): one for each evaluator, its Serve configuration from the same source as the embedded mode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import yaml

from genlevel_evaluator.serve import kuberay
from genlevel_evaluator.serve.options import networks
from genlevel_evaluator.serve.plan import Scaling, plan_of
from scripts.k8s_sizes import Size, feature_cache, grace, media_cache, resources, volumes

OBJECT_STORE_BYTES = 256 << 20
"""Requests and media go through it, features of one shard at most; /dev/shm is larger."""
SPLIT = ("eval-video",)
"""Evaluators whose networks leave the CPU workers and live on GPU workers."""
SERVE_PORTS = [
    {"name": "serve", "containerPort": 8000},
    {"name": "serve-grpc", "containerPort": 9000},
]
HEAD_PORTS = [{"name": "gcs-server", "containerPort": 6379}, {"name": "dashboard", "containerPort": 8265}, *SERVE_PORTS]
CONTAINER_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "runAsGroup": 10001,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
POD_SECURITY = {
    "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001, "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}


def service(host: str, name: str, sizes: Mapping[str, Size]) -> dict[str, Any]:
    """The RayService of an evaluator."""
    plan = plan_of(name, {})
    deployments = [plan.cluster, *(networks(name, plan).values() if host in SPLIT else ())]
    groups = [_workers(host, name, host, sizes[host], [one for one in deployments if not one.num_gpus])]
    if host in SPLIT:
        groups.append(_workers(host, name, f"{host}-gpu", sizes[f"{host}-gpu"], [one for one in deployments if one.num_gpus]))
    cluster = {
        "rayVersion": metadata.version("ray"),
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": _autoscaler(sizes["autoscaler"]),
        "authOptions": {"mode": "token"},
        "headGroupSpec": _head(host, name, sizes["head"]),
        "workerGroupSpecs": groups,
    }
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": {
            "name": host, "labels": _labels(host),
            # Images are pulled and weights fetched before the first answer.
            "annotations": {"ray.io/initializing-timeout": "30m"},
        },
        "spec": {
            # Calls in flight on the old cluster of an update may end there.
            "rayClusterDeletionDelaySeconds": 1200,
            # At zero replicas the head's proxy is the only one there is.
            "excludeHeadPodFromServeSvc": False,
            "upgradeStrategy": {"type": "NewCluster"},
            "serveService": _serve_service(host),
            "serveConfigV2": serve_config(host, name),
            "rayClusterConfig": cluster,
        },
    }


def serve_config(host: str, name: str) -> str:
    """The Serve configuration, as text. Media roots come by GENLEVEL_ROOTS, so the components need not change it."""
    return yaml.safe_dump(kuberay.serve_config(name, split=host in SPLIT), sort_keys=False, width=200)


def _labels(host: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": host, "app.kubernetes.io/component": "evaluator", "app.kubernetes.io/part-of": "genlevel"}


def _serve_service(host: str) -> dict[str, Any]:
    """Headless, so that the client sees every proxy and spreads calls, not connections."""
    ports = [{"name": "serve", "port": 8000}, {"name": "serve-grpc", "port": 9000, "appProtocol": "kubernetes.io/h2c"}]
    return {"metadata": {"name": host, "labels": _labels(host)}, "spec": {"clusterIP": "None", "ports": ports}}


def _autoscaler(size: Size) -> dict[str, Any]:
    return {
        "version": "v2",
        "idleTimeoutSeconds": 300,
        "imagePullPolicy": "IfNotPresent",
        "resources": resources(size),
        "securityContext": CONTAINER_SECURITY,
        "env": [{"name": "HOME", "value": "/tmp"}],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def _container(kind: str, name: str, size: Size, ports: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": kind,
        "image": f"genlevel/{name}",
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": "HOME", "value": "/tmp"}, {"name": "GENLEVEL_CACHE_DIR", "value": "/var/lib/genlevel/cache"}],
        "ports": ports,
        "resources": resources(size),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "shm", "mountPath": "/dev/shm"}],
    }


def _head(host: str, name: str, size: Size) -> dict[str, Any]:
    """The head runs the proxy, the controller and the autoscaler; evaluators work on workers only.

    KubeRay gives it a service account whose token the autoscaler needs.
    """
    pod = {
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
        "containers": [_container("ray-head", name, size, HEAD_PORTS)],
        "volumes": volumes(size),
    }
    return {
        "rayStartParams": {"num-cpus": "0", "object-store-memory": str(OBJECT_STORE_BYTES), "dashboard-host": "0.0.0.0"},
        "template": {"metadata": {"labels": _labels(host)}, "spec": pod},
    }


def _workers(host: str, name: str, group: str, size: Size, scalings: Sequence[Scaling]) -> dict[str, Any]:
    """A group of workers, each with room for one Serve replica of any of the deployments: it has the pod's memory and cores to itself."""
    fewest, most = sum(one.min_replicas for one in scalings), sum(one.max_replicas for one in scalings)
    ending = grace(name)
    container = _container("ray-worker", name, size, SERVE_PORTS)
    # Out of the Service at once; calls in flight get as long as anywhere else.
    container["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", str(ending - 30)]}}}
    container["env"] += [media_cache(size), *feature_cache(size)]
    container["volumeMounts"].insert(0, {"name": "weights", "mountPath": "/var/lib/genlevel/cache", "readOnly": True})
    pod: dict[str, Any] = {
        "serviceAccountName": host,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": ending,
        "securityContext": POD_SECURITY,
        "containers": [container],
        "volumes": [{"name": "weights", "persistentVolumeClaim": {"claimName": "weights"}}, *volumes(size)],
    }
    if "gpus" in size:
        pod["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    return {
        "groupName": group,
        "replicas": fewest, "minReplicas": fewest, "maxReplicas": most,
        "rayStartParams": {"num-cpus": str(math.ceil(max(one.num_cpus for one in scalings))), "object-store-memory": str(OBJECT_STORE_BYTES)},
        "template": {"metadata": {"labels": _labels(host)}, "spec": pod},
    }
