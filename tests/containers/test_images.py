"""Every image: who it runs as, what is in it and what is not, what it says of itself."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from container_system.engine import ROOT
from container_system.single import get, put
from packaging.requirements import Requirement

IMAGES = tomllib.loads((ROOT / "docker" / "images.toml").read_text())
PUBLISHED = sorted(name for name, image in IMAGES.items() if image.get("published", True))
EVALUATORS = ("language", "image", "video", "audio", "three_d")
PYTHONS = (*EVALUATORS, "orchestrator")
# What an image must not hold, whatever its lock says.
FOREIGN = {
    "language": {"torch", "torchvision", "torchaudio", "open3d", "av", "genlevel-orchestrator", "psycopg"},
    "image": {"torchaudio", "open3d", "faster-whisper", "genlevel-orchestrator"},
    "video": {"torchaudio", "open3d", "faster-whisper", "genlevel-orchestrator"},
    "audio": {"torchvision", "open3d", "genlevel-orchestrator"},
    "three_d": {"torchvision", "torchaudio", "faster-whisper", "av", "genlevel-orchestrator"},
    "orchestrator": {"torch", "torchvision", "torchaudio", "ray", "open3d", "av", "scipy"},
}
NEVER = {"pip", "pytest", "mypy", "ruff", "moto", "docker", "hypothesis", "espeakng-loader", "cyclonedx-bom"}
INSIDE = (ROOT / "tests" / "containers" / "inside.py").read_text()
VALIDATE = """
import json, pathlib, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for name in sys.argv[1:]:
    text = pathlib.Path(name).read_text()
    error = JsonStrictValidator(SchemaVersion.from_version(json.loads(text)["specVersion"])).validate_str(text)
    if error:
        sys.exit(f"{name}: {error!r}")
"""


def normal(name: str) -> str:
    """The form in which names of packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def own(name: str) -> set[str]:
    """Our own distributions that an image is meant to hold."""
    folders = IMAGES[name]["distributions"]
    return {normal(tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]["name"]) for folder in folders}


@pytest.fixture(scope="session")
def facts(engine: Any, images: dict[str, str]) -> Callable[[str], dict[str, Any]]:
    """What an image holds, looked up once, in a container as strict as the ones of the deployment."""
    known: dict[str, dict[str, Any]] = {}

    def look(name: str) -> dict[str, Any]:
        if name not in known:
            module = "genlevel_orchestrator.cli.main" if name == "orchestrator" else f"genlevel_{name}.app"
            output = engine.containers.run(
                images[name], ["-c", INSIDE, module], entrypoint="python", read_only=True, cap_drop=["ALL"], network_mode="none",
                security_opt=["no-new-privileges"], remove=True, stderr=False,
            )  # fmt: skip
            known[name] = json.loads(output)
        return known[name]

    return look


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_an_image_says_of_itself(engine: Any, images: dict[str, str], name: str) -> None:
    image = engine.images.get(images[name])
    config = image.attrs["Config"]
    assert config["User"] in ("10001", "10001:10001")
    assert config["Healthcheck"]["Test"][0] in ("CMD", "CMD-SHELL")
    labels = config["Labels"]
    assert all(labels.get(f"org.opencontainers.image.{key}") for key in ("title", "version", "revision", "licenses")), labels
    assert not [tag for tag in image.tags if tag.endswith(":latest")]
    assert not [line for line in config["Env"] if re.search(r"(?i)index|(token|password|key|secret)=", line)]
    history = json.dumps(image.history())
    assert not re.search(r"https?://[^ \"]*(index|simple|registry)", history), "a build argument names an index in the image's history"


def test_files_with_special_rights_are_the_base_images(
    engine: Any, images: dict[str, str], bases: dict[str, str], facts: Callable[[str], dict[str, Any]]
) -> None:
    command = ["-c", "find / -xdev -type f -perm /6000 2>/dev/null; true"]

    def special(image: str) -> set[str]:
        found = engine.containers.run(image, command, entrypoint="sh", remove=True, user="0", network_mode="none")
        return set(found.decode().split())

    allowed = special(bases["debian"]) | special(bases["python"])
    held = {name: set(facts(name)["special"]) if name in PYTHONS else special(images[name]) for name in PUBLISHED}
    assert {name: files - allowed for name, files in held.items()} == {name: set() for name in PUBLISHED}


@pytest.mark.parametrize("name", PYTHONS)
def test_runs_as_nobody_on_a_read_only_root(facts: Callable[[str], dict[str, Any]], name: str) -> None:
    found = facts(name)
    assert (found["uid"], found["gid"], found["groups"]) in ((10001, 10001, []), (10001, 10001, [10001]))
    assert found["writable"] == []
    assert found["prefix"] == "/opt/genlevel"
    assert found["python"] == [3, 11]


@pytest.mark.parametrize("name", PYTHONS)
def test_nobody_can_change_the_program(engine: Any, images: dict[str, str], name: str) -> None:
    """Also where the root file system is not read-only."""
    command = ["-c", "find /opt/genlevel /usr /etc -xdev -writable ! -type l 2>/dev/null | head -5; true"]
    found = engine.containers.run(images[name], command, entrypoint="sh", remove=True, network_mode="none")
    assert found.decode().split() == []


@pytest.mark.parametrize("name", PYTHONS)
def test_only_its_own_distributions(facts: Callable[[str], dict[str, Any]], name: str) -> None:
    held = {normal(dist) for dist in facts(name)["distributions"]}
    ours = {dist for dist in held if dist.startswith("genlevel")}
    assert ours == own(name)
    assert not held & FOREIGN[name]
    assert not held & NEVER


@pytest.mark.parametrize("name", PYTHONS)
def test_no_tools_of_the_build_are_left(facts: Callable[[str], dict[str, Any]], name: str) -> None:
    found = facts(name)
    assert not {"cc", "gcc", "g++", "clang", "make", "uv"} & set(found["programs"])
    assert found["left"] == []


@pytest.mark.parametrize("name", EVALUATORS)
def test_programs_that_kuberay_calls(facts: Callable[[str], dict[str, Any]], name: str) -> None:
    assert {"bash", "wget"} <= set(facts(name)["programs"])


@pytest.mark.parametrize("name", EVALUATORS)
def test_the_application_is_light_to_import(facts: Callable[[str], dict[str, Any]], name: str) -> None:
    assert f"genlevel_{name}.app" in facts(name)["modules"]
    assert not {"torch", "open3d", "ray"} & set(facts(name)["modules"])


@pytest.mark.parametrize("name", PYTHONS)
def test_every_requirement_is_met(facts: Callable[[str], dict[str, Any]], name: str) -> None:
    held = {normal(dist): (version, requires) for dist, (version, requires) in facts(name)["distributions"].items()}
    excluded = {normal(item) for image in (IMAGES[name], IMAGES["base"], IMAGES["torch"]) for item in image.get("excludes", [])}
    problems = []
    for dist, (_, requires) in held.items():
        for line in requires:
            wanted = Requirement(line)
            needed = normal(wanted.name)
            if needed in excluded or (wanted.marker and not wanted.marker.evaluate({"extra": "", "python_version": "3.11"})):
                continue
            if needed not in held or not wanted.specifier.contains(held[needed][0], prereleases=True):
                problems.append(f"{dist} needs {line}, there is {held.get(needed, ('nothing',))[0]}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", PYTHONS)
def test_bill_of_materials_names_every_package(facts: Callable[[str], dict[str, Any]], name: str) -> None:
    found = facts(name)
    purls = [item.get("purl", "") for item in found["sbom"]["components"]]
    held = {f"pkg:pypi/{normal(dist)}@{version}" for dist, (version, _) in found["distributions"].items()}
    listed = {f"pkg:pypi/{normal(purl[9:].partition('@')[0])}@{purl.partition('@')[2]}" for purl in purls if purl.startswith("pkg:pypi/")}
    ours = {purl for purl in held if purl.startswith("pkg:pypi/genlevel")}
    assert held - ours <= listed
    assert {normal(item["name"]) for item in found["sbom"]["components"]} >= own(name)
    assert any(purl.startswith("pkg:deb/") for purl in purls), "the Debian packages are part of the image too"


def test_bills_of_materials_keep_to_their_schema(engine: Any, images: dict[str, str]) -> None:
    """By the strict validator of CycloneDX's own library, which the image of the build's tools has."""
    validator = engine.containers.create(
        images["tools"], ["-c", VALIDATE, *(f"/tmp/{name}.json" for name in PUBLISHED)], entrypoint="/opt/tools/bin/python", network_mode="none"
    )
    try:
        for name in PUBLISHED:
            described = engine.containers.create(images[name])
            try:
                put(validator, f"/tmp/{name}.json", get(described, "/usr/share/genlevel/sbom.cdx.json"))
            finally:
                described.remove()
        validator.start()
        assert validator.wait(timeout=300)["StatusCode"] == 0, validator.logs().decode()[-2000:]
    finally:
        validator.remove(force=True)


@pytest.mark.parametrize("name", ["image", "video", "audio"])
def test_torch_is_stored_once(engine: Any, images: dict[str, str], name: str) -> None:
    shared = engine.images.get(images["torch"]).attrs["RootFS"]["Layers"]
    layers = engine.images.get(images[name]).attrs["RootFS"]["Layers"]
    assert layers[: len(shared)] == shared


def test_six_images_do_not_cost_six_times_torch(engine: Any, images: dict[str, str], numbers: dict[str, Any]) -> None:
    whole = {name: engine.images.get(images[name]).attrs["Size"] for name in PYTHONS}
    below = {name: engine.images.get(images[IMAGES[name]["parent"]]).attrs["Size"] for name in EVALUATORS}
    unique = whole["orchestrator"] + engine.images.get(images["torch"]).attrs["Size"] + sum(whole[name] - below[name] for name in EVALUATORS)
    numbers["megabytes"] = {"sum_of_six": round(sum(whole.values()) / 1e6), "stored_once": round(unique / 1e6)}
    assert unique < 0.5 * sum(whole.values())


@pytest.mark.parametrize("name", [*PUBLISHED, "base", "torch"])
def test_size(engine: Any, images: dict[str, str], bases: dict[str, str], name: str) -> None:
    below = engine.images.get({**images, **bases}[IMAGES[name]["parent"]]).attrs["Size"]
    added = (engine.images.get(images[name]).attrs["Size"] - below) / 1e6
    assert added <= IMAGES[name]["megabytes"], f"{name} adds {added:.0f} MB to {IMAGES[name]['parent']}"
