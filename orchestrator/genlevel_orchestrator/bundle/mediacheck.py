"""Whether a media file is whole, from its first and last bytes: enough to tell a cut-off copy without decoding anything."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from genlevel_orchestrator.bundle.violations import Fault

_TAIL = 1 << 16


def check_whole(path: Path) -> None:
    """Refuse a file that ends before its own format says.

    Raises:
        Fault: MEDIA_EMPTY or MEDIA_TRUNCATED. Formats that do not tell are let through: the evaluator decodes them anyway.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise Fault("MEDIA_EMPTY", f"{path.name} has no bytes", "copy the file again")
        head = file.read(16)
        for starts, whole in _CHECKS:
            if starts(head):
                if not whole(file, size):
                    raise Fault("MEDIA_TRUNCATED", f"{path.name} is cut off", "copy the file again")
                return


def _tail(file: BinaryIO, size: int, count: int = _TAIL) -> bytes:
    file.seek(max(0, size - count))
    return file.read(count)


def _png(file: BinaryIO, size: int) -> bool:
    return b"IEND\xaeB`\x82" in _tail(file, size)


def _jpeg(file: BinaryIO, size: int) -> bool:
    return b"\xff\xd9" in _tail(file, size)


def _gif(file: BinaryIO, size: int) -> bool:
    return b";" in _tail(file, size, 1024)


def _zip(file: BinaryIO, size: int) -> bool:
    return b"PK\x05\x06" in _tail(file, size, _TAIL + 22)


def _riff(file: BinaryIO, size: int) -> bool:
    file.seek(4)
    (announced,) = struct.unpack("<I", file.read(4))
    # Writers that cannot seek leave 0 or the largest number.
    return announced in (0, 0xFFFFFFFF) or size >= announced + 8


def _boxes(file: BinaryIO, size: int) -> bool:
    """ISO media (mp4, mov): the boxes at the top follow one another to the end."""
    place = 0
    while place < size:
        file.seek(place)
        header = file.read(16)
        if len(header) < 8:
            return False
        (length,) = struct.unpack(">I", header[:4])
        if length == 0:
            return True
        if length == 1:
            if len(header) < 16:
                return False
            (length,) = struct.unpack(">Q", header[8:16])
        if length < 8:
            return True  # not what we know; the decoder shall decide
        place += length
    return place == size


def _ebml(file: BinaryIO, size: int) -> bool:
    return size > 64


_CHECKS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO, int], bool]], ...] = (
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda head: head.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda head: head.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda head: head.startswith(b"PK\x03\x04"), _zip),
    (lambda head: head.startswith(b"RIFF"), _riff),
    (lambda head: head[4:8] == b"ftyp", _boxes),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), _ebml),
)
