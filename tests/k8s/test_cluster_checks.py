"""What `up` looks at before it touches anything: each finding names cause and remedy, and nothing was applied."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

GPU = {"limits": {"nvidia.com/gpu": 1}}


def refused(tool: Any, *words: str) -> str:
    """Run `up`, which must end soon with a problem and without having applied anything."""
    started = time.monotonic()
    code, out, err = tool("up", *words)
    assert code == 1, out
    assert time.monotonic() - started < 60
    assert "remedy:" in err
    assert not any(method == "PATCH" for method, _ in tool.cluster.requests)
    return err


def test_no_kubectl(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL", "kubectl-of-nowhere")
    err = refused(tool)
    assert "there is no kubectl-of-nowhere on PATH" in err
    assert "Install kubectl" in err


@pytest.mark.parametrize(
    ("answer", "said"),
    [('{"clientVersion": {"gitVersion": "v1.20.4"}}', "v1.20.4, which is too old"), ("what", "does not say its version: what")],
)
def test_a_kubectl_that_is_too_old_or_none(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, said: str
) -> None:
    old = tmp_path / "old"
    old.write_text(f"#!/bin/sh\necho '{answer}'\n")
    old.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(old))
    assert said in refused(tool)


def test_no_context_at_all(tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    err = refused(tool)
    assert "there is no cluster: kubectl has no kubeconfig" in err
    assert "kind create cluster" in err


def test_an_unknown_context(tool: Any) -> None:
    assert "the kubeconfig has no context elsewhere" in refused(tool, "--context", "elsewhere")


def server(tmp_path: Path, address: str) -> None:
    path = Path(os.environ["KUBECONFIG"])
    content = json.loads(path.read_text())
    content["clusters"][0]["cluster"]["server"] = address
    path.write_text(json.dumps(content))


def test_connection_refused(tool: Any, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server(tmp_path, f"http://127.0.0.1:{port}")
    err = refused(tool)
    assert f"the cluster of context fake does not answer at 127.0.0.1:{port}: connection refused" in err


def test_unknown_host(tool: Any, tmp_path: Path) -> None:
    server(tmp_path, "http://no-such-host.invalid:6443")
    err = refused(tool)
    assert "no-such-host.invalid" in err
    assert "cannot be resolved" in err


def test_credentials_that_are_not_accepted(tool: Any) -> None:
    tool.cluster.unauthorized = True
    err = refused(tool)
    assert "does not accept the credentials of context fake" in err
    assert "Log in again" in err


def test_no_credentials_at_all(tool: Any) -> None:
    """kubectl would ask for a user name; it gets no input, so the command ends."""
    path = Path(os.environ["KUBECONFIG"])
    content = json.loads(path.read_text())
    content["users"][0]["user"] = {}
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    path.write_text(json.dumps(content))
    assert "does not accept the credentials of context fake; they are missing or expired" in refused(tool)


def test_an_old_cluster(tool: Any) -> None:
    tool.cluster.version = "v1.27.9"
    assert "the cluster runs Kubernetes v1.27.9" in refused(tool)


def test_missing_permissions_are_listed(tool: Any) -> None:
    tool.cluster.denied = {("deployments", "create"), ("deployments", "patch"), ("secrets", "create"), ("pods/log", "get")}
    err = refused(tool)
    assert (
        "context fake is not permitted to: create, patch deployments.apps; get pods/log; create secrets (namespace genlevel)"
        in err
    )


def test_a_namespace_that_an_administrator_made_may_stay_as_it_is(tool: Any) -> None:
    tool.cluster.denied = {("namespaces", "patch"), ("namespaces", "create")}
    assert "create, patch namespaces" in refused(tool)
    tool.cluster.add("Namespace", "genlevel")
    code, _, err = tool("up")
    assert code == 0, err
    assert "the namespace is there and stays as it is" in err
    assert ("namespaces", "", "genlevel") not in tool.cluster.applied


def test_no_default_storage_class(tool: Any) -> None:
    del tool.cluster.of("StorageClass")["standard"]["metadata"]["annotations"]
    err = refused(tool)
    assert "claim weights names no storage class and the cluster has no default one (it has standard)" in err
    assert "is-default-class=true" in err

    def name_class(document: dict[str, Any]) -> None:
        if document["kind"] == "PersistentVolumeClaim":
            document["spec"]["storageClassName"] = "fast"
        if document["kind"] == "StatefulSet":
            document["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = "standard"

    tool.edit(name_class)
    assert "claim weights wants the storage class fast, which the cluster does not have" in refused(tool)


def test_no_gpu_node_for_pods_that_need_one(tool: Any) -> None:
    def want(document: dict[str, Any]) -> None:
        if document["kind"] == "Deployment" and document["metadata"]["name"] == "eval-video":
            document["spec"]["template"]["spec"]["containers"][0]["resources"] = GPU

    tool.edit(want)
    err = refused(tool)
    assert "no node offers nvidia.com/gpu, which eval-video needs" in err
    tool.cluster.of("Node")["node-1"]["status"]["allocatable"]["nvidia.com/gpu"] = "1"
    assert tool("up", "--skip-check", "permissions")[0] == 0


def ray_service(document: dict[str, Any]) -> None:
    if document["kind"] == "Deployment" and document["metadata"]["name"] == "eval-video":
        template = document["spec"]["template"]
        document.update(
            apiVersion="ray.io/v1", kind="RayService", spec={"rayClusterConfig": {"headGroupSpec": {"template": template}}}
        )


def test_kuberay_missing_or_old(tool: Any) -> None:
    tool.edit(ray_service)
    tool.edit(
        lambda document: (
            document.update(kind="ConfigMap", apiVersion="v1", data={}) if document["kind"] == "HorizontalPodAutoscaler" else None
        )
    )
    assert "the CRD rayservices.ray.io is missing" in refused(tool, "--skip-check", "permissions")
    crd = tool.cluster.add(
        "CustomResourceDefinition", "rayservices.ray.io", spec={"versions": [{"name": "v1alpha1", "served": True}]}
    )
    tool.cluster.ray = True
    assert "serves v1alpha1 only" in refused(tool, "--skip-check", "permissions")
    crd["spec"]["versions"][0]["name"] = "v1"
    assert "no operator runs" in refused(tool, "--skip-check", "permissions")
    template = {"metadata": {}, "spec": {"containers": [{"name": "o", "image": "quay.io/kuberay/operator:v1.4.2"}]}}
    metadata = {"labels": {"app.kubernetes.io/name": "kuberay-operator"}}
    tool.cluster.add("Deployment", "kuberay-operator", "ray-system", metadata=metadata, spec={"template": template})
    assert "the KubeRay operator is quay.io/kuberay/operator:v1.4.2; before 1.6" in refused(tool, "--skip-check", "permissions")


def test_images_missing_in_a_local_cluster(tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tool.cluster.of("Node")["node-1"]
    node["spec"] = {"providerID": "kind://docker/mine/mine-control-plane"}
    node["status"]["images"] = [{"names": ["docker.io/genlevel/database:dev"]}]
    err = refused(tool, "--skip-check", "permissions")
    assert "the kind cluster mine does not have the images genlevel/orchestrator:dev, genlevel/video:dev" in err
    assert "kind load docker-image --name mine genlevel/orchestrator:dev genlevel/video:dev" in err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no kind on PATH" in refused(tool, "--skip-check", "permissions", "--load-images")
    called = tmp_path / "called"
    for name, script in (("docker", "exit 0"), ("kind", f'echo "$@" > {called}')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    assert tool("up", "--skip-check", "permissions", "--load-images")[0] == 0
    assert called.read_text().split() == [
        "load",
        "docker-image",
        "--name",
        "mine",
        "genlevel/orchestrator:dev",
        "genlevel/video:dev",
    ]
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    tool.cluster.requests.clear()
    assert "container engine has no genlevel/orchestrator:dev" in refused(tool, "--skip-check", "permissions", "--load-images")


def test_several_findings_come_together(tool: Any) -> None:
    tool.cluster.of("StorageClass").clear()
    del tool.cluster.objects[("storageclasses", "", "standard")]
    tool.cluster.of("Node")["node-1"]["metadata"]["labels"] = {"minikube.k8s.io/name": "minikube"}
    err = refused(tool)
    assert "2 things are missing in this cluster" in err
    assert "it has none at all" in err
    assert "minikube image load --profile minikube genlevel/video:dev" in err


def test_a_network_that_enforces_nothing_is_a_warning(tool: Any) -> None:
    tool.cluster.add("DaemonSet", "kube-flannel-ds", "kube-system", spec={})
    code, _, err = tool("up", "--skip-check", "permissions")
    assert code == 0
    assert "warning: the network plugin (flannel) does not enforce NetworkPolicies" in err


def test_an_unknown_or_broken_overlay(tool: Any, tmp_path: Path) -> None:
    assert "there is no overlay 'moon'" in refused(tool, "--overlay", "moon")
    (tool.overlay / "kustomization.yaml").write_text("resources: [nothing.yaml]\n")
    err = refused(tool)
    assert "cannot be rendered" in err
    assert "nothing.yaml" in err


def test_a_secret_that_only_the_operator_can_make(tool: Any) -> None:
    def external(document: dict[str, Any]) -> None:
        if document["kind"] == "StatefulSet":
            document.update(apiVersion="v1", kind="ConfigMap", metadata={"name": "gone"}, data={})
            document.pop("spec")

    tool.edit(external)
    code, _, err = tool("up", "--skip-check", "permissions")
    assert code == 1
    assert "the manifests need the Secret genlevel-database, which is not there" in err
    assert "create secret generic genlevel-database --from-file=database-url=FILE" in err
    assert tool.cluster.of("Secret") == {}


def test_a_secret_without_a_key_that_is_needed(tool: Any) -> None:
    tool.cluster.add("Namespace", "genlevel")
    tool.cluster.add("Secret", "genlevel-token", "genlevel", data={"other": "eA=="})
    code, _, err = tool("up", "--skip-check", "permissions")
    assert code == 1
    assert "the Secret genlevel-token lacks token" in err
    assert tool.cluster.of("Secret")["genlevel-token"]["data"] == {"other": "eA=="}


def test_fields_of_somebody_else_are_taken_over_only_by_force(tool: Any) -> None:
    tool.cluster.foreign["eval-video"] = "kubectl-edit"
    code, _, err = tool("up", "--skip-check", "permissions")
    assert code == 1
    assert "somebody else (kubectl-edit) has set fields" in err
    assert "FORCE=1" in err
    assert tool("up", "--skip-check", "permissions", "--force")[0] == 0


def test_an_admission_webhook_that_refuses_a_manifest(tool: Any) -> None:
    tool.cluster.admission["eval-video"] = 'admission webhook "policy.example" denied the request: image registry not allowed'
    code, _, err = tool("up", "--skip-check", "permissions")
    assert code == 1
    assert "admission webhook policy.example refuses it" in err
    assert "image registry not allowed" in err
