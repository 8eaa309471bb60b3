"""Archives: members are read by name; nothing in an archive decides where a file lands."""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from genlevel_evaluator.weights import archives


def tar_of(path: Path, members: list[tarfile.TarInfo], content: bytes = b"abc", mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as bundle:  # type: ignore[call-overload]
        for member in members:
            member.size = len(content) if member.isreg() else 0
            bundle.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../b", "..", "a\\b", "", "a\0b"])
def test_forbidden_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(archives.ArchiveError, match="not allowed"):
        archives.extract(tmp_path / "x.whl", {name: tmp_path / "out"})


def test_members_outside_the_wish_are_not_written(tmp_path: Path) -> None:
    archive = tmp_path / "evil.whl"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("../../escaped.txt", "x")
        bundle.writestr("good.txt", "good")
    archives.extract(archive, {"good.txt": tmp_path / "inside" / "out.txt"})
    assert (tmp_path / "inside" / "out.txt").read_text() == "good"
    assert not list(tmp_path.rglob("escaped.txt"))


def test_links_are_refused_in_tar_and_zip(tmp_path: Path) -> None:
    link = tarfile.TarInfo("w.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(archives.ArchiveError, match="plain file"):
        archives.extract(tar_of(tmp_path / "a.tar.gz", [link]), {"w.bin": tmp_path / "out"})
    info = zipfile.ZipInfo("w.bin")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as bundle:
        bundle.writestr(info, "/etc/passwd")
    with pytest.raises(archives.ArchiveError, match="plain file"):
        archives.extract(tmp_path / "a.whl", {"w.bin": tmp_path / "out"})


def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    twice = [tarfile.TarInfo("w.bin"), tarfile.TarInfo("w.bin")]
    with pytest.raises(archives.ArchiveError, match="plain file"):
        archives.extract(tar_of(tmp_path / "a.tar.gz", twice), {"w.bin": tmp_path / "out"})


def test_sdist_and_listing(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "p-1.tar.gz", [tarfile.TarInfo("p-1/w.bin"), tarfile.TarInfo("p-1/setup.py")])
    archives.extract(archive, {"p-1/w.bin": tmp_path / "out"})
    assert (tmp_path / "out").read_bytes() == b"abc"
    assert list(archives.names(archive)) == ["p-1/setup.py", "p-1/w.bin"]


def test_too_large_a_member_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER", 2)
    archive = tar_of(tmp_path / "a.tar.gz", [tarfile.TarInfo("w.bin")])
    with pytest.raises(archives.ArchiveError, match="at most 2"):
        archives.extract(archive, {"w.bin": tmp_path / "out"})


@pytest.mark.parametrize("compression", ["xz", "gz"])
def test_debian_package(tmp_path: Path, compression: str) -> None:
    plain = tar_of(tmp_path / "data.tar", [tarfile.TarInfo("./usr/share/x/w.bin")], mode="w").read_bytes()
    if compression == "xz":
        body = lzma.compress(plain)
    else:
        body = tar_of(tmp_path / "d.tar.gz", [tarfile.TarInfo("./usr/share/x/w.bin")]).read_bytes()
    package = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0\n"), (f"data.tar.{compression}", body)):
        package += (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2)
        )
    archive = tmp_path / "x_1_all.deb"
    archive.write_bytes(package)
    archives.extract(archive, {"usr/share/x/w.bin": tmp_path / "out"})
    assert (tmp_path / "out").read_bytes() == b"abc"


@pytest.mark.parametrize("name", ["a.whl", "a.tar.gz", "a.deb"])
def test_rubbish_is_an_error_with_the_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"rubbish" * 50)
    with pytest.raises(archives.ArchiveError, match=name):
        archives.extract(tmp_path / name, {"w.bin": tmp_path / "out"})
