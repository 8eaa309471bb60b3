"""A cache of its own for each test, and entries whose archives are made on the spot."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from genlevel_evaluator.weights import fetching
from genlevel_evaluator.weights.manifest import Entry, File, Source

MakeEntry = Callable[..., Entry]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(folder))
    return folder


class FakeDownloader:
    """Hands out local archives and counts how often."""

    archives: dict[str, Path]
    brought: list[str]

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def bring(self, source: Source) -> Path:
        type(self).brought.append(source.id)
        return type(self).archives[source.id]


@pytest.fixture
def downloader(monkeypatch: pytest.MonkeyPatch) -> type[FakeDownloader]:
    """Replaces the network."""
    fake = type("Fake", (FakeDownloader,), {"archives": {}, "brought": []})
    monkeypatch.setattr(fetching, "Downloader", fake)
    return fake


def sha(content: bytes) -> str:
    """SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def make_entry(tmp_path: Path, downloader: type[FakeDownloader]) -> MakeEntry:
    """Make an entry of one or more files from a zip that holds them."""

    def make(name: str, contents: dict[str, bytes], **changes: object) -> Entry:
        archive = tmp_path / f"{name}-1.whl"
        with zipfile.ZipFile(archive, "w") as bundle:
            for member, content in contents.items():
                bundle.writestr(f"pkg/{member}", content)
        source = Source(name, "pypi", archive.name, sha(archive.read_bytes()), archive.stat().st_size, name, "1")
        downloader.archives[name] = archive
        files = tuple(File(m, (f"pkg/{m}",), sha(c), len(c)) for m, c in contents.items())
        settings = {"source": source, "files": files} | changes
        return Entry(name=name, architecture="a", role="r", reference=True, licence="l", preprocessing="p", **settings)  # type: ignore[arg-type]

    return make
