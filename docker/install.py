"""Runs inside an image build: puts a lock's packages into /opt/genlevel and leaves nothing else behind.

uv comes from its own pinned wheel into a temporary folder. What the parent image's locks already brought is not installed again,
so a lock may name all that an image holds and its layer still has only the difference.

    python install.py IMAGE [--excludes NAMES] [--prune PATHS]      (names and paths are separated by spaces)

Environment: INDEX_URL (package index; the default one when empty), EXTRA_CA (PEM, base64: trusted besides the system's
authorities), FLAVOUR (gpu or cpu), TORCH_INDEX_URL (index of the CPU builds of torch).
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path("/usr/share/genlevel/build")
LOCKS = Path("/usr/share/genlevel/locks")
SCRATCH = Path("/tmp/genlevel-install")
SYSTEM_CA = Path("/etc/ssl/certs/ca-certificates.crt")
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")
# What only a GPU build of torch brings: the CPU build names none of them.
GPU_ONLY = re.compile(r"^(nvidia-|cuda-|triton$)")


class InstallError(Exception):
    """The installation cannot go on; the message says the remedy."""


def normal(name: str) -> str:
    """The form in which names of packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def blocks(text: str) -> dict[str, str]:
    """By package: its lines in a lock."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith((" ", "\t")):
            found[next(reversed(found))] += line + "\n"
        elif line.strip() and not line.startswith("#"):
            name = NAME.match(line)
            if name is None:
                raise InstallError(f"cannot read the line {line!r} of a lock: compile it again with `make lock`")
            found[normal(name[1])] = line + "\n"
    return found


def version(block: str) -> str:
    """Version of a pin, without a local part.

    >>> version("torch==2.11.0 --hash=sha256:00")
    '2.11.0'
    """
    return re.split(r"[\s;\\+]", block.split("==", 1)[1], maxsplit=1)[0]


def without_gpu(lock: dict[str, str], torch: dict[str, str]) -> dict[str, str]:
    """The lock for the CPU flavour: torch as the other index has it, and none of the GPU's libraries."""
    kept = {name: block for name, block in lock.items() if not GPU_ONLY.match(name)}
    return kept | {"torch": torch["torch"]} if "torch" in kept else kept


class Installer:
    """uv in a temporary folder, and the settings of this build."""

    def __init__(self, venv: Path, scratch: Path, environment: dict[str, str]) -> None:
        self.venv, self.scratch = venv, scratch
        self.environment = {key: value for key, value in environment.items() if not key.startswith(("UV_", "PIP_"))}
        self.environment |= {"UV_CACHE_DIR": str(scratch / "cache"), "UV_SYSTEM_CERTS": "1", "UV_NO_PROGRESS": "1",
                             "UV_HTTP_TIMEOUT": "300", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}  # fmt: skip
        self.index = environment.get("INDEX_URL", "")
        self.uv = scratch / "uv" / "bin" / "uv"

    def run(self, *command: str | Path, text: str | None = None) -> str:
        """Output of a command; what it says on standard error goes to the build's log."""
        done = subprocess.run([str(part) for part in command], env=self.environment, input=text, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(done.stdout, file=sys.stderr)
            raise InstallError(f"{Path(command[0]).name} {command[1]} {command[2]} failed: see the lines above")
        return done.stdout

    def trust(self, extra: str) -> None:
        """Trust one more authority while this runs."""
        bundle = self.scratch / "authorities.pem"
        known = SYSTEM_CA.read_bytes() if SYSTEM_CA.exists() else b""
        bundle.write_bytes(known + b"\n" + base64.b64decode(extra))
        self.environment |= {"SSL_CERT_FILE": str(bundle), "PIP_CERT": str(bundle)}

    def get_uv(self, pinned: Path) -> None:
        """uv, by hash, from its wheel."""
        self.run(sys.executable, "-m", "venv", self.scratch / "uv")
        index = ["--index-url", self.index] if self.index else []
        self.run(self.scratch / "uv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes", *index, "-r", pinned)

    def cpu_torch(self, lock: dict[str, str], index: str) -> dict[str, str]:
        """The same version of torch in its CPU build, with the hashes that its index gives."""
        if not index:
            raise InstallError("FLAVOUR=cpu needs TORCH_INDEX_URL: the index that has the CPU builds of torch (--torch-index-url)")
        wanted = f"torch=={version(lock['torch'])}+cpu"
        compiled = self.run(self.uv, "pip", "compile", "--quiet", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate",
                            "--no-emit-index-url", "--python", sys.executable, "--default-index", index, "-", text=wanted + "\n")  # fmt: skip
        found = blocks(compiled)
        if "--hash=" not in found["torch"]:
            raise InstallError(f"the index of TORCH_INDEX_URL gives no hash of {wanted}: use one that does")
        return found

    def install(self, lock: dict[str, str], index: str) -> None:
        """Into the virtual environment, which is made when it is not there."""
        if not lock:
            return
        if not self.venv.exists():
            self.run(self.uv, "venv", "--quiet", "--python", sys.executable, self.venv)
        given = self.scratch / "wanted.txt"
        given.write_text("".join(lock.values()), encoding="utf-8")
        self.run(self.uv, "pip", "install", "--quiet", "--python", self.venv / "bin" / "python", "--no-deps", "--require-hashes",
                 "--compile-bytecode", *(["--default-index", index] if index else []), "-r", given)  # fmt: skip

    def missing(self, excludes: set[str]) -> list[str]:
        """Dependencies that are not installed, apart from those excluded."""
        command = [str(self.uv), "pip", "check", "--python", str(self.venv / "bin" / "python")]
        said = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        lines = [line for line in said.stderr.splitlines() if line.startswith("The package")]
        if said.returncode and not lines:
            raise InstallError(f"uv pip check failed: {said.stderr}")
        return [line for line in lines if not any(f"requires `{name}" in line for name in excludes)]


def parents(locks: Path, image: str) -> set[str]:
    """Packages that the images below have installed already."""
    return {name for path in locks.glob("*.lock") if path.stem != image for name in blocks(path.read_text(encoding="utf-8"))}


def install(installer: Installer, image: str, locks: Path, environment: dict[str, str]) -> None:
    """Install the difference between an image's lock and its parents'; write down what a CPU build changed."""
    path = locks / f"{image}.lock"
    full = blocks(path.read_text(encoding="utf-8"))
    have = parents(locks, image)
    torch_index = environment.get("TORCH_INDEX_URL", "")
    flavour = environment.get("FLAVOUR", "gpu") or "gpu"
    if flavour not in ("gpu", "cpu"):
        raise InstallError(f"FLAVOUR={flavour}: write gpu or cpu")
    apart: dict[str, str] = {}
    if flavour == "cpu" and "torch" in full:
        torch = {"torch": full["torch"]} if "torch" in have else installer.cpu_torch(full, torch_index)
        full = without_gpu(full, torch)
        path.write_text(f"# Image {image}, CPU flavour\n" + "".join(full.values()), encoding="utf-8")
        apart = {name: block for name, block in torch.items() if name not in have}
    wanted = {name: block for name, block in full.items() if name not in have and name not in apart}
    installer.install(apart, torch_index)
    installer.install(wanted, installer.index)


def prune(venv: Path, paths: list[str]) -> None:
    """Remove parts of packages that the image has no use for."""
    for name in paths:
        folders = list(venv.glob(f"lib/python*/site-packages/{name}"))
        if not folders:
            raise InstallError(f"nothing to remove at {name}: correct `prune` in docker/images.toml")
        for folder in folders:
            shutil.rmtree(folder)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Install a lock into an image.")
    parser.add_argument("image")
    parser.add_argument("--venv", type=Path, default=Path("/opt/genlevel"))
    parser.add_argument("--excludes", default="", type=str)
    parser.add_argument("--prune", default="", type=str)
    given = parser.parse_args()
    environment = dict(os.environ)
    SCRATCH.mkdir()
    try:
        installer = Installer(given.venv, SCRATCH, environment)
        if environment.get("EXTRA_CA"):
            installer.trust(environment["EXTRA_CA"])
        installer.get_uv(HERE / "uv.txt")
        install(installer, given.image, LOCKS, environment)
        prune(given.venv, given.prune.split())
        absent = installer.missing(set(given.excludes.split()))
        if absent:
            raise InstallError("; ".join(absent))
    except InstallError as error:
        print(f"install.py: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(SCRATCH)
        (given.venv / ".lock").unlink(missing_ok=True)  # uv's own, which everybody may write
    return 0


if __name__ == "__main__":
    sys.exit(main())
