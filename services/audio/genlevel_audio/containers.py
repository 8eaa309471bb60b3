"""What a file is by its first bytes, so that an error can name it."""

from __future__ import annotations

from dataclasses import dataclass


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
