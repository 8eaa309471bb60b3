"""Rules that every Dockerfile keeps, read from its text: no engine is needed."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
IMAGES: dict[str, dict[str, Any]] = tomllib.loads((DOCKER / "images.toml").read_text())
FILES = sorted(DOCKER.glob("*/Dockerfile"))
FINAL = sorted({DOCKER / image["dockerfile"] / "Dockerfile" for image in IMAGES.values() if image.get("published", True)})
TRACKED = [ROOT / line for line in subprocess.run(["git", "ls-files", "docker"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()]

Instruction = tuple[str, str]


def instructions(path: Path) -> list[Instruction]:
    """Name and rest of each instruction; continued lines are joined, comments left out."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n", " ", text)
    return [(line.split()[0].upper(), line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


def last_stage(path: Path) -> list[Instruction]:
    """The instructions of the image itself, with those of the stages it stands on."""
    found = instructions(path)
    stages: dict[str, list[Instruction]] = {}
    current: list[Instruction] = []
    for name, rest in found:
        if name == "FROM":
            words = rest.split()
            current = list(stages.get(words[0], []))
            if len(words) == 3:
                stages[words[2]] = current
        else:
            current.append((name, rest))
    return current


def ids(path: Path) -> str:
    return path.parent.name


def test_every_image_has_its_dockerfile() -> None:
    assert {path.parent.name for path in FILES} == {image["dockerfile"] for image in IMAGES.values()}


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_bases_are_arguments(path: Path) -> None:
    """So that whoever builds names base and digest; a default would be one more place to keep."""
    found = instructions(path)
    stages = {rest.split()[2] for name, rest in found if name == "FROM" and len(rest.split()) == 3}
    declared = {rest for name, rest in found[: [name for name, _ in found].index("FROM")] if name == "ARG"}
    for rest in (rest.split()[0] for name, rest in found if name == "FROM"):
        assert rest in stages or rest.removeprefix("${").removesuffix("}") in declared, rest


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_the_classic_builder_understands_it(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"^#\s*syntax\s*=", text, re.MULTILINE | re.IGNORECASE)
    assert "<<" not in text
    for name, rest in instructions(path):
        flags = [word for word in rest.split() if word.startswith("--")]
        if name == "RUN":
            assert not rest.startswith("--"), rest
        if name in ("COPY", "ADD"):
            assert name == "COPY", "ADD fetches and unpacks; COPY does what it says"
            assert all(flag.startswith("--from=") and "$" not in flag for flag in flags), rest
        if name == "FROM":
            assert not flags, rest


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_runs_as_10001(path: Path) -> None:
    users = [rest for name, rest in last_stage(path) if name == "USER"]
    assert users[-1] == "10001:10001"


@pytest.mark.parametrize("path", FINAL, ids=ids)
def test_what_a_service_needs(path: Path) -> None:
    stage = last_stage(path)
    if path.parent.name == "evaluator":
        stage = instructions(DOCKER / "base" / "Dockerfile") + stage
    names = [name for name, _ in stage]
    assert "HEALTHCHECK" in names
    assert {"STOPSIGNAL", "ENTRYPOINT", "EXPOSE"} <= set(names)
    entry = next(rest for name, rest in stage if name == "ENTRYPOINT")
    assert entry.startswith('["/usr/bin/tini", "--"'), "the first process must reap children and pass signals on"
    for name, rest in stage:
        if name in ("ENTRYPOINT", "CMD") or (name == "HEALTHCHECK"):
            assert "[" in rest, "a shell form would not get signals"
    labels = " ".join(rest for name, rest in stage if name == "LABEL")
    for key in ("title", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{key}=" in labels
    assert any(name == "COPY" and rest.endswith("/usr/share/genlevel/sbom.cdx.json") for name, rest in stage)


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_apt_leaves_nothing(path: Path) -> None:
    for name, rest in instructions(path):
        if name == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_secrets_cannot_come_as_arguments(path: Path) -> None:
    for name, rest in instructions(path):
        if name in ("ARG", "ENV"):
            for word in shlex.split(rest):
                key = word.split("=")[0].upper()
                assert not re.search(r"TOKEN|PASSWORD|SECRET|CREDENTIAL", key) or key.endswith("_FILE"), word


@pytest.mark.parametrize("path", TRACKED, ids=lambda path: str(path.relative_to(DOCKER)))
def test_names_no_index_no_registry_and_no_moving_tag(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r":latest\b", text)
    for host in re.findall(r"https?://([^\s/\"'`)]+)", text):
        assert host in ("cyclonedx.org", "store:9200", "["), f"{host}: hosts are given by whoever builds"
    assert not re.search(r"\b(index-url|find-links|trusted-host)\s*=\s*\S", text)


def test_no_package_named_docker() -> None:
    assert not (DOCKER / "__init__.py").exists(), "it would hide the docker SDK"


def test_only_sources_enter_a_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert allowed == {"docker", "protos", "services", "orchestrator", "requirements/uv.txt"}
    copied = [word for path in FILES for name, rest in instructions(path) if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]]
    for word in copied:
        assert any(word == place or word.startswith(place + "/") for place in allowed), f"{word} is not in the build's context"
        assert "$" in word or (ROOT / word).exists(), word
