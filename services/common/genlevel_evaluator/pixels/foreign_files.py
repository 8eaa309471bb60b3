"""What a file is that is no picture we read, by its first bytes, so that its issue can say so."""

from __future__ import annotations

_BRANDS = {b"heic": "a HEIC", b"heix": "a HEIC", b"hevc": "a HEIC", b"mif1": "a HEIF", b"msf1": "a HEIF", b"avif": "an AVIF", b"avis": "an AVIF"}
_HEADS = (
    (b"GIF87a", "a GIF"), (b"GIF89a", "a GIF"), (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"), (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"), (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"), (b"8BPS", "a Photoshop file"), (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive (or .npz)"), (b"\x93NUMPY", "a NumPy array, which its ending .npy must say"), (b"\x1f\x8b", "a gzip archive"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"), (b"#?RADIANCE", "a Radiance picture"), (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (b"P1", "a PBM"), (b"P2", "a PGM"), (b"P3", "a PPM"), (b"P4", "a PBM"), (b"P5", "a PGM"), (b"P6", "a PPM"), (b"\x00\x00\x01\x00", "an icon"),
)  # fmt: skip


def foreign(data: bytes) -> str | None:
    """What the file is, with its article; None where its first bytes say nothing.

    >>> foreign(b"<!DOCTYPE html><title>404</title>"), foreign(b"GIF89a...")
    ('an HTML page', 'a GIF')
    """
    if data[4:8] == b"ftyp":
        return f"{_BRANDS[data[8:12]]} picture" if data[8:12] in _BRANDS else "a film"
    for head, what in _HEADS:
        if data.startswith(head) and (len(head) > 2 or data[2:3].isspace() or head[:1] != b"P"):
            return what
    return _markup(data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower())


def _markup(start: bytes) -> str | None:
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "an SVG drawing" if b"<svg" in start or b"svg" in start[:20] else "an XML file"
    if start.startswith((b"{", b"[")):
        return "a JSON file"
    return None
