"""What the manifests and the programs must agree on: settings, ports, numbers, files that are copied."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EVALUATORS = {"eval-language": "language", "eval-image": "image", "eval-video": "video", "eval-audio": "audio", "eval-3d": "three_d"}


@pytest.fixture(scope="module")
def rendering(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(HERE / "rendering.py")


def settings(rendering: Any, entry: str, components: tuple[str, ...], folder: Path) -> Any:
    """The orchestrator's settings as its pod would read them, with secrets of our own."""
    from genlevel_orchestrator.settings import load_settings

    objects = rendering.render(entry, components)
    pod = rendering.find(objects, "Deployment", "orchestrator")["spec"]["template"]["spec"]
    (name,) = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
    text = rendering.find(objects, "ConfigMap", name)["data"]["config.toml"]
    (folder / "database-url").write_text("postgresql+psycopg://u:p@database:5432/genlevel\n")
    file = folder / "config.toml"
    file.write_text(text.replace("/run/secrets/genlevel", str(folder)))
    environment = {"GENLEVEL_CONFIG": str(file)}
    for variable in pod["containers"][0]["env"]:
        if variable["name"] == "GENLEVEL_MEDIA_STORE":  # of the Secret
            environment["GENLEVEL_MEDIA_STORE"] = "s3://bucket/prefix"
    return load_settings(environment)


@pytest.mark.parametrize(
    ("components", "remote", "store"),
    [((), True, ""), (("store",), True, "s3://genlevel/media"), (("shared-volume",), False, ""), (("external-s3",), True, "s3://bucket/prefix")],
)
def test_the_orchestrator_reads_its_settings(
    rendering: Any, components: tuple[str, ...], remote: bool, store: str, tmp_path: Path
) -> None:
    found = settings(rendering, "base", components, tmp_path)
    assert {name: endpoint.target for name, endpoint in found.evaluators.items()} == {name: f"{host}:9000" for host, name in EVALUATORS.items()}
    assert {endpoint.remote for endpoint in found.evaluators.values()} == {remote}
    assert found.media_store == store
    assert found.database.startswith("postgresql+psycopg://")
    assert (found.serve.host, found.serve.port, found.serve.health_port) == ("0.0.0.0", 9100, 9101)


def test_paths_in_the_settings_are_mounted(rendering: Any) -> None:
    pod = rendering.find(rendering.render("base"), "Deployment", "orchestrator")["spec"]["template"]["spec"]
    mounts = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
    text = (ROOT / "k8s/base/config/config.toml").read_text()
    paths = re.findall(r'"(/[^"]+)"', text)
    assert len(paths) == 6
    assert all(any(path == mount or path.startswith(f"{mount}/") for mount in mounts) for path in paths)
    secrets = [source["secret"] for volume in pod["volumes"] for source in volume.get("projected", {}).get("sources", [])]
    given = {item["path"] for secret in secrets for item in secret["items"]}
    assert given == {Path(path).name for path in paths if path.startswith("/run/secrets")}


def test_copies_and_generated_files_are_fresh() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts/k8s_config.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_services_toml_in_the_pods_is_the_one_of_the_embedded_mode(rendering: Any) -> None:
    source = (ROOT / "services/common/genlevel_evaluator/serve/services.toml").read_text()
    (found,) = [item for item in rendering.render("base") if item["kind"] == "ConfigMap" and item["metadata"]["name"].startswith("genlevel-services-")]
    assert found["data"]["services.toml"] == source


def test_a_pod_has_time_to_end_its_calls(rendering: Any) -> None:
    from genlevel_evaluator.serve.plan import plan_of

    for entry in ("base", "overlays/local", "overlays/gpu"):
        objects = rendering.render(entry)
        for host, name in EVALUATORS.items():
            pod = rendering.find(objects, "Deployment", host)["spec"]["template"]["spec"]
            plan = plan_of(name)
            # Serve and Ray themselves want up to ten seconds on an idle machine.
            assert pod["terminationGracePeriodSeconds"] >= plan.drain_seconds + plan.graceful_shutdown_timeout_s + 30


def test_probes_ask_what_the_health_server_serves(rendering: Any) -> None:
    from genlevel_evaluator.serve.health import LIVE, READY

    for pod in rendering.pods(rendering.render("base")):
        if not pod.endless or pod.owner == "StatefulSet/database":
            continue
        (container,) = pod.spec["containers"]
        asked = {kind: container[kind]["grpc"]["service"] for kind in ("readinessProbe", "livenessProbe")}
        assert asked == {"readinessProbe": READY, "livenessProbe": LIVE}


def test_replicas_are_kept_busy(rendering: Any) -> None:
    """As many shards in flight as there may be pods, or the last ones would idle; the scaler alone sets the number of pods."""
    objects = rendering.render("base")
    dispatch = tomllib.loads((ROOT / "k8s/base/config/config.toml").read_text())["dispatch"]
    scalers = [item for item in objects if item["kind"] == "HorizontalPodAutoscaler"]
    assert len(scalers) == 5
    for scaler in scalers:
        assert dispatch["in_flight"] >= scaler["spec"]["maxReplicas"]
        assert "replicas" not in rendering.find(objects, "Deployment", scaler["metadata"]["name"])["spec"]


def test_the_media_cache_stays_within_the_scratch_volume(rendering: Any, load_module: Callable[[Path], ModuleType]) -> None:
    quantity = load_module(HERE / "policy.py").quantity
    for entry in ("base", "overlays/local", "overlays/gpu", "overlays/kuberay"):
        found = 0
        for pod in rendering.pods(rendering.render(entry)):
            container = pod.spec["containers"][0]
            values = {one["name"]: one.get("value") for one in container.get("env", [])}
            if pod.labels["app.kubernetes.io/component"] == "evaluator" and not pod.owner.endswith("/head"):
                (volume,) = [one["emptyDir"] for one in pod.spec["volumes"] if one["name"] == "tmp"]
                assert int(values["GENLEVEL_MEDIA_CACHE_BYTES"]) <= quantity(volume["sizeLimit"]) / 2
                found += 1
        assert found >= 5


def test_images_are_those_that_are_built_with_the_version_of_the_project(rendering: Any) -> None:
    built = {name for name, image in tomllib.loads((ROOT / "docker/images.toml").read_text()).items() if image.get("published", True)}
    tags = yaml.safe_load((ROOT / "k8s/components/images/kustomization.yaml").read_text())["images"]
    version = tomllib.loads((ROOT / "orchestrator/pyproject.toml").read_text())["project"]["version"]
    assert {image["name"].removeprefix("genlevel/") for image in tags} == built
    assert {image["newTag"] for image in tags} == {version}
    used = set()
    for entry, components in rendering.COMBINATIONS:
        for pod in rendering.pods(rendering.render(entry, components)):
            used |= {container["image"] for container in pod.containers}
    assert used == {f"genlevel/{name}:{version}" for name in built}


def test_an_overlay_on_top_changes_every_image(rendering: Any, tmp_path: Path) -> None:
    """As `make up REGISTRY=... TAG=...` does it; RayServices and containers that run first included."""
    import os

    names = [image["name"] for image in yaml.safe_load((ROOT / "k8s/components/images/kustomization.yaml").read_text())["images"]]
    content = {
        "resources": [os.path.relpath(ROOT / "k8s/overlays/kuberay", tmp_path.resolve())],
        "components": [os.path.relpath(ROOT / f"k8s/components/{name}", tmp_path.resolve()) for name in ("store", "gateway")],
        "images": [{"name": name, "newName": f"registry.test:5000/x/{name}", "newTag": "7"} for name in names],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(content))
    done = subprocess.run([rendering.KUBECTL, "kustomize", tmp_path], capture_output=True, text=True, check=True)
    images = {line.split(": ", 1)[1] for line in done.stdout.splitlines() if re.match(r"\s*(- )?image: ", line)}
    assert len(images) == 9
    assert all(re.fullmatch(r"registry\.test:5000/x/genlevel/\w+:7", image) for image in images)


def test_secrets_are_those_of_the_contract(load_module: Callable[[Path], ModuleType]) -> None:
    policy = load_module(HERE / "policy.py")
    text = (ROOT / "docs/design/deployment.md").read_text()
    rows = {found[1]: found[2] for found in re.finditer(r"^\| `(genlevel-\w+)` \| (.*) \|$", text, re.MULTILINE)}
    assert rows.keys() == policy.SECRETS.keys()
    assert all(f"`{key}`" in rows[name] for name, keys in policy.SECRETS.items() for key in keys)
