"""docker/install.py: what an image's layer gets, and the CPU flavour, with uv and a small index of files."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".uv" / "bin" / "uv"


@pytest.fixture(scope="session")
def module(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(ROOT / "docker" / "install.py")


class Index:
    """A package index in a folder, in the simple layout."""

    def __init__(self, folder: Path, says_hashes: bool = True) -> None:
        self.folder = folder
        self.says_hashes = says_hashes
        self.url = folder.as_uri()
        self.hashes: dict[str, str] = {}

    def add(self, name: str, version: str, requires: tuple[str, ...] = ()) -> None:
        """A wheel with one module, which says its version."""
        place = self.folder / name.replace("_", "-")
        place.mkdir(parents=True, exist_ok=True)
        wheel = place / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {line}\n" for line in requires)
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        self.hashes[f"{name}=={version}"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
        links = "".join(f'<a href="{path.name}{self.fragment(path)}">{path.name}</a>\n' for path in sorted(place.glob("*.whl")))
        (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")

    def fragment(self, wheel: Path) -> str:
        return "#sha256=" + hashlib.sha256(wheel.read_bytes()).hexdigest() if self.says_hashes else ""

    def pin(self, name: str, version: str) -> str:
        """A line of a lock."""
        return f"{name}=={version} \\\n    --hash=sha256:{self.hashes[f'{name}=={version}']}\n"


@pytest.fixture
def default(tmp_path: Path) -> Index:
    """The index of requirements.lock: torch for GPUs, and what it needs."""
    index = Index(tmp_path / "default")
    index.add("nvidia_cublas", "13.0")
    index.add("sympy", "1.14")
    index.add("torch", "2.11.0", ("nvidia_cublas==13.0", "sympy"))
    index.add("av", "18.1")
    return index


@pytest.fixture
def other(tmp_path: Path) -> Index:
    """The index of CPU builds; it also has an old sympy, which must not be taken from it."""
    index = Index(tmp_path / "cpu")
    index.add("torch", "2.11.0+cpu", ("sympy",))
    index.add("sympy", "1.0")
    return index


@pytest.fixture
def locks(tmp_path: Path, default: Index) -> Path:
    folder = tmp_path / "locks"
    folder.mkdir()
    torch = default.pin("nvidia_cublas", "13.0") + default.pin("sympy", "1.14") + default.pin("torch", "2.11.0")
    (folder / "torch.lock").write_text("# Image torch\n" + torch)
    return folder


@pytest.fixture
def installer(module: Any, tmp_path: Path, default: Index) -> Any:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = module.Installer(tmp_path / "venv", scratch, {**os.environ, "INDEX_URL": default.url})
    made.uv = UV
    return made


def versions(venv: Path) -> dict[str, str]:
    return {path.name.split("-")[0]: path.name.split("-")[1].removesuffix(".dist") for path in venv.glob("lib/python*/site-packages/*.dist-info")}


def test_gpu_flavour_takes_the_lock_as_it_is(module: Any, installer: Any, locks: Path) -> None:
    module.install(installer, "torch", locks, {})
    assert versions(installer.venv) == {"torch": "2.11.0", "nvidia_cublas": "13.0", "sympy": "1.14"}
    assert installer.missing(set()) == []
    assert list(installer.venv.glob("lib/python*/site-packages/__pycache__/torch.*.pyc")), "bytecode is compiled while building"


def test_cpu_flavour_takes_torch_from_its_index_and_the_rest_from_the_lock(
    module: Any, installer: Any, locks: Path, other: Index
) -> None:
    module.install(installer, "torch", locks, {"FLAVOUR": "cpu", "TORCH_INDEX_URL": other.url})
    assert versions(installer.venv) == {"torch": "2.11.0+cpu", "sympy": "1.14"}
    assert installer.missing(set()) == []
    written = (locks / "torch.lock").read_text()
    assert f"torch==2.11.0+cpu \\\n    --hash=sha256:{other.hashes['torch==2.11.0+cpu']}" in written
    assert "nvidia" not in written


def test_an_image_above_installs_only_the_difference(module: Any, installer: Any, locks: Path, default: Index, other: Index) -> None:
    environment = {"FLAVOUR": "cpu", "TORCH_INDEX_URL": other.url}
    gpu_lock = (locks / "torch.lock").read_text()
    module.install(installer, "torch", locks, environment)
    (locks / "video.lock").write_text(gpu_lock + default.pin("av", "18.1"))
    module.install(installer, "video", locks, environment)
    assert versions(installer.venv) == {"torch": "2.11.0+cpu", "sympy": "1.14", "av": "18.1"}
    assert "nvidia" not in (locks / "video.lock").read_text()


def test_cpu_flavour_without_its_index_is_refused(module: Any, installer: Any, locks: Path) -> None:
    with pytest.raises(module.InstallError, match="TORCH_INDEX_URL"):
        module.install(installer, "torch", locks, {"FLAVOUR": "cpu"})


def test_cpu_index_without_that_version_is_refused(module: Any, installer: Any, locks: Path, tmp_path: Path) -> None:
    index = Index(tmp_path / "stale")
    index.add("torch", "2.10.0+cpu")
    with pytest.raises(module.InstallError, match="uv pip compile failed"):
        module.install(installer, "torch", locks, {"FLAVOUR": "cpu", "TORCH_INDEX_URL": index.url})


def test_cpu_index_without_hashes_is_refused(module: Any, installer: Any, locks: Path, tmp_path: Path) -> None:
    index = Index(tmp_path / "bare", says_hashes=False)
    index.add("torch", "2.11.0+cpu")
    with pytest.raises(module.InstallError, match=r"gives no hash of torch==2\.11\.0"):
        module.install(installer, "torch", locks, {"FLAVOUR": "cpu", "TORCH_INDEX_URL": index.url})


def test_an_unknown_flavour_is_refused(module: Any, installer: Any, locks: Path) -> None:
    with pytest.raises(module.InstallError, match="FLAVOUR=tpu: write gpu or cpu"):
        module.install(installer, "torch", locks, {"FLAVOUR": "tpu"})


def test_a_file_that_changed_is_refused(module: Any, installer: Any, locks: Path, default: Index) -> None:
    default.add("sympy", "1.14", ("av",))  # the same name and version, other bytes; the lock has the old hash
    with pytest.raises(module.InstallError, match="uv pip install failed"):
        module.install(installer, "torch", locks, {})


def test_a_dependency_that_is_not_there_is_named_unless_excluded(module: Any, installer: Any, locks: Path, default: Index) -> None:
    default.add("open3d", "0.19", ("dash",))
    (locks / "torch.lock").write_text(default.pin("open3d", "0.19"))
    module.install(installer, "torch", locks, {})
    assert len(installer.missing(set())) == 1
    assert "dash" in installer.missing(set())[0]
    assert installer.missing({"dash"}) == []


def test_what_is_pruned_must_be_there(module: Any, tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    (site / "open3d" / "cuda").mkdir(parents=True)
    (site / "open3d" / "cpu").mkdir()
    module.prune(tmp_path, ["open3d/cuda"])
    assert [path.name for path in (site / "open3d").iterdir()] == ["cpu"]
    with pytest.raises(module.InstallError, match="nothing to remove at open3d/cuda"):
        module.prune(tmp_path, ["open3d/cuda"])


def test_one_more_authority_is_trusted_besides_the_others(module: Any, installer: Any) -> None:
    installer.trust(base64.b64encode(b"-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n").decode())
    bundle = Path(installer.environment["SSL_CERT_FILE"]).read_bytes()
    assert b"ours" in bundle
    assert bundle.startswith(module.SYSTEM_CA.read_bytes())
    assert installer.environment["PIP_CERT"] == installer.environment["SSL_CERT_FILE"]


def test_settings_of_the_machine_do_not_reach_the_build(module: Any, tmp_path: Path) -> None:
    made = module.Installer(tmp_path, tmp_path, {"PIP_FIND_LINKS": "/x", "UV_INDEX_URL": "y", "HTTPS_PROXY": "z"})
    assert "PIP_FIND_LINKS" not in made.environment
    assert "UV_INDEX_URL" not in made.environment
    assert made.environment["HTTPS_PROXY"] == "z"


def test_a_lock_that_cannot_be_read_is_refused(module: Any) -> None:
    with pytest.raises(module.InstallError, match="make lock"):
        module.blocks("--index-url something\n")
