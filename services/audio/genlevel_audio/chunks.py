"""Files that end before their sound does, by what their headers announce: libsndfile would silently read what there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.errors import SampleError

_STREAMED = 0x7EFFF000
"""Writers that do not know the length put a number near 2^31 or 2^32 in the header."""
_OPEN = 0xFFFFFFFF

_PLAIN, _EXTENSIBLE = 1, 0xFFFE
"""Format tags: whole samples, and those whose header says more; the latter may be floats."""


@dataclass(frozen=True)
class _Layout:
    """How a kind of file cuts itself into chunks.

    Attributes:
        name: as an error says it.
        first: where the chunks begin.
        identifier: bytes of a chunk's name; likewise `size`, those of its length.
        order: of the bytes of numbers.
        sound: how the name of the chunk of sound begins.
        step: chunks begin at multiples of it.
        whole: whether a chunk's length counts its own name and length.
    """

    name: str
    first: int
    identifier: int
    size: int
    order: Literal["little", "big"]
    sound: bytes = b"data"
    step: int = 2
    whole: bool = False

    @property
    def streamed(self) -> int:
        """Lengths from here on say that the writer did not know."""
        return _STREAMED if self.size == 4 else 1 << 62


_WAVE = _Layout("WAV", 12, 4, 4, "little")
_AIFF = _Layout("AIFF", 12, 4, 4, "big", b"SSND")
_LAYOUTS = {
    (b"RIFF", b"WAVE"): _WAVE,
    (b"RIFX", b"WAVE"): _Layout("WAV", 12, 4, 4, "big"),
    (b"RF64", b"WAVE"): _Layout("RF64", 12, 4, 4, "little"),
    (b"BW64", b"WAVE"): _Layout("BW64", 12, 4, 4, "little"),
    (b"FORM", b"AIFF"): _AIFF,
    (b"FORM", b"AIFC"): _AIFF,
}
_BY_START = {b"RIFF": _WAVE, b"riff": _Layout("W64", 40, 16, 8, "little", step=8, whole=True), b"caff": _Layout("CAF", 8, 4, 8, "big", step=1)}


def refuse_truncated(data: bytes, shown: str) -> None:
    """Raises SampleError when a WAV, RF64, W64, AIFF, CAF or AU file ends before its sound does, or an OGG file inside a page."""
    if data[:4] == b"OggS":
        _check_pages(data, shown)
        return
    if data[:4] == b".snd":
        _check_sound(data, int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big"), _STREAMED, shown)
        return
    layout = _LAYOUTS.get((data[:4], data[8:12])) or _BY_START.get(data[:4])
    if layout is None:
        return
    wide = 0
    for name, start, size in _chunks(data, layout):
        if name == b"fmt " and layout.order == "little":
            _check_depth(data[start : start + 16], shown)
        if name == b"ds64":
            wide = int.from_bytes(data[start + 8 : start + 16], "little")
        if name.startswith(layout.sound):
            known = (wide, 1 << 62) if wide and size == _OPEN else (size, layout.streamed)
            _check_sound(data, start, *known, shown)
            return
    raise SampleError("MEDIA_TRUNCATED", f"{shown} is a {layout.name} file that ends before its sound", remedy="copy the file again")


def _chunks(data: bytes, layout: _Layout) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of what each chunk holds."""
    place, head = layout.first, layout.identifier + layout.size
    while place + head <= len(data):
        size = int.from_bytes(data[place + layout.identifier : place + head], layout.order)
        size = max(0, size - head) if layout.whole else size
        yield data[place : place + layout.identifier], place + head, size
        place += head + size
        place += -place % layout.step


def _check_sound(data: bytes, start: int, size: int, streamed: int, shown: str) -> None:
    there = max(0, len(data) - start)
    if there < size < streamed:
        raise SampleError(
            "MEDIA_TRUNCATED", f"{shown} has {there} bytes of sound, its header announces {size}", remedy="copy the file again"
        )


def _check_pages(data: bytes, shown: str) -> None:
    """Refuses an OGG file whose last page is cut; one that ends between pages may be the recording of a stream."""
    place = 0
    while data[place : place + 4] == b"OggS":
        body = place + 27 + (data[place + 26] if place + 26 < len(data) else 0)
        place = body + sum(data[place + 27 : body])
        if place > len(data):
            raise SampleError("MEDIA_TRUNCATED", f"{shown} ends inside a page of its sound, at byte {len(data)}", remedy="copy the file again")


def _check_depth(fields: bytes, shown: str) -> None:
    """Refuses whole samples of a depth that libsndfile would read as something else, such as 1 bit."""
    tag, bits = int.from_bytes(fields[:2], "little"), int.from_bytes(fields[14:16], "little")
    most = {_PLAIN: 32, _EXTENSIBLE: 64}.get(tag)
    if most and len(fields) == 16 and not 8 <= bits <= most:
        raise SampleError("BAD_BIT_DEPTH", f"{shown} has samples of {bits} bits, 8 to 32 are read", remedy="save it as 16-bit WAV or FLAC")
