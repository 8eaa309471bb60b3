"""The manifest: which weights exist, where they come from and what their bytes must be.

A manifest is JSON with two tables. `sources` names archives (a package of a registry, or a URL) with the SHA-256
of the archive; `entries` names weights, each made of members of one source, with the SHA-256 of each file. The demo
bundle keeps a manifest of its own in the same form (demo/sources.json), where an entry is a folder of media.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("pypi", "npm", "deb", "url")


@dataclass(frozen=True)
class Source:
    """One archive, or one file behind a URL.

    Args:
        kind: pypi, npm, deb or url.
        sha256: of the archive. None only for a URL whose digest no public source states.
        size: bytes to download.
    """

    id: str
    kind: str
    artifact: str
    sha256: str | None
    size: int
    package: str = ""
    version: str = ""
    url: str = ""

    @property
    def packaged(self) -> bool:
        """Whether a package registry ships it, so that `fetch` may bring it unasked."""
        return self.kind != "url"


@dataclass(frozen=True)
class File:
    """One file of an entry: its name in the cache, the members it is made of, its digest."""

    name: str
    members: tuple[str, ...]
    sha256: str | None
    size: int


@dataclass(frozen=True)
class Entry:
    """Weights under one name."""

    name: str
    source: Source
    files: tuple[File, ...]
    architecture: str
    role: str
    reference: bool
    licence: str
    preprocessing: str
    conversion: str = ""
    converter: str = ""
    note: str = ""

    @property
    def available(self) -> bool:
        """Whether packages ship it: then `fetch` brings it without being asked for by URL."""
        return self.source.packaged

    @property
    def digest(self) -> str | None:
        """Digest that identifies the weights in signatures: of the file, or of the list of files."""
        digests = [file.sha256 for file in self.files]
        if None in digests:
            return None
        if len(self.files) == 1:
            return digests[0]
        lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(self.files, key=lambda f: f.name))
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes in the cache."""
        return sum(file.size for file in self.files)


def _check_digest(where: str, digest: str | None, faults: list[str]) -> None:
    if digest is not None and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        faults.append(f"{where}: sha256 is not 64 lower-case hexadecimal digits")


def _source(identifier: str, raw: Mapping[str, Any], faults: list[str]) -> Source:
    source = Source(id=identifier, **raw)
    _check_digest(f"/sources/{identifier}", source.sha256, faults)
    if source.kind not in KINDS:
        faults.append(f"/sources/{identifier}: kind {source.kind!r} is not one of {', '.join(KINDS)}")
    if source.packaged and source.sha256 is None:
        faults.append(f"/sources/{identifier}: a package needs the SHA-256 of its archive")
    if (source.kind == "url") != bool(source.url):
        faults.append(f"/sources/{identifier}: exactly the sources of kind url carry a url")
    if source.packaged and not (source.package and source.version):
        faults.append(f"/sources/{identifier}: a package needs its name and version")
    return source


def _entry(name: str, raw: dict[str, Any], sources: Mapping[str, Source], faults: list[str]) -> Entry | None:
    body = dict(raw)
    where = f"/entries/{name}"
    source = sources.get(body.pop("source"))
    if source is None:
        faults.append(f"{where}: source {raw['source']!r} is not in the table of sources")
        return None
    files = tuple(
        File(str(f["name"]), tuple(f.get("members", ())), f["sha256"], int(f["size"]))
        for f in body.pop("files")
    )
    for file in files:
        _check_digest(f"{where}/{file.name}", file.sha256, faults)
        if "/" in file.name or file.name in ("", ".", ".."):
            faults.append(f"{where}: {file.name!r} is not a plain file name")
        if file.sha256 is None and source.packaged:
            faults.append(f"{where}/{file.name}: a packaged file needs its SHA-256")
    if len({file.name for file in files}) != len(files) or not files:
        faults.append(f"{where}: needs files with different names")
    return Entry(name=name, source=source, files=files, **body)


def parse(text: str, origin: str) -> dict[str, Entry]:
    """Read a manifest; every fault is reported at once in one ValueError."""
    faults: list[str] = []
    raw = json.loads(text)
    sources = {key: _source(key, value, faults) for key, value in raw["sources"].items()}
    entries: dict[str, Entry] = {}
    for name, value in raw["entries"].items():
        entry = _entry(name, value, sources, faults)
        if entry is not None:
            entries[name] = entry
    if faults:
        raise ValueError(f"{origin} has {len(faults)} faults:\n" + "\n".join(faults))
    return entries


def load(path: Path) -> dict[str, Entry]:
    """Read the manifest in `path`."""
    return parse(path.read_text(encoding="utf-8"), str(path))
