"""Rules that compose.yaml keeps, and what it says of the deployment (docs/design/deployment.md): no engine is needed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
FILE = DOCKER / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
IMAGES: dict[str, dict[str, Any]] = tomllib.loads((DOCKER / "images.toml").read_text())
EVALUATORS = {"eval-language": "language", "eval-image": "image", "eval-video": "video", "eval-audio": "audio", "eval-3d": "three_d"}
WITH_NETWORKS = ("image", "video", "audio", "3d")
OVERRIDES = sorted(DOCKER.glob("compose.*.yaml"))


def image(service: str) -> str:
    return str(SERVICES[service]["image"]).removeprefix("genlevel/").split(":")[0]


def test_every_published_image_is_used() -> None:
    published = {name for name, entry in IMAGES.items() if entry.get("published", True)}
    assert {image(service) for service in SERVICES} == published
    assert {service: image(service) for service in EVALUATORS} == EVALUATORS


@pytest.mark.parametrize("service", SERVICES)
def test_the_tag_is_given_by_whoever_starts_it(service: str) -> None:
    assert re.fullmatch(r"genlevel/[a-z_]+:\$\{GENLEVEL_TAG:\?[^}]*\}", SERVICES[service]["image"])


@pytest.mark.parametrize("service", SERVICES)
def test_hardened(service: str) -> None:
    entry = SERVICES[service]
    assert entry["user"] == "10001:10001"
    assert entry["read_only"] is True
    assert entry["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in entry["security_opt"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & set(entry)


@pytest.mark.parametrize("service", SERVICES)
def test_limited(service: str) -> None:
    entry = SERVICES[service]
    assert {"mem_limit", "cpus", "pids_limit"} <= set(entry)
    assert all("size=" in mount for mount in entry["tmpfs"]), "a tmpfs without size may take half of the memory"
    assert entry["logging"]["options"]["max-size"]


@pytest.mark.parametrize("service", SERVICES)
def test_health(service: str) -> None:
    check = SERVICES[service]["healthcheck"]
    if service == "weights":
        assert check == {"disable": True}, "it ends by itself"
    else:
        assert check["test"][0] == "CMD"
        assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@pytest.mark.parametrize("service", SERVICES)
def test_the_check_is_the_images_own(service: str) -> None:
    if service == "weights":
        return
    text = (DOCKER / IMAGES[image(service)]["dockerfile"] / "Dockerfile").read_text()
    words = re.findall(r'"([^"]*)"', text.split("HEALTHCHECK", 1)[1].split("\n", 1)[0])
    assert SERVICES[service]["healthcheck"]["test"][1:] == words


def test_healthy_in_order() -> None:
    for service in EVALUATORS:
        assert SERVICES[service]["depends_on"] == {"weights": {"condition": "service_completed_successfully"}}
    wanted = {service: {"condition": "service_healthy"} for service in [*EVALUATORS, "database"]}
    assert SERVICES["orchestrator"]["depends_on"] == wanted


def test_only_the_ways_in_and_out_that_are_needed() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {service for service, entry in SERVICES.items() if "outside" in entry["networks"]} == {"weights", "orchestrator", "gateway"}
    published = {service: entry["ports"] for service, entry in SERVICES.items() if "ports" in entry}
    assert set(published) == {"orchestrator", "gateway"}
    for (port,) in published.values():
        assert port.startswith("${GENLEVEL_BIND:-127.0.0.1}:"), "reachable from other machines only when asked for"


def mounts(service: str) -> dict[str, tuple[str, bool]]:
    """By place in the container: what is mounted, and whether it may be written."""
    found = {}
    for line in SERVICES[service]["volumes"]:
        source, target, *mode = re.sub(r":-[^}]*\}", "}", line).rsplit(":", 2) if line.endswith(":ro") else [*re.sub(r":-[^}]*\}", "}", line).rsplit(":", 1)]
        found[target] = (source, mode != ["ro"])
    return found


@pytest.mark.parametrize("service", EVALUATORS)
def test_an_evaluator_reads_and_writes_its_own_features_only(service: str) -> None:
    name = service.removeprefix("eval-")
    features = {"/var/lib/genlevel/features": (f"{name}-features", True)} if name in WITH_NETWORKS else {}
    assert mounts(service) == {
        "/var/lib/genlevel/cache": ("weights", False),
        "/var/lib/genlevel/state": ("state", False),
        "/var/lib/genlevel/bundles": ("${GENLEVEL_BUNDLES}", False),
        **features,
    }
    assert SERVICES[service]["environment"]["GENLEVEL_FEATURE_CACHE_DIR"] == "/var/lib/genlevel/features"
    assert "shm_size" in SERVICES[service], "Ray's objects and streamed media lie there"


def test_who_writes_what() -> None:
    writers = {(service, source) for service in SERVICES for source, writable in mounts(service).values() if writable}
    features = {(f"eval-{name}", f"{name}-features") for name in WITH_NETWORKS}
    assert writers == {("weights", "weights"), ("orchestrator", "state"), ("database", "database"), ("store", "store"), *features}


def test_every_service_sees_only_its_own_secrets() -> None:
    secrets = {service: {Path(target).name for target in mounts(service) if target.startswith("/run/secrets/")} for service in SERVICES}
    assert {service: names for service, names in secrets.items() if names} == {
        "database": {"database-password"},
        "orchestrator": {"token", "database-url"},
        "store": {"store-access-key", "store-secret-key"},
        "gateway": {"token", "tls.crt", "tls.key"},
    }


@pytest.mark.parametrize("path", [FILE, *OVERRIDES], ids=lambda path: path.name)
def test_no_secret_stands_in_a_variable(path: Path) -> None:
    for service, entry in yaml.safe_load(path.read_text())["services"].items():
        for key in entry.get("environment", {}):
            assert not re.search(r"TOKEN|PASSWORD|SECRET_ACCESS_KEY|ACCESS_KEY_ID", key), f"{service}: {key}"


@pytest.mark.parametrize("path", OVERRIDES, ids=lambda path: path.name)
def test_overrides_speak_of_services_that_are_there(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert set(document["services"]) <= set(SERVICES)


def test_settings_name_the_evaluators_and_the_mounted_files(tmp_path: Path) -> None:
    from genlevel_orchestrator.settings import load_settings

    url = tmp_path / "url"
    url.write_text("postgresql+psycopg://genlevel:secret@database:5432/genlevel\n")
    settings = load_settings({"GENLEVEL_CONFIG": str(DOCKER / "config.toml"), "GENLEVEL_DATABASE_FILE": str(url)})
    assert {name: endpoint.target for name, endpoint in settings.evaluators.items()} == {
        name: f"{service}:9000" for service, name in EVALUATORS.items()
    }
    assert not any(endpoint.remote for endpoint in settings.evaluators.values())
    places = mounts("orchestrator")
    assert str(settings.serve.token_file) in places
    assert tomllib.loads((DOCKER / "config.toml").read_text())["database_file"] in places
    assert str(settings.state) in places
    assert [str(root) for root in settings.serve.roots] == ["/var/lib/genlevel/bundles"]
    assert (settings.serve.port, settings.serve.health_port) == (9100, 9101)


def test_the_store_override_makes_every_evaluator_remote() -> None:
    from genlevel_orchestrator.settings import load_settings

    services = yaml.safe_load((DOCKER / "compose.store.yaml").read_text())["services"]
    environment = services["orchestrator"]["environment"]
    settings = load_settings({key: value for key, value in environment.items() if key.startswith("GENLEVEL_")})
    assert {name: endpoint.target for name, endpoint in settings.evaluators.items()} == {
        name: f"{service}:9000" for service, name in EVALUATORS.items()
    }
    assert all(endpoint.remote for endpoint in settings.evaluators.values())
    assert {services[service]["environment"]["GENLEVEL_ROOTS"] for service in EVALUATORS} == {settings.media_store}


def test_the_judge_override_opens_the_way_for_the_language_evaluator_alone() -> None:
    from genlevel_language.judge import settings

    services = yaml.safe_load((DOCKER / "compose.judge.yaml").read_text())["services"]
    assert set(services) == {"eval-language"}
    assert services["eval-language"]["networks"] == ["inside", "outside"]
    known = {value for value in vars(settings).values() if isinstance(value, str) and value.startswith("GENLEVEL_JUDGE_")}
    given = services["eval-language"]["environment"]
    assert set(given) == known - {settings.KEY}
    (volume,) = services["eval-language"]["volumes"]
    assert volume.endswith(f":{given[settings.KEY_FILE]}:ro")
    assert [name for name in SERVICES if any("JUDGE" in key for key in SERVICES[name].get("environment", {}))] == []
