"""What a file is by its first bytes, so that an error can name it."""

from __future__ import annotations

from dataclasses import dataclass

from genlevel_evaluator.errors import SampleError

_STREAMED = 0x7FFFF000
"""WAV writers that do not know the length put a number near 2^31 or 2^32 in the header."""


_PLAIN, _EXTENSIBLE = 1, 0xFFFE
"""Format tags: whole samples, and those whose header says more; the latter may be floats."""


@dataclass(frozen=True)
class Container:
    """A kind of file that is not read as audio."""

    name: str
    video: bool = False
    sound: bool = False


_SIGNATURES = (
    (0, b"\x1aE\xdf\xa3", Container("a Matroska or WebM container", True, True)),
    (0, b"FLV\x01", Container("a Flash video", True, True)),
    (0, b"\x00\x00\x01\xba", Container("an MPEG video", True, True)),
    (0, b"0&\xb2u\x8ef\xcf\x11", Container("a Windows Media container", True, True)),
    (8, b"AVI ", Container("an AVI video", True, True)),
    (4, b"ftypM4A", Container("an MPEG-4 audio file", False, True)),
    (4, b"ftyp", Container("an MPEG-4 or QuickTime container", True, True)),
    (4, b"moov", Container("a QuickTime container", True, True)),
    (0, b"\x89PNG\r\n", Container("a PNG image")),
    (0, b"\xff\xd8\xff", Container("a JPEG image")),
    (0, b"GIF8", Container("a GIF image")),
    (0, b"PK\x03\x04", Container("a zip archive")),
    (0, b"\x1f\x8b", Container("a gzip archive")),
    (0, b"%PDF", Container("a PDF document")),
    (0, b"\x93NUMPY", Container("a NumPy array")),
    (0, b"MThd", Container("a MIDI file")),
)


def container_of(data: bytes) -> Container | None:
    """The kind of file, when it is one that is certainly not plain audio.

    >>> container_of(b"\\x00\\x00\\x00\\x18ftypisom").name
    'an MPEG-4 or QuickTime container'
    """
    for offset, signature, container in _SIGNATURES:
        if data[offset : offset + len(signature)] == signature:
            return container
    return None


def refuse_truncated_wave(data: bytes, shown: str) -> None:
    """Raises SampleError when a RIFF file ends before its data do; libsndfile would silently read what there is."""
    if data[:4] != b"RIFF":
        return
    place = 12
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if name == b"fmt ":
            _check_depth(data[place + 8 : place + 24], shown)
        if name == b"data":
            there = len(data) - place - 8
            if there < size < _STREAMED:
                raise SampleError(
                    "MEDIA_TRUNCATED", f"{shown} has {there} bytes of sound, its header announces {size}",
                    remedy="copy the file again",
                )
            return
        place += 8 + size + size % 2
    raise SampleError("MEDIA_TRUNCATED", f"{shown} is a WAV file that ends before its sound", remedy="copy the file again")


def _check_depth(fields: bytes, shown: str) -> None:
    """Refuses whole samples of a depth that libsndfile would read as something else, such as 1 bit."""
    tag, bits = int.from_bytes(fields[:2], "little"), int.from_bytes(fields[14:16], "little")
    most = {_PLAIN: 32, _EXTENSIBLE: 64}.get(tag)
    if most and len(fields) == 16 and not 8 <= bits <= most:
        raise SampleError("BAD_BIT_DEPTH", f"{shown} has samples of {bits} bits, 8 to 32 are read", remedy="save it as 16-bit WAV or FLAC")
