"""Patches with requests, limits, scratch space and numbers of pods, out of k8s/sizes.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_evaluator.serve.plan import plan_of

Size = Mapping[str, Any]
FOLDERS = {
    "base": "base", "store": "components/store", "gateway": "components/gateway", "local": "overlays/local", "gpu": "components/gpu",
}
"""Where the patch of each table of sizes.toml lies; `kuberay` goes into the RayServices themselves."""
KINDS = {"database": ("apps/v1", "StatefulSet"), "weights-fetch": ("batch/v1", "Job")}
WEIGHTS_GIB = 2
"""Room for all weights that can be fetched: 0.3 GB today."""
SPARE_SECONDS = 45
"""Between the end of what a process does to end in order and the kill: Serve and Ray stop, ten seconds on an idle machine."""


def patches(tables: Mapping[str, Mapping[str, Size]], evaluators: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The documents of each folder's patch."""
    return {
        folder: [document for name, size in tables[table].items() for document in _documents(name, size, evaluators)]
        for table, folder in FOLDERS.items()
    }


def _documents(name: str, size: Size, evaluators: Mapping[str, str]) -> list[dict[str, Any]]:
    api, kind = KINDS.get(name, ("apps/v1", "Deployment"))
    container = "evaluator" if name in evaluators else name
    pod: dict[str, Any] = {"containers": [{"name": container, "resources": resources(size)}], "volumes": volumes(size)}
    if name in evaluators:
        pod["containers"][0]["env"] = [media_cache(size), *feature_cache(size)]
        pod = {"terminationGracePeriodSeconds": grace(evaluators[name]), **pod}
    result = [{"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}]
    if "replicas" in size:
        low, high = size["replicas"]
        result.append({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {"minReplicas": low, "maxReplicas": high},
        })
    return result


def resources(size: Size) -> dict[str, dict[str, str]]:
    """Requests and limits of a container. Its disk: scratch space, room for a copy of the weights (weights-per-pod), and logs."""
    parts = {key: size[key] for key in ("cpu", "memory")}
    if "tmp" in size:
        parts["ephemeral-storage"] = ["256Mi", f"{(size['tmp'] + WEIGHTS_GIB) * 1024 + 512}Mi"]
    requests = {key: value[0] for key, value in parts.items()}
    limits = {key: value[1] for key, value in parts.items()}
    if "gpus" in size:
        requests["nvidia.com/gpu"] = limits["nvidia.com/gpu"] = str(size["gpus"])
    return {"requests": requests, "limits": limits}


def volumes(size: Size) -> list[dict[str, Any]]:
    """Scratch space."""
    found: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {"sizeLimit": f"{size['tmp']}Gi"}}]
    if "shm" in size:
        found.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": f"{size['shm']}Mi"}})
    return found


def media_cache(size: Size) -> dict[str, str]:
    """Half of /tmp for media that were fetched: the process sees the disk of the node and not the limit of the volume."""
    return {"name": "GENLEVEL_MEDIA_CACHE_BYTES", "value": str(size["tmp"] << 29)}


def feature_cache(size: Size) -> list[dict[str, str]]:
    """An eighth of /tmp for features: the volume of the weights is read-only."""
    return [
        {"name": "GENLEVEL_FEATURE_CACHE_DIR", "value": "/tmp/genlevel-features"},
        {"name": "GENLEVEL_FEATURE_CACHE_BYTES", "value": str(size["tmp"] << 27)},
    ]


def grace(evaluator: str) -> int:
    """Seconds an evaluator's pod gets to end: as long as it goes on serving, then waits for its calls, then stops Ray."""
    plan = plan_of(evaluator, {})
    return int(plan.drain_seconds + plan.graceful_shutdown_timeout_s) + SPARE_SECONDS
