"""Zips are checked as a whole before anything is written."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from genlevel_orchestrator.bundle.archive import ArchiveLimits, open_bundle
from genlevel_orchestrator.errors import UserError


def _plain(archive: zipfile.ZipFile) -> None:
    archive.writestr("nlp/task/annotation.json", "[]")


def _link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("nlp/task/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def _device(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("nlp/device")
    entry.external_attr = (stat.S_IFCHR | 0o666) << 16
    archive.writestr(entry, "")


def _twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("nlp/a.json", "1")
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("nlp/a.json", "2")


def _bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("nlp/bomb", b"\0" * (20 << 20), compress_type=zipfile.ZIP_DEFLATED)


def _named(name: str) -> Callable[[zipfile.ZipFile], None]:
    return lambda archive: archive.writestr(name, "x")


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (_named("../outside"), "UNSAFE_NAME"),
        (_named("nlp/../../outside"), "UNSAFE_NAME"),
        (_named("/etc/cron.d/x"), "UNSAFE_NAME"),
        (_named("C:/x"), "UNSAFE_NAME"),
        (_named("nlp\\..\\x"), "UNSAFE_NAME"),
        (_link, "SPECIAL_ENTRY"),
        (_device, "SPECIAL_ENTRY"),
        (_twice, "DUPLICATE_ENTRY"),
        (_bomb, "ZIP_BOMB"),
    ],
)
def test_unsafe_zips_are_refused_whole(tmp_path: Path, write: Callable[[zipfile.ZipFile], None], code: str) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        _plain(archive)
        write(archive)
    with pytest.raises(UserError) as caught:
        open_bundle(path, tmp_path / "work")
    assert [item["code"] for item in caught.value.details] == [code]
    assert not (tmp_path / "work" / "bundle").exists()
    assert not (tmp_path / "outside").exists()


def test_a_plain_zip_is_unpacked_once_into_a_private_folder(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        _plain(archive)
    root = open_bundle(path, tmp_path / "work")
    assert (root / "nlp/task/annotation.json").read_text() == "[]"
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    (root / "mark").touch()
    assert (open_bundle(path, tmp_path / "work") / "mark").exists()


def test_an_interrupted_unpacking_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        _plain(archive)
    (tmp_path / "work/bundle/half").mkdir(parents=True)
    assert not (open_bundle(path, tmp_path / "work") / "half").exists()


def test_all_violations_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        _link(archive)
        archive.writestr("../x", "")
        archive.writestr("/y", "")
    with pytest.raises(UserError) as caught:
        open_bundle(path, tmp_path / "work")
    assert len(caught.value.details) == 3


def test_limits_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5):
            archive.writestr(f"nlp/{number}", b"x" * 100)
    for limits in (ArchiveLimits(entries=3), ArchiveLimits(total_bytes=300)):
        with pytest.raises(UserError):
            open_bundle(path, tmp_path / "work", limits=limits)


def test_a_directory_that_lies_about_sizes_is_caught_while_unpacking(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    content = os.urandom(1000)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nlp/a", content)
    data = bytearray(path.read_bytes())
    central = data.rfind(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 10)  # uncompressed size
    path.write_bytes(bytes(data))
    with pytest.raises(UserError) as caught:
        open_bundle(path, tmp_path / "work")
    assert caught.value.details[0]["code"] in ("ZIP_BOMB", "BAD_ENTRY")
    assert not (tmp_path / "work" / "bundle").exists()


def test_a_damaged_entry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nlp/a", b"x" * 1000)
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(UserError) as caught:
        open_bundle(path, tmp_path / "work")
    assert (caught.value.details[0]["code"], caught.value.details[0]["file"]) == ("BAD_ENTRY", "nlp/a")


def test_what_is_no_zip(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(UserError, match="not a zip file, or cut off"):
        open_bundle(path, tmp_path / "work")
    with pytest.raises(UserError, match="no such bundle"):
        open_bundle(tmp_path / "nothing", tmp_path / "work")
