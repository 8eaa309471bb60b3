"""`up` with the real overlays: the fake cluster takes their objects, all of them are waited for, and a second `up` changes nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

EVALUATORS = {"eval-language", "eval-image", "eval-video", "eval-audio", "eval-3d"}


def with_gpu(cluster: Any) -> None:
    cluster.of("Node")["node-1"]["status"]["allocatable"]["nvidia.com/gpu"] = "1"


def with_ray(cluster: Any) -> None:
    cluster.ray = True
    cluster.add("CustomResourceDefinition", "rayservices.ray.io", spec={"versions": [{"name": "v1", "served": True}]})
    template = {"metadata": {}, "spec": {"containers": [{"name": "o", "image": "quay.io/kuberay/operator:v1.7.0"}]}}
    metadata = {"labels": {"app.kubernetes.io/name": "kuberay-operator"}}
    cluster.add("Deployment", "kuberay-operator", "ray-system", metadata=metadata, spec={"template": template})


@pytest.mark.parametrize(
    ("overlay", "kind", "prepare"),
    [("local", "Deployment", None), ("gpu", "Deployment", with_gpu), ("kuberay", "RayService", with_ray)],
)
def test_an_overlay_comes_up(tool: Any, overlay: str, kind: str, prepare: Any) -> None:
    if prepare:
        prepare(tool.cluster)
    code, out, err = tool("up", "--overlay", overlay, "--tag", "7", "--timeout", "60")
    assert code == 0, f"{out}\n{err}"
    assert set(tool.cluster.of(kind)) >= EVALUATORS
    for name in EVALUATORS | {"orchestrator", "database"}:
        assert f"/{name}: ready" in out
    assert {"genlevel-token", "genlevel-tls", "genlevel-database"} == set(tool.cluster.of("Secret"))
    images = set(re.findall(r'"image": "([^"]+)"', json.dumps(list(tool.cluster.applied.values()))))
    assert len(images) >= 7
    assert all(image.startswith("genlevel/") and image.endswith(":7") for image in images)
    before = tool.cluster.versions()
    code, out, err = tool("up", "--overlay", overlay, "--tag", "7", "--timeout", "60", "--skip-check", "permissions")
    assert code == 0, err
    assert "nothing to change: all " in out
    assert tool.cluster.versions() == before


def test_a_serve_application_that_cannot_be_deployed_is_named(tool: Any) -> None:
    with_ray(tool.cluster)
    tool.cluster.behaviour["eval-video"] = "failed"
    code, _, err = tool("up", "--overlay", "kuberay", "--skip-check", "permissions", "--timeout", "60")
    assert code == 1
    assert (
        "rayservice/eval-video is not ready: rayservice/eval-video DEPLOY_FAILED: Serve application video: ImportError: no module"
        in err
    )


def test_logs_of_an_evaluator_under_kuberay(tool: Any) -> None:
    with_ray(tool.cluster)
    assert tool("up", "--overlay", "kuberay", "--skip-check", "permissions", "--timeout", "60")[0] == 0
    status = {"containerStatuses": [{"name": "ray-head", "state": {"running": {}}}]}
    labels = {"ray.io/originated-from-cr-name": "eval-video", "ray.io/cluster": "eval-video-abcde"}
    spec = {"containers": [{"name": "ray-head", "image": "genlevel/video:7"}]}
    metadata = {"labels": labels, "annotations": {"workload": "", "digest": ""}}
    tool.cluster.add("Pod", "eval-video-abcde-head", "genlevel", metadata=metadata, spec=spec)["status"] = status
    tool.cluster.logs["eval-video"] = "Ray is up"
    code, out, err = tool("logs", "video")
    assert code == 0, err
    assert "[pod/eval-video-abcde-head/ray-head] Ray is up" in out


def test_from_kuberay_to_local_nothing_of_ray_is_left(tool: Any) -> None:
    with_ray(tool.cluster)
    assert tool("up", "--overlay", "kuberay", "--skip-check", "permissions", "--timeout", "60")[0] == 0
    code, out, err = tool("up", "--overlay", "local", "--skip-check", "permissions", "--timeout", "60")
    assert code == 0, err
    assert "rayservice/eval-video" in out.partition("removed:")[2]
    assert tool.cluster.of("RayService") == {}
    assert "kuberay-operator" in tool.cluster.of("Deployment")
