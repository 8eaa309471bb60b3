"""A folder as the zip it is sent as: made twice on the fly, once for its digest and once for sending, so no second copy needs room.

The same files give the same bytes on any machine, so an orchestrator that has them already need not be sent them again.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from genlevel_orchestrator.errors import UserError

CHUNK_BYTES = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)
_TEXT = frozenset((".json", ".jsonl", ".txt", ".csv", ".tsv", ".xml", ".srt", ".vtt"))
# Larger files that shrink a lot look like a zip bomb to the other side; and media do not shrink.
_COMPRESSED_UP_TO = 8 << 20


@dataclass
class Package:
    """What is sent for one path.

    Attributes:
        path: a zip, or a folder.
        left_out: what is no file of the folder: links that lead out of it, and the like.
        size: bytes of the zip.
        sha256: its digest.
    """

    path: Path
    left_out: list[str] = field(default_factory=list)
    size: int = 0
    sha256: str = ""

    @property
    def name(self) -> str:
        """Name of the file as the orchestrator is told it."""
        return (self.path.name or "bundle")[:190] + ("" if self.path.is_file() else ".zip")

    def measure(self) -> Package:
        """Find out size and digest; reads everything once.

        Raises:
            UserError: a file cannot be read, or there is none.
        """
        digest, size = hashlib.sha256(), 0
        for chunk in self.chunks():
            digest.update(chunk)
            size += len(chunk)
        self.size, self.sha256 = size, digest.hexdigest()
        return self

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the zip, at most 1 MiB at a time."""
        try:
            yield from _of_file(self.path) if self.path.is_file() else self._of_folder()
        except (OSError, UnicodeEncodeError) as error:
            raise UserError(f"{self.path} cannot be sent: {error}", "Make its files readable, with names in UTF-8.") from None

    def _of_folder(self) -> Iterator[bytes]:
        self.left_out.clear()
        root = self.path.resolve()
        files = sorted(_files(root, root, "", frozenset([root]), self.left_out))
        if not files:
            raise UserError(f"{self.path}: no file to send", "Give a folder in the General-Bench layout.")
        sink = _Sink()
        with zipfile.ZipFile(sink, "w") as archive:  # type: ignore[call-overload]
            for name, file in files:
                with archive.open(_entry(name, file), "w") as packed, file.open("rb") as source:
                    while block := source.read(CHUNK_BYTES):
                        packed.write(block)
                        yield from sink.full()
        yield from sink.rest()


class _Sink:
    """A file that can only be written to, and hands out what was written."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def full(self) -> Iterator[bytes]:
        """Chunks that are complete."""
        while len(self._waiting) >= CHUNK_BYTES:
            yield bytes(self._waiting[:CHUNK_BYTES])
            del self._waiting[:CHUNK_BYTES]

    def rest(self) -> Iterator[bytes]:
        """All chunks."""
        yield from self.full()
        if self._waiting:
            yield bytes(self._waiting)
            self._waiting.clear()


def _files(root: Path, folder: Path, prefix: str, above: frozenset[Path], left_out: list[str]) -> Iterator[tuple[str, Path]]:
    """Names and places of files; links are followed as far as they stay inside, as they are when a bundle is read in place."""
    for entry in os.scandir(folder):
        name, real = prefix + entry.name, Path(os.path.realpath(entry.path))
        if not real.is_relative_to(root) or real in above:
            left_out.append(name)
        elif real.is_dir():
            yield from _files(root, real, f"{name}/", above | {real}, left_out)
        elif real.is_file():
            yield name, real
        else:
            left_out.append(name)


def _entry(name: str, file: Path) -> zipfile.ZipInfo:
    size = file.stat().st_size
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.file_size = size  # decides whether the entry is written in the form for large files
    small_text = size <= _COMPRESSED_UP_TO and file.suffix.lower() in _TEXT
    entry.compress_type = zipfile.ZIP_DEFLATED if small_text else zipfile.ZIP_STORED
    return entry


def _of_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(CHUNK_BYTES):
            yield block
