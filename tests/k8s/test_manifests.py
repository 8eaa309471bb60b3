"""Every overlay with every sensible set of components renders, is valid under strict schemas, and keeps the policy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
EVALUATORS = ("eval-language", "eval-image", "eval-video", "eval-audio", "eval-3d")
KINDS = {"Namespace", "ServiceAccount", "ConfigMap", "Service", "Deployment", "StatefulSet", "Job", "PersistentVolumeClaim", "NetworkPolicy", "HorizontalPodAutoscaler", "PodDisruptionBudget", "RayService"}


@pytest.fixture(scope="module")
def rendering(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(HERE / "rendering.py")


@pytest.fixture(scope="module")
def combinations(rendering: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(f"{entry}+{'+'.join(components)}", rendering.render(entry, components)) for entry, components in rendering.COMBINATIONS]


def test_every_folder_is_rendered_by_some_combination(rendering: Any) -> None:
    folders = {str(path.parent.relative_to(rendering.K8S)) for path in rendering.K8S.glob("*/*/kustomization.yaml")}
    wanted = {name for name in folders if name.startswith(("overlays/", "components/"))} - {"components/images"}
    used = {entry for entry, _ in rendering.COMBINATIONS} | {f"components/{one}" for _, many in rendering.COMBINATIONS for one in many}
    assert wanted - {"overlays/gpu", "overlays/kuberay", "overlays/local"} <= used
    assert {name for name in wanted if name.startswith("overlays/")} <= used


def test_schemas_are_strictly_kept(combinations: list[tuple[str, Any]], load_module: Callable[[Path], ModuleType]) -> None:
    strict = load_module(HERE / "strict.py")
    seen: dict[str, list[str]] = {}
    for _, objects in combinations:
        for item in objects:
            seen.setdefault(repr(item), [fault for version in strict.VERSIONS for fault in strict.faults(item, version)] if repr(item) not in seen else [])
    assert len(seen) > 100
    assert [fault for faults in seen.values() for fault in faults] == []


def test_policy_is_kept(combinations: list[tuple[str, Any]], rendering: Any, load_module: Callable[[Path], ModuleType]) -> None:
    policy = load_module(HERE / "policy.py")
    found = {name: policy.violations(objects, list(rendering.pods(objects))) for name, objects in combinations}
    assert {name: said for name, said in found.items() if said} == {}


def test_objects_are_unique_and_of_known_kinds(combinations: list[tuple[str, Any]]) -> None:
    for name, objects in combinations:
        keys = [(item["kind"], item["metadata"]["name"]) for item in objects]
        assert len(keys) == len(set(keys)), name
        assert {kind for kind, _ in keys} <= KINDS, name
        assert not any(item["kind"] == "Secret" for item in objects), name


@pytest.mark.parametrize("entry", ["base", "overlays/local", "overlays/gpu"])
def test_each_evaluator_is_whole(rendering: Any, entry: str) -> None:
    objects = rendering.render(entry)
    kinds = {"Deployment", "Service", "PodDisruptionBudget", "ServiceAccount"} | ({"HorizontalPodAutoscaler"} if entry != "overlays/local" else set())
    for name in EVALUATORS:
        assert {item["kind"] for item in objects if item["metadata"]["name"] == name} == kinds
        service = rendering.find(objects, "Service", name)["spec"]
        assert service["clusterIP"] == "None"
        assert service["publishNotReadyAddresses"] is False
        assert [(port["port"], port["appProtocol"]) for port in service["ports"]] == [(9000, "kubernetes.io/h2c")]
        pod = rendering.find(objects, "Deployment", name)["spec"]["template"]["spec"]
        evaluator = {"eval-3d": "three_d"}.get(name, name.removeprefix("eval-"))
        (container,) = pod["containers"]
        assert container["args"] == ["python", "-m", "genlevel_evaluator.serve.deployed", "--evaluator", evaluator]
        assert container["image"].startswith(f"genlevel/{evaluator}:")
        assert not any("secret" in volume or "projected" in volume for volume in pod["volumes"]), "an evaluator needs no secret"


def test_the_orchestrator_never_runs_twice(rendering: Any) -> None:
    spec = rendering.find(rendering.render("base"), "Deployment", "orchestrator")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_pods_that_share_a_volume_of_one_node_run_on_one_node(rendering: Any) -> None:
    objects = rendering.render("base")
    users = [pod for pod in rendering.pods(objects) if any(volume["name"] == "weights" for volume in pod.spec["volumes"])]
    assert len(users) == 6
    for pod in users:
        (term,) = pod.spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term == {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"genlevel.io/weights": "volume"}}}
        assert pod.labels["genlevel.io/weights"] == "volume"
        mounts = [mount for one in pod.containers for mount in one["volumeMounts"] if mount["name"] == "weights"]
        assert all(mount.get("readOnly", False) is not (pod.owner == "Job/weights-fetch") for mount in mounts)


@pytest.mark.parametrize(("entry", "components"), [("base", ("weights-shared",)), ("base", ("weights-per-pod",)), ("overlays/gpu", ()), ("overlays/kuberay", ())])
def test_other_ways_of_weights_tie_no_pods_together(rendering: Any, entry: str, components: tuple[str, ...]) -> None:
    objects = rendering.render(entry, components)
    assert all("affinity" not in pod.spec and "genlevel.io/weights" not in pod.labels for pod in rendering.pods(objects))
    claims = {item["metadata"]["name"]: item["spec"]["accessModes"] for item in objects if item["kind"] == "PersistentVolumeClaim"}
    assert claims.get("weights") in (["ReadWriteMany"], None)
    fetching = [pod.owner for pod in rendering.pods(objects) if any(one["name"] == "weights-fetch" for one in pod.containers)]
    assert (fetching == ["Job/weights-fetch"]) is ("weights" in claims)
    assert not any(pod.owner.endswith("/head") for pod in rendering.pods(objects) if "weights" in {volume["name"] for volume in pod.spec["volumes"]})


def test_only_video_pods_want_a_gpu_and_scale_on_their_own(rendering: Any) -> None:
    plain, gpu = rendering.render("base", ("weights-per-pod",)), rendering.render("overlays/gpu")
    changed = [(item["kind"], item["metadata"]["name"]) for item in gpu if item not in plain]
    assert changed == [("Deployment", "eval-video"), ("HorizontalPodAutoscaler", "eval-video")]
    pod = rendering.find(gpu, "Deployment", "eval-video")["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]


def test_local_has_no_autoscaler_and_fits_a_small_machine(rendering: Any, load_module: Callable[[Path], ModuleType]) -> None:
    quantity = load_module(HERE / "policy.py").quantity
    objects = rendering.render("overlays/local", ("store", "gateway"))
    assert not any(item["kind"] == "HorizontalPodAutoscaler" for item in objects)
    asked = [one["resources"]["requests"] for pod in rendering.pods(objects) for one in pod.spec["containers"]]
    assert sum(quantity(one["cpu"]) for one in asked) <= 2
    assert sum(quantity(one["memory"]) for one in asked) <= 6.5 * 2**30


def test_a_database_elsewhere_leaves_nothing_of_ours(rendering: Any) -> None:
    objects = rendering.render("base", ("external-database",))
    assert [item["kind"] for item in objects if item["metadata"]["name"] == "database"] == []
    assert not any(item["kind"] == "StatefulSet" for item in objects)


def test_a_folder_of_a_claim_can_be_made_by_whichever_pod_comes_first(rendering: Any) -> None:
    """The kubelet makes the folder that `subPath` names when it is not there, and cannot on a claim that the pod mounts read-only."""
    for entry in ("base", "overlays/kuberay"):
        pods = rendering.pods(rendering.render(entry, ("shared-volume",)))
        partly = [(pod, mount["name"]) for pod in pods for one in pod.spec["containers"] for mount in one["volumeMounts"] if "subPath" in mount]
        assert len(partly) > 5
        for pod, volume in partly:
            (claim,) = [one["persistentVolumeClaim"] for one in pod.spec["volumes"] if one["name"] == volume]
            assert not claim.get("readOnly", False)


def test_shared_volume_lets_evaluators_read_what_the_orchestrator_writes(rendering: Any) -> None:
    objects = rendering.render("base", ("shared-volume",))
    assert rendering.find(objects, "PersistentVolumeClaim", "state")["spec"]["accessModes"] == ["ReadWriteMany"]
    own = rendering.find(objects, "Deployment", "orchestrator")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    places = {mount["mountPath"]: mount.get("subPath") for mount in own if mount["name"] == "state"}
    for name in EVALUATORS:
        container = rendering.find(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]
        mounts = [mount for mount in container["volumeMounts"] if mount["name"] == "state"]
        assert {mount["mountPath"]: mount.get("subPath") for mount in mounts} == places
        assert all(mount["readOnly"] for mount in mounts)
        (roots,) = [one["value"] for one in container["env"] if one["name"] == "GENLEVEL_ROOTS"]
        assert set(roots.split()) == set(places)


@pytest.mark.parametrize(("component", "root"), [("store", "s3://genlevel/media"), ("external-s3", "$(GENLEVEL_MEDIA_STORE)")])
def test_a_bucket_reaches_both_ends_with_its_keys(rendering: Any, component: str, root: str) -> None:
    for entry in ("base", "overlays/kuberay"):
        pods = [pod for pod in rendering.pods(rendering.render(entry, (component,))) if pod.labels["app.kubernetes.io/component"] in ("evaluator", "orchestrator")]
        assert len(pods) == (6 if entry == "base" else 12)
        for pod in pods:
            names = [one["name"] for one in pod.spec["containers"][0]["env"]]
            assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"} <= set(names)
            assert len(names) == len(set(names))
            if pod.labels["app.kubernetes.io/component"] == "evaluator":
                values = {one["name"]: one.get("value") for one in pod.spec["containers"][0]["env"]}
                assert values["GENLEVEL_ROOTS"] == root
                # Kubernetes completes $(NAME) only from what stands before.
                assert component == "store" or names.index("GENLEVEL_MEDIA_STORE") < names.index("GENLEVEL_ROOTS")


@pytest.mark.parametrize("entry", ["base", "overlays/kuberay"])
def test_a_judge_is_told_to_the_language_evaluator_alone(rendering: Any, entry: str) -> None:
    from genlevel_language.judge.settings import JudgeSettings, configured_model, judge_settings

    told = 0
    for pod in rendering.pods(rendering.render(entry, ("judge",))):
        container = pod.spec["containers"][0]
        given = {one["name"]: one for one in container.get("env", []) if one["name"].startswith("GENLEVEL_JUDGE_")}
        if pod.labels.get("app.kubernetes.io/name") != "eval-language":
            assert given == {}, pod.owner
            continue
        told += 1
        secret = {"url": "https://judge.example.com/v1", "model": "judge-model", "price-in": "1", "price-out": "2"}
        environment = {name: one.get("value") or secret[one["valueFrom"]["secretKeyRef"]["key"]] for name, one in given.items()}
        (mount,) = [one for one in container["volumeMounts"] if one["name"] == "judge"]
        assert environment.pop("GENLEVEL_JUDGE_KEY_FILE") == f"{mount['mountPath']}/key"
        found = judge_settings(environment)
        assert found == JudgeSettings(secret["url"], "judge-model", cache_folder=Path("/tmp/genlevel-judge"))
        assert configured_model(environment) == "judge-model"
    assert told == (1 if entry == "base" else 2)
