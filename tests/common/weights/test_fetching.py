"""Fetching: what reaches the cache is what the manifest pins, whole, once, and only from where it may come."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path

import pytest

from genlevel_evaluator.weights import cache as cache_module
from genlevel_evaluator.weights import fetching
from genlevel_evaluator.weights.errors import FetchFailed, WeightsDigestMismatch, WeightsMissing
from genlevel_evaluator.weights.manifest import Source

from .conftest import FakeDownloader, MakeEntry, sha


def quiet(name: str, message: str) -> None:
    """Progress that nobody reads."""


def files_in(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock")


def test_fetch_places_the_file_under_its_digest(cache: Path, make_entry: MakeEntry) -> None:
    entry = make_entry("one", {"w.bin": b"weights"})
    paths = fetching.fetch([entry], quiet)
    assert paths["one"] == cache / "weights" / sha(b"weights") / "w.bin"
    assert paths["one"].read_bytes() == b"weights"
    assert fetching.present(entry)
    assert files_in(cache) == [f"weights/{sha(b'weights')}/w.bin"]


def test_an_entry_of_several_files_is_a_folder(cache: Path, make_entry: MakeEntry) -> None:
    entry = make_entry("two", {"a.json": b"{}", "b.bin": b"bb"})
    folder = fetching.fetch([entry], quiet)["two"]
    assert files_in(folder) == ["a.json", "b.bin"]
    expected = f"{sha(b'{}')}  a.json\n{sha(b'bb')}  b.bin\n".encode()
    assert folder.name == entry.digest == sha(expected)


def test_second_fetch_downloads_nothing(cache: Path, make_entry: MakeEntry, downloader: type[FakeDownloader]) -> None:
    entry = make_entry("one", {"w.bin": b"weights"})
    messages: list[tuple[str, str]] = []
    for _ in range(2):
        fetching.fetch([entry], lambda name, message: messages.append((name, message)))
    assert downloader.brought == ["one"]
    assert messages[-1] == ("one", "present")


def test_a_changed_file_is_named_and_fetched_again(cache: Path, make_entry: MakeEntry) -> None:
    entry = make_entry("one", {"w.bin": b"weights"})
    path = fetching.fetch([entry], quiet)["one"]
    path.write_bytes(b"WEIGHTS")
    with pytest.raises(WeightsDigestMismatch, match=sha(b"WEIGHTS")) as caught:
        fetching.check(entry)
    assert "genlevel weights fetch one" in caught.value.remedy
    assert fetching.fetch([entry], quiet)["one"].read_bytes() == b"weights"


def test_another_archive_is_refused_before_it_is_opened(
    cache: Path, make_entry: MakeEntry, downloader: type[FakeDownloader]
) -> None:
    entry = make_entry("one", {"w.bin": b"weights"})
    downloader.archives["one"].write_bytes(b"this is no zip at all")
    with pytest.raises(WeightsDigestMismatch, match=r"one-1\.whl"):
        fetching.fetch([entry], quiet)
    assert files_in(cache) == []


def test_another_member_is_not_kept(cache: Path, make_entry: MakeEntry) -> None:
    entry = make_entry("one", {"w.bin": b"weights"})
    wrong = dataclasses.replace(entry, files=(dataclasses.replace(entry.files[0], sha256="0" * 64),))
    with pytest.raises(WeightsDigestMismatch, match=r"w\.bin"):
        fetching.fetch([wrong], quiet)
    assert files_in(cache) == []


def test_a_missing_member_is_named(cache: Path, make_entry: MakeEntry) -> None:
    entry = make_entry("one", {"w.bin": b"weights"})
    wrong = dataclasses.replace(entry, files=(dataclasses.replace(entry.files[0], members=("pkg/other.bin",)),))
    with pytest.raises(FetchFailed, match=r"pkg/other\.bin"):
        fetching.fetch([wrong], quiet)


def test_concurrent_fetches_download_once(
    cache: Path, make_entry: MakeEntry, downloader: type[FakeDownloader], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = make_entry("one", {"w.bin": b"weights" * 1000})
    original = downloader.bring

    def slow(self: FakeDownloader, source: Source) -> Path:
        time.sleep(0.2)
        return original(self, source)

    monkeypatch.setattr(downloader, "bring", slow)
    results: list[Path] = []
    threads = [threading.Thread(target=lambda: results.append(fetching.fetch([entry], quiet)["one"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1
    assert len(results) == 4
    assert downloader.brought == ["one"]


def url_entry(make_entry: MakeEntry, digest: str | None) -> tuple[object, bytes]:
    content = b"a checkpoint"
    plain = make_entry("far", {"w.pth": content})
    source = Source("far", "url", "w.pth", digest, len(content), url="https://example.org/w.pth")
    files = (dataclasses.replace(plain.files[0], members=(), sha256=digest),)
    return dataclasses.replace(plain, source=source, files=files), content


def test_urls_are_not_downloaded_unasked(cache: Path, make_entry: MakeEntry, downloader: type[FakeDownloader]) -> None:
    entry, content = url_entry(make_entry, sha(b"a checkpoint"))
    with pytest.raises(FetchFailed, match=r"example\.org") as caught:
        fetching.fetch([entry], quiet)  # type: ignore[list-item]
    assert "--allow-url" in caught.value.remedy
    assert downloader.brought == []
    downloader.archives["far"].write_bytes(content)
    assert fetching.fetch([entry], quiet, allow_url=True)["far"].read_bytes() == content  # type: ignore[list-item]


def test_an_unknown_digest_must_be_given_and_is_remembered(cache: Path, make_entry: MakeEntry, tmp_path: Path) -> None:
    entry, content = url_entry(make_entry, None)
    local = tmp_path / "mine.pth"
    local.write_bytes(content)
    with pytest.raises(FetchFailed, match="SHA-256") as caught:
        fetching.fetch([entry], quiet, allow_url=True)  # type: ignore[list-item]
    assert "--sha256" in caught.value.remedy
    with pytest.raises(WeightsDigestMismatch):
        fetching.fetch([entry], quiet, digests={"far": "1" * 64}, archive=local)  # type: ignore[list-item]
    with pytest.raises(WeightsMissing):
        fetching.check(entry)  # type: ignore[arg-type]
    fetching.fetch([entry], quiet, digests={"far": sha(content)}, archive=local)  # type: ignore[list-item]
    assert fetching.check(entry).read_bytes() == content  # type: ignore[arg-type]
    assert cache_module.read_pins() == {"far": sha(content)}


def test_a_writer_that_fails_leaves_nothing(cache: Path) -> None:
    def blocks() -> object:
        yield b"half"
        raise OSError("disk full")

    target = cache / "weights" / "x" / "w.bin"
    with pytest.raises(OSError, match="disk full"):
        cache_module.write(target, blocks())  # type: ignore[arg-type]
    assert files_in(cache) == []


def test_cache_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GENLEVEL_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_module.cache_root() == tmp_path / "genlevel"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_module.cache_root() == tmp_path / "home" / ".cache" / "genlevel"
