"""Patches of the components that say how media, weights and a judge come to the evaluators; for Deployments and for RayServices alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.k8s_rayservice import CONTAINER_SECURITY, SPLIT
from scripts.k8s_sizes import WEIGHTS_GIB, Size, resources

Operations = list[dict[str, Any]]
STORE = "s3://genlevel/media"
STATE, BUNDLES = "/var/lib/genlevel/state", "/var/lib/genlevel/bundles"
# Only the mounts are read-only: on a read-only claim the kubelet cannot make the folder of `subPath`, should an evaluator come first.
STATE_VOLUME = {"name": "state", "persistentVolumeClaim": {"claimName": "state"}}
STATE_MOUNTS = [
    {"name": "state", "mountPath": STATE, "readOnly": True},
    {"name": "state", "mountPath": BUNDLES, "subPath": "bundles", "readOnly": True},
]
WEIGHTS_VOLUME = {"name": "weights", "emptyDir": {"sizeLimit": f"{WEIGHTS_GIB}Gi"}}
JUDGED = "eval-language"
"""The evaluator that asks a judge."""
JUDGE_KEY = "/run/secrets/genlevel-judge"
JUDGE_CACHE = "/tmp/genlevel-judge"
HEAD = "/spec/rayClusterConfig/headGroupSpec/template/spec"
WORKERS = "/spec/rayClusterConfig/workerGroupSpecs/{}/template/spec"
POD = "/spec/template/spec"


def patches(evaluators: Mapping[str, str], fetch: Size, tag: str) -> dict[str, Any]:
    """The patch in each file, by path below k8s/components.

    Args:
        evaluators: by name on the network.
        fetch: size of the container that fetches weights.
        tag: of the images; a patch comes after the transformer that sets it elsewhere.
    """
    keys = [_secret("AWS_ACCESS_KEY_ID"), _secret("AWS_SECRET_ACCESS_KEY")]
    inside = [*keys, {"name": "AWS_ENDPOINT_URL", "value": "http://store:9200"}, {"name": "AWS_DEFAULT_REGION", "value": "us-east-1"}]
    outside = [
        *keys, _secret("AWS_ENDPOINT_URL", optional=True), _secret("AWS_DEFAULT_REGION", optional=True),
        {**_secret("MEDIA_STORE"), "name": "GENLEVEL_MEDIA_STORE"},
    ]
    result = {
        **_media("store", evaluators, _add("env", inside), [STORE]),
        **_media("external-s3", evaluators, _add("env", outside), ["$(GENLEVEL_MEDIA_STORE)"]),
        **_media("shared-volume", evaluators, [*_add("volumeMounts", STATE_MOUNTS), *_add("volumes", [STATE_VOLUME])], [STATE, BUNDLES]),
        **_weights_per_pod(evaluators, fetch, tag),
        **_judge(),
    }
    result["store/orchestrator.yaml"] = _at(POD, _add("env", inside))
    result["external-s3/orchestrator.yaml"] = _at(POD, _add("env", outside))
    return result


def _secret(key: str, *, optional: bool = False, of: str = "genlevel-store") -> dict[str, Any]:
    reference = {"name": of, "key": key, **({"optional": True} if optional else {})}
    return {"name": key, "valueFrom": {"secretKeyRef": reference}}


def _judge() -> dict[str, Any]:
    """The judge of gpt_score. Its key is a file, so that a changed one is read without a restart."""
    keys = {"URL": "url", "MODEL": "model", "PRICE_IN": "price-in", "PRICE_OUT": "price-out"}
    variables = [
        {**_secret(key, optional=key.startswith("price"), of="genlevel-judge"), "name": f"GENLEVEL_JUDGE_{name}"} for name, key in keys.items()
    ]
    variables += [{"name": "GENLEVEL_JUDGE_KEY_FILE", "value": f"{JUDGE_KEY}/key"}, {"name": "GENLEVEL_JUDGE_CACHE_DIR", "value": JUDGE_CACHE}]
    volume = {"name": "judge", "secret": {"secretName": "genlevel-judge", "defaultMode": 0o440, "items": [{"key": "key", "path": "key"}]}}
    operations = [
        *_add("env", variables), *_add("volumeMounts", [{"name": "judge", "mountPath": JUDGE_KEY, "readOnly": True}]), *_add("volumes", [volume]),
    ]
    return {"judge/evaluator.yaml": _at(POD, operations), f"judge/ray/{JUDGED}.yaml": _everywhere(JUDGED, operations)}


def _add(field: str, values: Sequence[Any]) -> Operations:
    """Operations that append to a list of the pod or of its first container."""
    place = "volumes" if field == "volumes" else f"containers/0/{field}"
    return [{"op": "add", "path": f"{{pod}}/{place}/-", "value": value} for value in values]


def _at(pod: str, operations: Operations) -> Operations:
    return [{**operation, "path": operation["path"].replace("{pod}", pod)} for operation in operations]


def _everywhere(host: str, operations: Operations) -> Operations:
    """The operations on all pods of a RayService: the head runs no evaluator but prepares the application."""
    pods = [HEAD, *(WORKERS.format(group) for group in range(2 if host in SPLIT else 1))]
    return [operation for pod in pods for operation in _at(pod, operations)]


def _media(component: str, evaluators: Mapping[str, str], operations: Operations, roots: Sequence[str]) -> dict[str, Any]:
    """The patches of a component for Deployments and for each RayService."""
    operations = [*operations, *_add("env", [{"name": "GENLEVEL_ROOTS", "value": " ".join(roots)}])]
    result: dict[str, Any] = {f"{component}/evaluator.yaml": _at(POD, operations)}
    return result | {f"{component}/ray/{host}.yaml": _everywhere(host, operations) for host in evaluators}


def _weights_per_pod(evaluators: Mapping[str, str], fetch: Size, tag: str) -> dict[str, Any]:
    first = {
        "name": "weights-fetch",
        "image": f"genlevel/orchestrator:{tag}",
        "imagePullPolicy": "IfNotPresent",
        "args": ["genlevel", "weights", "fetch"],
        "env": [{"name": "GENLEVEL_CACHE_DIR", "value": "/var/lib/genlevel/cache"}, {"name": "HOME", "value": "/tmp"}],
        "envFrom": [{"secretRef": {"name": "genlevel-index", "optional": True}}],
        "resources": resources(fetch),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": "weights", "mountPath": "/var/lib/genlevel/cache"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        "affinity": None,
        "initContainers": [first],
        "volumes": [{**WEIGHTS_VOLUME, "persistentVolumeClaim": None}],
    }
    labels = {"labels": {"genlevel.io/weights": None}}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "any"}, "spec": {"template": {"metadata": labels, "spec": pod}},
    }
    result: dict[str, Any] = {"weights-per-pod/evaluator.yaml": deployment}
    operations: Operations = [
        {"op": "replace", "path": "{pod}/volumes/0", "value": WEIGHTS_VOLUME}, {"op": "add", "path": "{pod}/initContainers", "value": [first]},
    ]
    for host in evaluators:
        groups = range(2 if host in SPLIT else 1)
        result[f"weights-per-pod/ray/{host}.yaml"] = [
            operation for group in groups for operation in _at(WORKERS.format(group), operations)
        ]
    return result
