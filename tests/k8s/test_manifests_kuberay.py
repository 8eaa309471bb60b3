"""The RayServices: what KubeRay and Ray Serve want of them, beyond their schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
EVALUATORS = {"eval-language": "language", "eval-image": "image", "eval-video": "video", "eval-audio": "audio", "eval-3d": "three_d"}


@pytest.fixture(scope="module")
def rendering(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(HERE / "rendering.py")


@pytest.fixture
def services(rendering: Any) -> dict[str, Any]:
    objects = rendering.render("overlays/kuberay")
    return {item["metadata"]["name"]: item["spec"] for item in objects if item["kind"] == "RayService"}


def test_there_is_one_for_each_evaluator_with_a_name_that_kuberay_takes(services: dict[str, Any]) -> None:
    assert services.keys() == EVALUATORS.keys()
    # KubeRay cuts longer names, and makes `NAME-xxxxx-head-svc` of them.
    assert all(re.fullmatch(r"[a-z]([-a-z0-9]{0,45}[a-z0-9])?", name) for name in services)


def test_serve_accepts_each_configuration(services: dict[str, Any]) -> None:
    from ray.serve.schema import ServeDeploySchema

    for host, spec in services.items():
        config = ServeDeploySchema.model_validate(yaml.safe_load(spec["serveConfigV2"]))
        (application,) = config.applications
        assert (application.name, application.route_prefix) == (EVALUATORS[host], f"/{EVALUATORS[host]}")
        assert application.args["evaluator"] == EVALUATORS[host]
        assert (config.grpc_options.port, config.http_options.port, config.proxy_location.value) == (9000, 8000, "EveryNode")
        assert "EvaluatorService" in config.grpc_options.grpc_servicer_functions[0]


def test_the_configuration_comes_from_the_source_of_the_embedded_mode(services: dict[str, Any]) -> None:
    from genlevel_evaluator.serve.kuberay import serve_config

    for host, name in EVALUATORS.items():
        assert yaml.safe_load(services[host]["serveConfigV2"]) == serve_config(name, split=name == "video")


def test_only_video_has_gpu_workers_and_they_start_from_zero(services: dict[str, Any]) -> None:
    for host, spec in services.items():
        groups = {group["groupName"]: group for group in spec["rayClusterConfig"]["workerGroupSpecs"]}
        assert groups.keys() == ({host, f"{host}-gpu"} if host == "eval-video" else {host})
        assert groups[host]["minReplicas"] >= 1
        assert "nvidia.com/gpu" not in str(groups[host])
    gpu = services["eval-video"]["rayClusterConfig"]["workerGroupSpecs"][1]
    pod = gpu["template"]["spec"]
    assert (gpu["replicas"], gpu["minReplicas"]) == (0, 0)
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert any(one["key"] == "nvidia.com/gpu" for one in pod["tolerations"])
    # At zero replicas the proxy of the head is the only one.
    assert services["eval-video"]["excludeHeadPodFromServeSvc"] is False


def test_workers_hold_the_replicas_that_serve_may_start(services: dict[str, Any]) -> None:
    for host, spec in services.items():
        config = yaml.safe_load(spec["serveConfigV2"])
        groups = {group["groupName"]: group for group in spec["rayClusterConfig"]["workerGroupSpecs"]}
        held: dict[str, list[Any]] = {name: [] for name in groups}
        for deployment in config["applications"][0]["deployments"]:
            asked = deployment["ray_actor_options"]
            place = f"{host}-gpu" if asked["num_gpus"] else host
            held[place].append(deployment["autoscaling_config"])
            group = groups[place]
            assert float(group["rayStartParams"]["num-cpus"]) >= asked["num_cpus"], "a replica that fits nowhere waits for ever"
            assert float(group["rayStartParams"]["num-cpus"]) < 2 * max(1, asked["num_cpus"]), "two replicas would share the pod's memory"
            limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
            assert float(limits.get("nvidia.com/gpu", 0)) >= asked["num_gpus"]
        for place, scalings in held.items():
            for key in ("min", "max"):
                assert groups[place][f"{key}Replicas"] == sum(scaling[f"{key}_replicas"] for scaling in scalings)


def test_networks_of_video_scale_each_for_itself(services: dict[str, Any]) -> None:
    (application,) = yaml.safe_load(services["eval-video"]["serveConfigV2"])["applications"]
    found = {deployment["name"]: deployment for deployment in application["deployments"]}
    assert {"video", "video-backbones", "video-backbones-i3d", "video-backbones-raft-things", "video-backbones-dino-vit-b-16"} <= found.keys()
    networks = [deployment for name, deployment in found.items() if name != "video"]
    assert all(deployment["autoscaling_config"]["min_replicas"] == 0 for deployment in networks)
    assert found["video-backbones-i3d"]["autoscaling_config"]["max_replicas"] == 2
    assert all(deployment["ray_actor_options"]["num_gpus"] == 1 for deployment in networks)


def test_the_head_works_on_no_shard(services: dict[str, Any]) -> None:
    for spec in services.values():
        head = spec["rayClusterConfig"]["headGroupSpec"]
        assert head["rayStartParams"]["num-cpus"] == "0"
        # KubeRay gives the head the account of the autoscaler, and only then.
        assert "serviceAccountName" not in head["template"]["spec"]


def test_calls_outlive_updates_and_nodes(services: dict[str, Any]) -> None:
    from genlevel_evaluator.serve.plan import plan_of
    from genlevel_orchestrator.settings import Settings

    for host, spec in services.items():
        assert spec["rayClusterDeletionDelaySeconds"] > Settings().dispatch.budget_seconds
        assert spec["upgradeStrategy"] == {"type": "NewCluster"}, "the incremental one passes no gRPC"
        for group in spec["rayClusterConfig"]["workerGroupSpecs"]:
            pod = group["template"]["spec"]
            waits = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
            assert plan_of(EVALUATORS[host]).graceful_shutdown_timeout_s <= waits < pod["terminationGracePeriodSeconds"]


def test_the_object_store_fits_into_shared_memory(services: dict[str, Any], load_module: Callable[[Path], ModuleType]) -> None:
    quantity = load_module(HERE / "policy.py").quantity
    for spec in services.values():
        cluster = spec["rayClusterConfig"]
        for part in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            (shared,) = [one["emptyDir"] for one in part["template"]["spec"]["volumes"] if one["emptyDir"].get("medium") == "Memory"]
            assert int(part["rayStartParams"]["object-store-memory"]) <= 0.75 * quantity(shared["sizeLimit"])


def test_versions_security_and_service(services: dict[str, Any]) -> None:
    import ray

    for host, spec in services.items():
        cluster = spec["rayClusterConfig"]
        assert cluster["rayVersion"] == ray.__version__
        assert cluster["authOptions"] == {"mode": "token"}
        assert cluster["enableInTreeAutoscaling"] is True
        assert cluster["autoscalerOptions"]["version"] == "v2"
        service = spec["serveService"]
        assert service["metadata"]["name"] == host
        assert service["spec"]["clusterIP"] == "None"
        ports = {port["name"]: (port["port"], port.get("appProtocol")) for port in service["spec"]["ports"]}
        assert ports == {"serve": (8000, None), "serve-grpc": (9000, "kubernetes.io/h2c")}


def test_nothing_else_is_lost(rendering: Any) -> None:
    """What the overlay takes away is what the RayServices bring, and the weights volume that no longer fits."""
    plain = {(item["kind"], item["metadata"]["name"]) for item in rendering.render("base")}
    kuberay = {(item["kind"], item["metadata"]["name"]) for item in rendering.render("base", ("kuberay",))}
    replaced = {(kind, name) for name in EVALUATORS for kind in ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget")}
    # The ConfigMap of the plan has no reader left; it stays for whoever looks.
    assert plain - kuberay == replaced
    assert {("RayService", name) for name in EVALUATORS} <= kuberay
    assert all(("ServiceAccount", name) in kuberay for name in EVALUATORS)
