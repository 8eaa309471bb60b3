"""What every manifest must keep to. `violations` names each breach with its object; nothing found is an empty list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Object = dict[str, Any]
Check = Callable[[Any, Sequence[Object]], Iterator[str]]

NAMESPACE = "genlevel"
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
VOLUMES = {"configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim", "downwardAPI"}
SECRETS = {
    "genlevel-token": {"token"},
    "genlevel-database": {"database-url", "user", "password", "database"},
    "genlevel-tls": {"tls.crt", "tls.key", "ca.crt"},
    "genlevel-store": {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
}
"""What `make up` makes, by docs/design/deployment.md; the keys of genlevel-store that only a bucket outside needs come from the operator."""
OPERATORS_KEYS = {"genlevel-store": {"MEDIA_STORE"}, "genlevel-judge": {"url", "model", "key"}}


def violations(objects: Sequence[Object], pods: Sequence[Any]) -> list[str]:
    """Every breach."""
    found = [f"{pod.owner}: {said}" for pod in pods for check in POD_CHECKS for said in check(pod, objects)]
    found += [f"{item['kind']}/{item['metadata']['name']}: {said}" for item in objects for check in OBJECT_CHECKS for said in check(item, pods)]
    return found


def quantity(text: str) -> float:
    """A quantity as a number.

    >>> quantity("500m"), quantity("2Gi")
    (0.5, 2147483648.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi)?", str(text))
    assert found is not None, text
    return float(found[1]) * (0.001 if found[2] == "m" else UNITS.get(found[2], 1))


def identity(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """Who runs in the pod, and what it may."""
    context = pod.spec.get("securityContext", {})
    wanted = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    yield from (f"pod securityContext.{key} is not {value}" for key, value in wanted.items() if context.get(key) != value)
    yield from (f"{key} is set" for key in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if pod.spec.get(key))
    if pod.spec.get("enableServiceLinks") is not False:
        yield "enableServiceLinks is not false"
    # Ray's autoscaler in the head asks the API server for pods; KubeRay makes its account.
    if not pod.owner.endswith("/head"):
        accounts = {item["metadata"]["name"] for item in objects if item["kind"] == "ServiceAccount"}
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield "automountServiceAccountToken is not false"
        if pod.spec.get("serviceAccountName") not in accounts:
            yield f"service account {pod.spec.get('serviceAccountName')} is not there"


def container_security(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """Pod security at level restricted, and a read-only root."""
    for container in pod.containers:
        context = container.get("securityContext", {})
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        yield from (f"{container['name']}: securityContext.{key} is not {value}" for key, value in wanted.items() if context.get(key) != value)
        if context.get("privileged"):
            yield f"{container['name']}: privileged"
        if context.get("runAsUser", 10001) != 10001 or not context.get("runAsNonRoot", True):
            yield f"{container['name']}: runs as another user"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"{container['name']}: hostPort"


def images(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """A name of ours with a tag that says which."""
    for container in pod.containers:
        image = container.get("image", "")
        # A colon before the last slash is the port of a registry.
        tag = image.rpartition("/")[2].partition(":")[2]
        if not tag or tag == "latest":
            yield f"{container['name']}: image {image!r} has no tag or the tag latest"
        if container.get("imagePullPolicy") == "Always":
            yield f"{container['name']}: imagePullPolicy Always, which a machine without registry cannot meet"


def sizes(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """Requests and limits, in that order, with room for the scratch volumes."""
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", [])}
    for container in pod.containers:
        given = container.get("resources", {})
        # The sidecar writes to the head's volumes, whose size is the head's.
        kinds = ["cpu", "memory"] + ([] if container["name"] == "autoscaler" else ["ephemeral-storage"])
        for kind in kinds:
            request, limit = (given.get(side, {}).get(kind) for side in ("requests", "limits"))
            if request is None or limit is None:
                yield f"{container['name']}: no {kind} {'request' if request is None else 'limit'}"
            elif quantity(request) > quantity(limit):
                yield f"{container['name']}: {kind} request above its limit"
        if container["name"] != "autoscaler":
            yield from _scratch(container, volumes, given.get("limits", {}))


def _scratch(container: Object, volumes: dict[str, Object], limits: Object) -> Iterator[str]:
    mounted = {mount["mountPath"]: volumes.get(mount["name"], {}) for mount in container.get("volumeMounts", [])}
    empty = {path: volume["emptyDir"] for path, volume in mounted.items() if "emptyDir" in volume}
    yield from (f"{container['name']}: emptyDir of {path} has no sizeLimit" for path, one in empty.items() if "sizeLimit" not in one)
    if "/tmp" not in empty:
        yield f"{container['name']}: /tmp is not writable"
    memory = sum(quantity(one.get("sizeLimit", "0")) for one in empty.values() if one.get("medium") == "Memory")
    if memory >= quantity(limits.get("memory", "0")) / 2:
        yield f"{container['name']}: scratch space in memory takes half of the memory limit"


def disk(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """The kubelet evicts a pod whose volumes on disk outgrow the limits of its containers together."""
    volumes = [volume["emptyDir"] for volume in pod.spec.get("volumes", []) if "emptyDir" in volume]
    scratch = sum(quantity(one.get("sizeLimit", "0")) for one in volumes if one.get("medium") != "Memory")
    limits = [quantity(one.get("resources", {}).get("limits", {}).get("ephemeral-storage", "0")) for one in pod.spec["containers"]]
    if scratch >= sum(limits):
        yield "volumes on disk may outgrow the limit of ephemeral-storage"


def storage(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """Volumes of allowed kinds whose sources are there, and mounts of volumes that are there."""
    templates = {one["metadata"]["name"] for item in objects if item["kind"] == "StatefulSet" for one in item["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", [])}
    for name, volume in volumes.items():
        kinds = set(volume) - {"name"}
        if not kinds <= VOLUMES or len(kinds) != 1:
            yield f"volume {name} is {sorted(kinds)}"
    for container in pod.containers:
        missing = {mount["name"] for mount in container.get("volumeMounts", [])} - set(volumes) - templates
        yield from (f"{container['name']}: mounts {name}, which is no volume" for name in sorted(missing))
    used = {mount["name"] for container in pod.containers for mount in container.get("volumeMounts", [])}
    yield from (f"volume {name} is mounted nowhere" for name in sorted(set(volumes) - used))


def references(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """ConfigMaps, Secrets and claims, with their keys."""
    there = {(item["kind"], item["metadata"]["name"]): item for item in objects}
    for volume in pod.spec.get("volumes", []):
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and ("PersistentVolumeClaim", claim) not in there:
            yield f"claim {claim} is not there"
        settings = volume.get("configMap", {}).get("name")
        if settings and ("ConfigMap", settings) not in there:
            yield f"ConfigMap {settings} is not there"
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            if "secret" in source:
                name = source["secret"].get("secretName", source["secret"].get("name"))
                yield from (f"key {item['key']} of Secret {name} is made by nobody" for item in source["secret"]["items"] if not _known(name, item["key"]))
    for container in pod.containers:
        for variable in container.get("env", []):
            key = variable.get("valueFrom", {}).get("secretKeyRef")
            if key and not key.get("optional") and not _known(key["name"], key["key"]):
                yield f"key {key['key']} of Secret {key['name']} is made by nobody"
        yield from (f"{container['name']}: all of {source} in the environment" for source in container.get("envFrom", []) if not source["secretRef"].get("optional"))


def _known(secret: str, key: str) -> bool:
    return key in SECRETS.get(secret, set()) | OPERATORS_KEYS.get(secret, set())


def probes(pod: Any, objects: Sequence[Object]) -> Iterator[str]:
    """Three probes on what runs for ever, at ports that are there; KubeRay brings its own, which ask port 8000."""
    if not pod.endless:
        return
    for container in pod.spec["containers"]:
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        if pod.ray:
            if container["name"] != "autoscaler" and (ports.get("serve"), ports.get("serve-grpc")) != (8000, 9000):
                yield f"{container['name']}: ports of Serve are not named as KubeRay wants"
            continue
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind)
            if probe is None:
                yield f"{container['name']}: no {kind}"
                continue
            port = next((probe[way]["port"] for way in ("grpc", "httpGet") if way in probe), None)
            if port is not None and port not in ports and port not in ports.values():
                yield f"{container['name']}: {kind} asks port {port}, which is not declared"


def labelled(item: Object, pods: Sequence[Any]) -> Iterator[str]:
    """Namespace and the labels all tools go by."""
    metadata = item["metadata"]
    labels = metadata.get("labels", {})
    if item["kind"] != "Namespace" and metadata.get("namespace") != NAMESPACE:
        yield f"namespace is {metadata.get('namespace')}"
    if labels.get("app.kubernetes.io/part-of") != "genlevel":
        yield "no label part-of"
    if item["kind"] in ("Deployment", "StatefulSet", "Job", "RayService", "Service"):
        yield from (f"no label {key}" for key in ("name", "component") if f"app.kubernetes.io/{key}" not in labels)


def selects(item: Object, pods: Sequence[Any]) -> Iterator[str]:
    """Selectors choose exactly the pods of the workload of the same name."""
    kind, name, spec = item["kind"], item["metadata"]["name"], item.get("spec", {})
    if kind in ("Deployment", "StatefulSet"):
        selector = spec["selector"]["matchLabels"]
    elif kind == "PodDisruptionBudget":
        selector = spec["selector"].get("matchLabels", {})
    elif kind == "Service":
        selector = spec.get("selector", {})
    else:
        return
    chosen = {pod.owner.split("/")[1] for pod in pods if selector and selector.items() <= pod.labels.items()}
    if chosen != {name}:
        yield f"selects the pods of {sorted(chosen)}"
    if kind == "Service":
        ports = {port["name"] for pod in pods if pod.owner.split("/")[1] == name for one in pod.spec["containers"] for port in one.get("ports", [])}
        yield from (f"port {port['targetPort']} is not one of the pods'" for port in spec["ports"] if port["targetPort"] not in ports)


def scales(item: Object, pods: Sequence[Any]) -> Iterator[str]:
    """An autoscaler has a target, and the target leaves the number to it."""
    if item["kind"] == "HorizontalPodAutoscaler":
        target = f"{item['spec']['scaleTargetRef']['kind']}/{item['spec']['scaleTargetRef']['name']}"
        if target not in {pod.owner for pod in pods}:
            yield f"scales {target}, which is not there"
        if item["spec"]["minReplicas"] > item["spec"]["maxReplicas"]:
            yield "minReplicas above maxReplicas"


POD_CHECKS: tuple[Check, ...] = (identity, container_security, images, sizes, disk, storage, references, probes)
OBJECT_CHECKS: tuple[Check, ...] = (labelled, selects, scales)
