"""A manifest that is broken on purpose is reported, and reported for what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
Object = dict[str, Any]


def pod(item: Object) -> Object:
    """The pod of a workload; of a RayService its first worker."""
    template: Object = (
        item["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["template"] if item["kind"] == "RayService" else item["spec"]["template"]
    )
    spec: Object = template["spec"]
    return spec


def first(item: Object) -> Object:
    """Its first container."""
    container: Object = pod(item)["containers"][0]
    return container


def tmp(item: Object) -> Object:
    """Its volume for /tmp."""
    (volume,) = [one for one in pod(item)["volumes"] if one["name"] == "tmp"]
    found: Object = volume
    return found


MUTATIONS: dict[str, tuple[str, str, Callable[[Object], Any], str]] = {
    "latest": ("Deployment", "eval-video", lambda item: first(item).update(image="genlevel/video:latest"), "tag latest"),
    "no tag": ("Deployment", "store", lambda item: first(item).update(image="host:5000/genlevel/store"), "has no tag"),
    "no limit": ("Job", "weights-fetch", lambda item: first(item)["resources"]["limits"].pop("memory"), "no memory limit"),
    "no request": ("StatefulSet", "database", lambda item: first(item)["resources"]["requests"].pop("cpu"), "no cpu request"),
    "request above limit": ("Deployment", "gateway", lambda item: first(item)["resources"]["requests"].update(cpu="64"), "cpu request above"),
    "no limit on Ray": ("RayService", "eval-3d", lambda item: first(item)["resources"]["limits"].pop("cpu"), "eval-3d: ray-worker: no cpu limit"),
    "no limit of the sidecar": (
        "RayService", "eval-3d", lambda item: item["spec"]["rayClusterConfig"]["autoscalerOptions"].pop("resources"), "autoscaler: no memory request",
    ),
    "hostPath": ("Deployment", "orchestrator", lambda item: tmp(item).update(hostPath={"path": "/"}), r"volume tmp is \['emptyDir', 'hostPath'\]"),
    "unbounded scratch": ("Deployment", "eval-audio", lambda item: tmp(item)["emptyDir"].pop("sizeLimit"), "/tmp has no sizeLimit"),
    "scratch above the limit": ("Deployment", "eval-audio", lambda item: tmp(item)["emptyDir"].update(sizeLimit="900Gi"), "may outgrow"),
    "privileged": ("Deployment", "eval-image", lambda item: first(item)["securityContext"].update(privileged=True), "privileged"),
    "escalation": ("RayService", "eval-image", lambda item: first(item)["securityContext"].pop("allowPrivilegeEscalation"), "allowPrivilegeEscalation"),
    "writable root": ("Job", "weights-fetch", lambda item: first(item)["securityContext"].pop("readOnlyRootFilesystem"), "readOnlyRootFilesystem"),
    "capabilities": ("Deployment", "store", lambda item: first(item)["securityContext"].update(capabilities={"add": ["NET_RAW"]}), "capabilities"),
    "root": ("Deployment", "store", lambda item: pod(item)["securityContext"].update(runAsUser=0), "runAsUser is not 10001"),
    "root in a container": ("Deployment", "store", lambda item: first(item)["securityContext"].update(runAsUser=0), "runs as another user"),
    "seccomp": ("RayService", "eval-audio", lambda item: pod(item)["securityContext"].pop("seccompProfile"), "seccompProfile"),
    "host network": ("StatefulSet", "database", lambda item: pod(item).update(hostNetwork=True), "hostNetwork"),
    "host port": ("Deployment", "gateway", lambda item: first(item)["ports"][0].update(hostPort=443), "hostPort"),
    "token": ("Deployment", "eval-3d", lambda item: pod(item).update(automountServiceAccountToken=True), "automountServiceAccountToken"),
    "no account": ("Deployment", "eval-3d", lambda item: pod(item).update(serviceAccountName="default"), "service account default"),
    "no probe": ("Deployment", "orchestrator", lambda item: first(item).pop("livenessProbe"), "no livenessProbe"),
    "probe elsewhere": ("Deployment", "eval-3d", lambda item: first(item)["readinessProbe"]["grpc"].update(port=9), "asks port 9"),
    "port of KubeRay": ("RayService", "eval-3d", lambda item: first(item)["ports"][1].update(name="grpc"), "not named as KubeRay wants"),
    "selector": ("Deployment", "eval-3d", lambda item: item["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "other"}), r"selects the pods of \[\]"),
    "service selector": ("Service", "eval-3d", lambda item: item["spec"].update(selector={"app.kubernetes.io/component": "evaluator"}), "Service/eval-3d: selects the pods of"),
    "service port": ("Service", "store", lambda item: item["spec"]["ports"][0].update(targetPort="http"), "port http is not one"),
    "budget": ("PodDisruptionBudget", "eval-video", lambda item: item["spec"]["selector"].update(matchLabels={}), "PodDisruptionBudget/eval-video: selects"),
    "scaler": ("HorizontalPodAutoscaler", "eval-video", lambda item: item["spec"]["scaleTargetRef"].update(name="eval-vidoe"), "eval-vidoe, which is not there"),
    "claim": ("Deployment", "orchestrator", lambda item: pod(item)["volumes"][-1]["persistentVolumeClaim"].update(claimName="stat"), "claim stat is not there"),
    "settings": ("Deployment", "eval-video", lambda item: pod(item)["volumes"][-1]["configMap"].update(name="genlevel-services"), "ConfigMap genlevel-services"),
    "secret key": ("StatefulSet", "database", lambda item: first(item)["env"][0]["valueFrom"]["secretKeyRef"].update(key="usr"), "key usr of Secret"),
    "secret file": ("Deployment", "store", lambda item: pod(item)["volumes"][-1]["secret"]["items"][0].update(key="KEY"), "key KEY of Secret genlevel-store"),
    "whole secret": ("Deployment", "store", lambda item: first(item).update(envFrom=[{"secretRef": {"name": "genlevel-store"}}]), "in the environment"),
    "mount": ("Deployment", "store", lambda item: first(item)["volumeMounts"][0].update(name="dta"), "mounts dta"),
    "namespace": ("ConfigMap", "", lambda item: item["metadata"].update(namespace="default"), "namespace is default"),
    "label": ("Service", "orchestrator", lambda item: item["metadata"]["labels"].pop("app.kubernetes.io/component"), "no label component"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_breach_is_named(name: str, load_module: Callable[[Path], ModuleType]) -> None:
    rendering, policy = load_module(HERE / "rendering.py"), load_module(HERE / "policy.py")
    kind, target, mutate, expected = MUTATIONS[name]
    objects = rendering.render(*(("base", ("kuberay", "weights-shared")) if kind == "RayService" else ("base", ("store", "gateway"))))
    (item,) = [one for one in objects if one["kind"] == kind and one["metadata"]["name"].startswith(target)][:1]
    mutate(item)
    found = policy.violations(objects, list(rendering.pods(objects)))
    assert any(re.search(expected, said) for said in found), found
    # One fault, one or two lines: the report points at it and does not bury it.
    assert len(found) <= 3, found


@pytest.mark.parametrize(
    ("kind", "place", "field"),
    [("Deployment", "spec", "replica"), ("NetworkPolicy", "spec", "ingres"), ("RayService", "spec", "serveConfig"), ("HorizontalPodAutoscaler", "spec", "minReplica")],
)
@pytest.mark.parametrize("version", [0, 1])
def test_a_misspelt_field_is_refused(kind: str, place: str, field: str, version: int, load_module: Callable[[Path], ModuleType]) -> None:
    rendering, strict = load_module(HERE / "rendering.py"), load_module(HERE / "strict.py")
    objects = rendering.render(*(("base", ("kuberay", "weights-shared")) if kind == "RayService" else ("base", ())))
    item = next(one for one in objects if one["kind"] == kind)
    assert strict.faults(item, strict.VERSIONS[version]) == []
    item[place][field] = 1
    (fault,) = strict.faults(item, strict.VERSIONS[version])
    assert field in fault


def test_ours_agrees_with_kubernetes_validate(load_module: Callable[[Path], ModuleType]) -> None:
    import kubernetes_validate

    rendering, strict = load_module(HERE / "rendering.py"), load_module(HERE / "strict.py")
    item = rendering.find(rendering.render("base"), "PodDisruptionBudget", "eval-video")
    kubernetes_validate.validate(item, "1.28", strict=True)
    item["spec"]["maxUnavailabel"] = 1
    assert strict.faults(item, "1.28")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(item, "1.28", strict=True)
