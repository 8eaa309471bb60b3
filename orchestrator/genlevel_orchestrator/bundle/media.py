"""Media files of a bundle: found below their root, never through ``..`` or a link."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from genlevel_orchestrator.bundle.fields import fields
from genlevel_orchestrator.bundle.violations import Fault

INLINE_LIMIT = 1 << 20
"""Largest file given in place, in bytes."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class MediaFile:
    """A media file that was found: ``path`` or ``data`` holds it.

    Attributes:
        name: name a person knows it by, relative to the bundle.
    """

    name: str
    sha256: str
    size: int
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class MediaFolder:
    """A folder of frames, in order of name; numbers in names count as numbers."""

    files: tuple[MediaFile, ...]


@dataclass(frozen=True)
class MediaBase:
    """Where the paths of one side of a task start.

    Attributes:
        root: nothing outside it is read.
        folder: the folder below it of the JSON file that names the media.
        hashed: whether files are read for their digest.
    """

    root: Path
    folder: Path
    hashed: bool = True

    def unhashed(self) -> MediaBase:
        """The same without reading files."""
        return replace(self, hashed=False)

    def locate(self, text: str) -> Path:
        """The file that a path in a sample means.

        Raises:
            Fault: MEDIA_OUTSIDE_ROOT, MEDIA_SYMLINK, MEDIA_MISSING or MEDIA_EMPTY.
        """
        relative = _relative(text)
        # Some annotations lie in a folder json/ of their task and name media as if they did not.
        starts = (self.folder, self.folder.parent) if self.folder.name == "json" else (self.folder,)
        tried = [start / folder / relative for start in starts for folder in fields().media_folders]
        tried += [start / tail for start in starts for tail in _tails(relative, start.name)]
        for path in map(_plain, tried):
            if not path.is_relative_to(self.root):
                raise _outside(text)
            if os.path.lexists(path):
                _check(path, self.root, text)
                return path
        raise Fault(
            "MEDIA_MISSING", f"there is no file {text!r}", "add the file, or correct the path, which is relative to the JSON file"
        )

    def open(self, value: Any, folders: bool = False) -> MediaFile | MediaFolder:
        """What a path or an object with ``name`` and ``base64`` means; a folder only where ``folders`` allows.

        Raises:
            Fault: as ``locate``; BAD_BASE64.
        """
        if not isinstance(value, str):
            return inline(value)
        path = self.locate(value)
        if not path.is_dir():
            return self._file(path)
        frames = [child for child in sorted(path.iterdir(), key=_natural) if child.suffix.lower() in fields().frame_endings] if folders else []
        if not frames:
            what = "is a folder without frames" if folders else "is a folder, not a file"
            raise Fault("MEDIA_MISSING", f"{value!r} {what}", "name a file, or a folder of PNG, JPEG or BMP frames")
        for child in frames:
            _check(child, self.root, str(child.relative_to(self.folder)))
        return MediaFolder(tuple(self._file(child) for child in frames))

    def _file(self, path: Path) -> MediaFile:
        size, digest = digest_of(path) if self.hashed else (path.stat().st_size, "")
        return MediaFile(str(path.relative_to(self.root)), digest, size, path=path)


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Frame 2 comes before frame 10, with zeros in front of it or without."""
    parts = re.split(r"([0-9]+)", path.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name


def _tails(relative: PurePosixPath, name: str) -> list[PurePosixPath]:
    """What follows the task's own folder, or begins with a folder of media, in a path that was written from somewhere higher up."""
    parts = relative.parts
    own = [index + 1 for index, part in enumerate(parts[:-1]) if part == name]
    media = [index for index, part in enumerate(parts[:-1]) if index and part in fields().media_folders]
    return [PurePosixPath(*parts[index:]) for index in own + media]


def inline(value: Mapping[str, Any]) -> MediaFile:
    """The bytes of ``{"name", "base64"}``.

    Raises:
        Fault: BAD_BASE64.
    """
    try:
        data = base64.b64decode(value["base64"], validate=True)
    except (binascii.Error, ValueError):
        raise Fault("BAD_BASE64", "the value of `base64` is not base64", "encode the file's bytes without line breaks") from None
    if len(data) > INLINE_LIMIT:
        raise Fault("MEDIA_TOO_LARGE", f"{len(data)} bytes inline, at most {INLINE_LIMIT}", "put the file into the bundle and give its path")
    if not data:
        raise Fault("MEDIA_EMPTY", "the inline file has no bytes", "give the file's content")
    name = value.get("name")
    return MediaFile(name if isinstance(name, str) else "inline", hashlib.sha256(data).hexdigest(), len(data), data=data)


def _relative(text: str) -> PurePosixPath:
    path = PurePosixPath(text.replace("\\", "/"))
    drive = len(text) > 1 and text[1] == ":"
    if not text or "\0" in text or "://" in text or drive or path.is_absolute():
        raise _outside(text)
    return path


def _outside(text: str) -> Fault:
    return Fault(
        "MEDIA_OUTSIDE_ROOT", f"{text!r} leads out of the bundle", "write a relative path, and put the file into the bundle"
    )


def _plain(path: Path) -> Path:
    """The path without ``..``, taken literally: links are refused, so nothing else can be meant."""
    return Path(os.path.normpath(path))


def _check(path: Path, root: Path, text: str) -> None:
    here = root
    for part in path.relative_to(root).parts:
        here = here / part
        if here.is_symlink():
            raise Fault("MEDIA_SYMLINK", f"{text!r} leads through a link", "put the file itself into the bundle")
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return
    if not stat.S_ISREG(status.st_mode):
        raise Fault("MEDIA_MISSING", f"{text!r} is neither a file nor a folder", "put a regular file there")
    if status.st_size == 0:
        raise Fault("MEDIA_EMPTY", f"{text!r} has no bytes", "copy the file again")


def digest_of(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file.

    Raises:
        Fault: MEDIA_MISSING when it cannot be read.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise Fault("MEDIA_MISSING", f"{path.name}: {error.strerror or error}", "make the file readable") from None
    return size, digest.hexdigest()
