"""The state of a small Kubernetes cluster: objects, server-side apply, and controllers that do what a test tells them."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A kind the server knows."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects write it."""
        return f"{self.group}/{self.version}" if self.group else self.version


_TABLE = """
 v1 Namespace namespaces -| v1 Node nodes -| v1 Pod pods| v1 Service services| v1 ConfigMap configmaps| v1 Secret secrets|
 v1 ServiceAccount serviceaccounts| v1 PersistentVolumeClaim persistentvolumeclaims| v1 Event events|
apps v1 Deployment deployments|apps v1 StatefulSet statefulsets|apps v1 ReplicaSet replicasets|apps v1 DaemonSet daemonsets|
batch v1 Job jobs|autoscaling v2 HorizontalPodAutoscaler horizontalpodautoscalers|policy v1 PodDisruptionBudget poddisruptionbudgets|
networking.k8s.io v1 NetworkPolicy networkpolicies|discovery.k8s.io v1 EndpointSlice endpointslices|
storage.k8s.io v1 StorageClass storageclasses -|authorization.k8s.io v1 SelfSubjectAccessReview selfsubjectaccessreviews -|
apiextensions.k8s.io v1 CustomResourceDefinition customresourcedefinitions -"""


def _parse(row: str) -> Resource:
    group, version, kind, plural, *rest = row.replace("\n", "").split(" ")
    return Resource(group, version, plural, kind, not rest)


RESOURCES = [_parse(row) for row in _TABLE.strip("\n").split("|")]
METRICS = Resource("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", False)
RAY = Resource("ray.io", "v1", "rayservices", "RayService")


@dataclass
class Cluster:
    """A cluster whose workloads become ready unless `behaviour` says otherwise."""

    refuse: type[Exception]
    behaviour: dict[str, str] = field(default_factory=dict)
    delay: int = 0  # how often the tool looks before a workload is ready
    looks: int = 0
    metrics: bool = True
    ray: bool = False
    unauthorized: bool = False
    version: str = "v1.32.0"
    denied: set[tuple[str, str]] = field(default_factory=set)
    foreign: dict[str, str] = field(default_factory=dict)
    admission: dict[str, str] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    applied: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    revision: int = 1
    lock: Any = field(default_factory=threading.RLock)
    controllers: Any = None

    def resources(self) -> list[Resource]:
        """What the server knows."""
        return [*RESOURCES, *([METRICS] if self.metrics else []), *([RAY] if self.ray else [])]

    def add(self, kind: str, name: str, namespace: str = "", **content: Any) -> Object:
        """Put an object there as a test's setting."""
        resource = next(one for one in self.resources() if one.kind == kind)
        metadata = {"name": name, **content.pop("metadata", {})}
        return self._store(
            resource, namespace, {"apiVersion": resource.api_version, "kind": kind, "metadata": metadata, **content}
        )

    def of(self, kind: str) -> dict[str, Object]:
        """Objects of a kind by name."""
        return {key[2]: item for key, item in self.objects.items() if item["kind"] == kind}

    def permit(self, resource: Resource, verb: str) -> None:
        """Refuse what is denied."""
        if (resource.plural, verb) in self.denied:
            raise self.refuse(
                403, "Forbidden", f'{resource.plural} is forbidden: User "tester" cannot {verb} resource "{resource.plural}"'
            )

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        """POST."""
        if resource.kind == "SelfSubjectAccessReview":
            asked = body["spec"]["resourceAttributes"]
            plural = "/".join(filter(None, (asked["resource"], asked.get("subresource", ""))))
            return {**body, "status": {"allowed": (plural, asked["verb"]) not in self.denied}}
        if (resource.plural, namespace, body["metadata"]["name"]) in self.objects:
            raise self.refuse(409, "AlreadyExists", f'{resource.plural} "{body["metadata"]["name"]}" already exists')
        self._admit(resource, body["metadata"]["name"])
        return self._store(resource, namespace, body)

    def apply(self, resource: Resource, namespace: str, name: str, body: Object, query: dict[str, str]) -> Object:
        """PATCH by server-side apply: what the manager set earlier and sets no more goes, the rest is merged."""
        key = (resource.plural, namespace, name)
        self._admit(resource, name)
        if name in self.foreign and query.get("force") != "true":
            message = (
                f'Apply failed with 1 conflict: conflict with "{self.foreign[name]}" using {resource.api_version}: .spec.replicas'
            )
            raise self.refuse(409, "Conflict", message)
        old = self.objects.get(key)
        if old is not None and resource.kind == "Job" and old["spec"]["template"] != body["spec"]["template"]:
            raise self.refuse(422, "Invalid", f'Job.batch "{name}" is invalid: spec.template: Invalid value: field is immutable')
        new = _merged(_without(old or {}, self.applied.get(key, {}), body), body)
        self.applied[key] = copy.deepcopy(body)
        new["metadata"]["managedFields"] = [
            {"manager": query["fieldManager"], "operation": "Apply", "apiVersion": resource.api_version}
        ]
        if old == new:
            return new
        return self._store(resource, namespace, new)

    def delete(self, resource: Resource, namespace: str, name: str) -> Object:
        """DELETE, with everything that belongs to the object."""
        item = self.read(resource, namespace, name)
        gone = {item["metadata"]["uid"]}
        keys = {(resource.plural, namespace, name)}
        for _ in range(3):  # what it owns, what that owns ...
            for key, one in self.objects.items():
                owned = any(owner["uid"] in gone for owner in one["metadata"].get("ownerReferences", []))
                if owned or (resource.kind == "Namespace" and key[1] == name):
                    gone.add(one["metadata"]["uid"])
                    keys.add(key)
        for key in keys:
            self.objects.pop(key, None)
            self.applied.pop(key, None)
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Success",
            "details": {"name": name, "uid": item["metadata"]["uid"]},
        }

    def read(self, resource: Resource, namespace: str, name: str) -> Object:
        """GET of one object."""
        self._settle()
        item = self.objects.get((resource.plural, namespace, name))
        if item is None:
            group = f".{resource.group}" if resource.group else ""
            raise self.refuse(404, "NotFound", f'{resource.plural}{group} "{name}" not found')
        return item

    def list(self, resource: Resource, namespace: str, labels: str, fields: str) -> list[Object]:
        """GET of many."""
        self._settle()
        self.looks += resource.kind == "Event"  # the last list of every look
        wanted = dict(one.split("=", 1) for one in labels.split(",") if one)
        title = fields.removeprefix("metadata.name=") if fields else ""
        return [
            item
            for (plural, place, name), item in list(self.objects.items())
            if plural == resource.plural and item["apiVersion"] == resource.api_version and namespace in ("", place) and title in ("", name)
            and all((item["metadata"].get("labels") or {}).get(key) == value for key, value in wanted.items())
        ]  # fmt: skip

    def log(self, pod: str, container: str, previous: bool, lines: int) -> str:
        """The log of a container: that of the longest name in `logs` that the pod's name starts with."""
        names = sorted((name for name in self.logs if f"{pod}{':previous' if previous else ''}".startswith(name)), key=len)
        text = self.logs[names[-1]] if names else f"{container} of {pod} says hello"
        return "\n".join(text.splitlines()[-lines:]) + "\n"

    def versions(self) -> dict[tuple[str, str, str], str]:
        """Resource versions of all objects."""
        return {key: item["metadata"]["resourceVersion"] for key, item in self.objects.items()}

    def _admit(self, resource: Resource, name: str) -> None:
        if name in self.admission:
            raise self.refuse(403, "Forbidden", self.admission[name])

    def _store(self, resource: Resource, namespace: str, item: Object) -> Object:
        self.revision += 1
        metadata = item["metadata"]
        old = self.objects.get((resource.plural, namespace, metadata["name"]), {})
        if namespace:
            metadata["namespace"] = namespace
        metadata.setdefault("uid", f"uid-{self.revision}")
        metadata.setdefault("creationTimestamp", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        if "spec" in item:
            metadata["generation"] = old.get("metadata", {}).get("generation", 0) + (old.get("spec") != item["spec"])
        metadata["resourceVersion"] = str(self.revision)
        if "stringData" in item:
            item["data"] = _encoded(item.pop("stringData"))
        self.objects[(resource.plural, namespace, metadata["name"])] = item
        return item

    def _settle(self) -> None:
        if self.controllers is not None:
            self.controllers.settle(self)


def digest(value: Any) -> str:
    """A short digest of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def _encoded(content: dict[str, str]) -> dict[str, str]:
    import base64

    return {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return copy.deepcopy(new)


def _without(item: Object, formerly: Object, now: Object) -> Object:
    """An object without the fields that were applied formerly and are not applied now."""
    kept = {}
    for key, value in item.items():
        if key in formerly and key not in now:
            continue
        both = isinstance(value, dict) and isinstance(formerly.get(key), dict) and isinstance(now.get(key), dict)
        kept[key] = _without(value, formerly[key], now[key]) if both else copy.deepcopy(value)
    return kept
