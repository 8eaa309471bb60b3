"""Where the demo's material comes from, and how it is read.

`sources.json` pins packages that are downloaded as archives and read in place, never unpacked whole, imported or
installed (one exception: the speech synthesiser's shared library, see speech.py). `installed.json` pins files of
packages that requirements.lock installs anyway.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import zipfile
from pathlib import Path

from genlevel_evaluator.weights import fetching, manifest

HERE = Path(__file__).parent


class SourceError(Exception):
    """A source of the demo that is missing or not the one pinned."""


@functools.cache
def entries() -> dict[str, manifest.Entry]:
    """Return the packages the demo downloads."""
    return manifest.load(HERE / "sources.json")


def fetch_all(progress: fetching.Progress) -> None:
    """Bring every package into the cache."""
    fetching.fetch(entries().values(), progress)


@functools.cache
def archive(package: str) -> zipfile.ZipFile:
    """Return the verified archive of a package, open for reading."""
    return zipfile.ZipFile(fetching.check(entries()[package]))


@functools.cache
def _names(package: str) -> dict[str, str]:
    """Map each name without its data-folder prefix to the name inside the archive."""
    prefix = "data/share/"
    return {name.rsplit(prefix, 1)[-1]: name for name in archive(package).namelist()}


def read(package: str, member: str) -> bytes:
    """Return the bytes of one file of a package."""
    return archive(package).read(_names(package).get(member, member))


def members(package: str, prefix: str, suffix: str = "") -> list[str]:
    """Return the files of a package under a prefix, sorted."""
    return sorted(n for n in _names(package) if n.startswith(prefix) and n.endswith(suffix) and not n.endswith("/"))


@functools.cache
def _installed_digests() -> dict[str, dict[str, str]]:
    pins: dict[str, dict[str, str]] = json.loads((HERE / "installed.json").read_text(encoding="utf-8"))
    return pins


def read_installed(package: str, member: str) -> bytes:
    """Return the bytes of a data file of an installed package, compared with its pin."""
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        raise SourceError(f"the package {package} is not installed; run `make install`")
    content = (Path(specification.origin).parent / member).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    expected = _installed_digests()[package][member]
    if found != expected:
        raise SourceError(f"{package}/{member} has SHA-256 {found}, demo/installed.json pins {expected}")
    return content
