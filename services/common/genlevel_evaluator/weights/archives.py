"""Read named members of a wheel, sdist, npm tarball or Debian package, without unpacking the rest.

Nothing of an archive is ever imported, installed or run. Members are asked for by name and written under names we
choose, so a path inside an archive never decides where a file lands; links and special files are refused.
"""

from __future__ import annotations

import io
import lzma
import shutil
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO, cast

MAX_MEMBER = 1 << 30


class ArchiveError(Exception):
    """An archive that is not what the manifest says."""


def check_member(name: str) -> None:
    """Refuse names that are absolute, climb out or hide behind a back slash."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        raise ArchiveError(f"member {name!r} has a path that is not allowed")


def _copy(stream: IO[bytes], size: int, name: str, target: Path) -> None:
    if size > MAX_MEMBER:
        raise ArchiveError(f"member {name!r} has {size} bytes, at most {MAX_MEMBER} are allowed")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as sink:
        shutil.copyfileobj(stream, sink, 1 << 20)
    if target.stat().st_size != size:
        raise ArchiveError(f"member {name!r} is truncated")


def _from_zip(archive: Path, wanted: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    with zipfile.ZipFile(archive) as bundle:
        for info in bundle.infolist():
            target = wanted.get(info.filename)
            if target is None:
                continue
            mode = info.external_attr >> 16
            if info.is_dir() or (mode & 0o170000) == 0o120000 or info.filename in found:
                raise ArchiveError(f"member {info.filename!r} is not one plain file")
            with bundle.open(info) as stream:
                _copy(stream, info.file_size, info.filename, target)
            found.add(info.filename)
    return found


def _from_tar(stream: IO[bytes], wanted: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    with tarfile.open(fileobj=stream, mode="r|*") as bundle:
        for info in bundle:
            name = info.name.removeprefix("./")
            target = wanted.get(name)
            if target is None:
                continue
            content = bundle.extractfile(info) if info.isreg() else None
            if content is None or name in found:
                raise ArchiveError(f"member {name!r} is not one plain file")
            _copy(content, info.size, name, target)
            found.add(name)
    return found


def _debian_data(archive: Path) -> IO[bytes]:
    """Return the data tarball of a Debian package (an `ar` archive), decompressed where tarfile could not."""
    content = archive.read_bytes()
    if content[:8] != b"!<arch>\n":
        raise ArchiveError(f"{archive.name} is not a Debian package")
    offset = 8
    while offset + 60 <= len(content):
        header = content[offset : offset + 60]
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        body = content[offset + 60 : offset + 60 + size]
        if name == "data.tar.xz":
            return io.BytesIO(lzma.decompress(body))
        if name in ("data.tar", "data.tar.gz", "data.tar.bz2"):
            return io.BytesIO(body)
        offset += 60 + size + size % 2
    raise ArchiveError(f"{archive.name} has no data tarball in a form that can be read here")


def extract(archive: Path, wanted: dict[str, Path]) -> None:
    """Write each member named in `wanted` to its path.

    Raises:
        ArchiveError: a member is missing, twice there, not a plain file, too large, or has a forbidden name.
    """
    for name in wanted:
        check_member(name)
    try:
        found = _extract(archive, wanted)
    except (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise ArchiveError(f"{archive.name} cannot be read: {error}") from error
    missing = sorted(set(wanted) - found)
    if missing:
        raise ArchiveError(f"{archive.name} has no member {missing[0]!r} ({len(missing)} missing)")


def _extract(archive: Path, wanted: dict[str, Path]) -> set[str]:
    if zipfile.is_zipfile(archive):
        return _from_zip(archive, wanted)
    if archive.suffix == ".deb":
        return _from_tar(_debian_data(archive), wanted)
    with archive.open("rb") as stream:
        return _from_tar(cast(IO[bytes], stream), wanted)


def names(archive: Path) -> Iterable[str]:
    """Return the names of the plain files of a zip or tar archive, sorted."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as bundle:
            return sorted(info.filename for info in bundle.infolist() if not info.is_dir())
    with tarfile.open(archive) as tarball:
        return sorted(info.name for info in tarball.getmembers() if info.isreg())
