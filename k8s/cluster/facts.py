"""What is asked of the cluster once, for the checks; what we may not see is None."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from k8s.cluster.kubectl import REQUEST_SECONDS, Kubectl
from k8s.cluster.objects import Object, name


@dataclass(frozen=True)
class Facts:
    """A cluster as the checks see it.

    Args:
        nodes: All nodes.
        storage_classes: All storage classes.
        claims: The claims that our namespace has already.
        namespace: Our namespace, where it exists.
        metrics: Whether the metrics API answers.
        daemons: DaemonSets of kube-system, which tell the network plugin.
        crd: The CRD of RayService.
        operators: Deployments of the KubeRay operator.
    """

    nodes: list[Object] | None
    storage_classes: list[Object] | None
    claims: list[Object]
    namespace: Object
    metrics: bool
    daemons: list[Object] | None
    crd: Object | None
    operators: list[Object] | None


def gather(kubectl: Kubectl, with_ray: bool) -> Facts:
    """Ask the cluster.

    Raises:
        Problem: the cluster does not answer.
    """
    namespace = kubectl.get("namespace", kubectl.namespace, doing="looking for our namespace")
    claims = kubectl.items("persistentvolumeclaims", doing="listing the volume claims") if namespace else []
    return Facts(
        nodes=_items(kubectl, "/api/v1/nodes"),
        storage_classes=_items(kubectl, "/apis/storage.k8s.io/v1/storageclasses"),
        claims=claims,
        namespace=namespace,
        metrics=_raw(kubectl, "/apis/metrics.k8s.io/v1beta1/nodes") is not None,
        daemons=_items(kubectl, "/apis/apps/v1/namespaces/kube-system/daemonsets"),
        crd=_raw(kubectl, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rayservices.ray.io") if with_ray else None,
        operators=_items(kubectl, "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dkuberay-operator")
        if with_ray
        else None,
    )


def flavour(nodes: list[Object] | None) -> tuple[str, str]:
    """Which local cluster it is (kind, k3d, minikube, or empty) and its name."""
    for node in nodes or []:
        provider = str(node.get("spec", {}).get("providerID", ""))
        labels = node["metadata"].get("labels") or {}
        if provider.startswith("kind://"):
            return "kind", provider.rstrip("/").split("/")[-2]
        if "minikube.k8s.io/name" in labels:
            return "minikube", str(labels["minikube.k8s.io/name"])
        if name(node).startswith("k3d-") and "-server-" in name(node):
            return "k3d", name(node).removeprefix("k3d-").rpartition("-server-")[0]
    return "", ""


def _raw(kubectl: Kubectl, path: str) -> Any:
    done = kubectl.call("get", "--raw", path, f"--request-timeout={REQUEST_SECONDS}s")
    return json.loads(done.stdout) if done.returncode == 0 else None


def _items(kubectl: Kubectl, path: str) -> list[Object] | None:
    found = _raw(kubectl, path)
    return None if found is None else list(found.get("items") or [])
