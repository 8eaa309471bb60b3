"""Odd, damaged and hostile picture files for tests: what they are, and what is in those that can be read."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tests.image.files import encoded, photo

PHOTO = photo(np.random.default_rng(3), 31, 22)
GREY = PHOTO[:, :, 0].copy()
DEEP = np.random.default_rng(4).integers(0, 65_536, (22, 31, 3), dtype=np.uint16)
LABELS = np.random.default_rng(5).integers(0, 4, (8, 8), dtype=np.uint8)
MASK = np.kron(LABELS > 1, np.ones((8, 8))).astype(np.uint8) * 255


def saved(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, between: bytes = b"") -> bytes:
    """A PNG of these bytes; each row begins with its filter."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + between + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def flipped(data: bytes, place: int) -> bytes:
    """The bytes with one changed."""
    changed = bytearray(data)
    changed[place] ^= 0xFF
    return bytes(changed)


def opencv(pixels: NDArray[Any], form: str) -> bytes:
    """Written by OpenCV from RGB order."""
    return bytes(cv2.imencode(form, pixels if pixels.ndim == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]])[1].tobytes())


def interlaced(grey: NDArray[np.uint8]) -> bytes:
    """An Adam7 PNG: seven passes, each a picture of its own."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b""
    for top, left, down, across in passes:
        part = grey[top::down, left::across]
        rows += b"".join(b"\0" + row.tobytes() for row in part) if part.size else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def animated(form: str) -> bytes:
    return saved(Image.fromarray(PHOTO), form, save_all=True, append_images=[Image.fromarray(255 - PHOTO)])


def turned(form: str) -> bytes:
    """With an orientation of 6: to be turned by a quarter before it is shown."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(Image.fromarray(PHOTO), form, exif=exif)


def many_scans(count: int) -> bytes:
    """A progressive JPEG that says `count` times more that it refines the picture."""
    data = saved(Image.fromarray(PHOTO), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * count + data[-2:]


def palette(transparency: Any = None) -> bytes:
    return saved(Image.fromarray(PHOTO).quantize(16), **({} if transparency is None else {"transparency": transparency}))


def profile() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())


def array_file(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def huge_array() -> bytes:
    """A .npy header that announces 16 PB, and no data."""
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (50000000, 40000000), }"
    padded = header + b" " * (118 - len(header) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded


LOSSLESS = encoded(PHOTO)
JPEG = saved(Image.fromarray(PHOTO), "JPEG")
PALETTE = np.asarray(Image.open(io.BytesIO(palette())).convert("RGB"))
REPEATED = np.repeat(GREY[:, :, None], 3, axis=2)

READ: dict[str, tuple[bytes, NDArray[Any]]] = {
    "1x1": (encoded(PHOTO[:1, :1]), PHOTO[:1, :1]),
    "grey": (encoded(GREY), REPEATED),
    "grey of 16 bits": (opencv(DEEP[:, :, 0], ".png"), np.repeat(DEEP[:, :, :1], 3, axis=2)),
    "colour of 16 bits": (opencv(DEEP, ".png"), DEEP),
    "colour of 16 bits with alpha": (opencv(np.dstack([DEEP, DEEP[:, :, :1]]), ".png"), DEEP),
    "grey of 16 bits with alpha": (
        png(31, 22, 16, 4, b"".join(b"\0" + row.astype(">u2").tobytes() for row in DEEP[:, :, :2])), np.repeat(DEEP[:, :, :1], 3, axis=2),
    ),
    "TIFF of 16 bits": (opencv(DEEP, ".tiff"), DEEP),
    "two bits": (png(4, 1, 2, 0, b"\0\x1b"), np.repeat(np.array([[0, 85, 170, 255]], np.uint8)[:, :, None], 3, axis=2)),
    "one bit": (saved(Image.fromarray(GREY > 99)), np.repeat(np.where(GREY > 99, 255, 0).astype(np.uint8)[:, :, None], 3, axis=2)),
    "palette": (palette(), PALETTE),
    "palette, one colour transparent": (palette(3), PALETTE),
    "palette, alpha by colour": (palette(bytes(range(16))), PALETTE),
    "alpha": (encoded(np.dstack([PHOTO, GREY])), PHOTO),
    "grey with alpha": (encoded(np.dstack([GREY, PHOTO[:, :, 1]])), REPEATED),
    "a transparent colour": (saved(Image.fromarray(PHOTO), transparency=tuple(PHOTO[0, 0].tolist())), PHOTO),
    "WebP with alpha": (saved(Image.fromarray(np.dstack([PHOTO, GREY])), "WEBP", lossless=True, exact=True), PHOTO),
    "interlaced": (interlaced(GREY), REPEATED),
    "colour profile": (saved(Image.fromarray(PHOTO), icc_profile=profile()), PHOTO),
    "EXIF orientation in PNG": (turned("PNG"), PHOTO),
    "orientation of a TIFF": (turned("TIFF"), np.rot90(PHOTO, -1)),
    "first page of a TIFF": (animated("TIFF"), PHOTO),
    "TIFF with LZW": (saved(Image.fromarray(PHOTO), "TIFF", compression="tiff_lzw"), PHOTO),
    "BMP of 32 bits": (saved(Image.fromarray(np.dstack([PHOTO, GREY])), "BMP"), PHOTO),
    "rubbish behind the end": (LOSSLESS + b"rubbish" * 100, PHOTO),
    "no end mark": (LOSSLESS[:-12], PHOTO),
    "more data than pixels": (png(2, 1, 8, 0, b"\0\1\2" + bytes(10_000)), np.array([[[1] * 3, [2] * 3]], np.uint8)),
    "wide enough to be read in strips": (encoded(np.tile(PHOTO, (40, 60, 1))), np.tile(PHOTO, (40, 60, 1))),
}
LOSSY: dict[str, bytes] = {
    "CMYK of Adobe, inverted": saved(Image.fromarray(PHOTO).convert("CMYK"), "JPEG", quality=100),
    "progressive": saved(Image.fromarray(PHOTO), "JPEG", progressive=True, quality=95),
    "grey JPEG": saved(Image.fromarray(GREY), "JPEG", quality=95),
    "two pictures in a JPEG": saved(Image.fromarray(PHOTO), "MPO", save_all=True, append_images=[Image.fromarray(255 - PHOTO)], quality=95),
    "rubbish behind a JPEG": saved(Image.fromarray(PHOTO), "JPEG", quality=95) + b"rubbish" * 10,
}
REFUSED: dict[str, tuple[bytes, str, str]] = {
    "no bytes": (b"", "MEDIA_EMPTY", "no bytes"),
    "HTML": (b"<!DOCTYPE html><html><body>404</body></html>", "UNREADABLE", "an HTML page"),
    "SVG": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "UNREADABLE", "an SVG drawing"),
    "JSON": (b'{"message": "not found"}', "UNREADABLE", "a JSON file"),
    "PDF": (b"%PDF-1.4\n" + bytes(90), "UNREADABLE", "a PDF"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "UNREADABLE", "a Git LFS pointer"),
    "GIF": (saved(Image.fromarray(PHOTO), "GIF"), "UNREADABLE", "a GIF"),
    "animated GIF": (animated("GIF"), "UNREADABLE", "a GIF"),
    "animated PNG": (animated("PNG"), "WRONG_TYPE", "an animation"),
    "animated WebP": (animated("WEBP"), "WRONG_TYPE", "an animation"),
    "AVIF": (saved(Image.fromarray(PHOTO), "AVIF"), "UNREADABLE", "an AVIF picture"),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(300), "UNREADABLE", "a HEIC picture"),
    "JPEG 2000": (saved(Image.fromarray(PHOTO), "JPEG2000"), "UNREADABLE", "a JPEG 2000 picture"),
    "PPM": (saved(Image.fromarray(PHOTO), "PPM"), "UNREADABLE", "a PPM"),
    "array": (array_file(GREY), "UNREADABLE", "a NumPy array"),
    "zeros": (bytes(500), "UNREADABLE", "not a whole picture"),
    "no columns": (png(0, 5, 8, 2, b""), "WRONG_SHAPE", "no pixel"),
    "no rows": (png(5, 0, 8, 2, b""), "WRONG_SHAPE", "no pixel"),
    "a header of another checksum": (flipped(LOSSLESS, 29), "MEDIA_TRUNCATED", "not a whole picture"),
    "pixels of another checksum": (flipped(LOSSLESS, len(LOSSLESS) - 20), "MEDIA_TRUNCATED", "damaged"),
    "fewer data than pixels": (png(9, 9, 8, 2, bytes(100)), "MEDIA_TRUNCATED", "ends before"),
    "16 bits and fewer data than pixels": (png(9, 9, 16, 2, bytes(100)), "MEDIA_TRUNCATED", "ends before"),
    "16 bits of another checksum": (flipped(opencv(DEEP, ".png"), 900), "MEDIA_TRUNCATED", "damaged"),
    "JPEG without its end": (JPEG[:-2], "MEDIA_TRUNCATED", "ends before"),
    "bomb by its sides": (png(2**31 - 1, 2**31 - 1, 8, 2, bytes(50)), "IMAGE_TOO_LARGE", "limit"),
    "bomb by its pixels": (png(11_600, 11_600, 1, 0, bytes(50)), "IMAGE_TOO_LARGE", "11600 x 11600"),
    "bomb of text": (png(31, 22, 8, 2, bytes(94 * 22), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 1))), "UNREADABLE", "header"),
    "JPEG of many scans": (many_scans(101), "IMAGE_TOO_COMPLEX", "scans"),
}
"""Refused for every kind: the bytes, the code, and a part of the message."""
