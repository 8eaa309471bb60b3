"""Pictures from bytes: PNG, JPEG, BMP, WebP and TIFF, of 8 or 16 bits, to RGB.

Grey is repeated, palettes are looked up, alpha is dropped, colour profiles and EXIF orientation are not applied (as pytorch-fid and
torch-fidelity read files). The header is checked before any pixel is decoded.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.foreign_files import foreign

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
MAX_SIDE = 16_384
MAX_PIXELS = 134_217_728
MAX_FILE_BYTES = 1 << 30
"""Largest file that is read: more than the largest picture holds without compression, at 16 bits a channel."""
MAX_SCANS = 100
"""Passes over a progressive JPEG; each costs as much as the whole picture, however few bytes it has."""
COLOUR_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
SIXTEEN_MODES = ("I;16", "I;16B", "I;16L")
_STRIP_PIXELS = 1 << 20
_PNG = b"\x89PNG\r\n\x1a\n"
_HEADS = (_PNG, b"\xff\xd8\xff", b"BM", b"RIFF", b"II*\x00", b"MM\x00*")
_AGAIN = "write the file again"


@dataclass(frozen=True)
class Picture:
    """A picture: RGB, shape (height, width, 3), uint8 or uint16. `sha256` is that of its file."""

    pixels: NDArray[Any]
    sha256: str

    @property
    def peak(self) -> float:
        """Largest sample value of its bit depth."""
        return float(np.iinfo(self.pixels.dtype).max)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]


def blob_of(content: Content, what: str) -> Blob:
    """The file of a content that must be one."""
    if content.media is None:
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected {what}, got {given}", remedy="give the path of a file")
    return content.media


def read_picture(blob: Blob) -> Picture:
    """Decodes a picture.

    Raises:
        SampleError: MEDIA_EMPTY, MEDIA_TOO_LARGE, UNREADABLE, MEDIA_TRUNCATED, IMAGE_TOO_LARGE or WRONG_TYPE.
    """
    name = blob.name or "the picture"
    data = bytes_of(blob, name)
    with open_image(data, name) as image:
        if is_deep_colour(data, image):
            return Picture(deep_colour(data, name), blob.sha256)
        if image.mode in SIXTEEN_MODES:
            return Picture(_repeat(load(image, name).astype(np.uint16)), blob.sha256)
        if image.mode in ("F", "I"):
            holds = "floating-point values" if image.mode == "F" else "signed whole numbers, or of 32 bits"
            raise SampleError("WRONG_TYPE", f"{name} holds {holds}", remedy="save it with 8 or 16 bits a channel, without sign")
        if image.mode not in COLOUR_MODES:
            raise SampleError("WRONG_TYPE", f"{name} has the channels {image.mode}", remedy="save it as RGB")
        decode(image, name)
        return Picture(_colours(image), blob.sha256)


def bytes_of(blob: Blob, name: str) -> bytes:
    """The bytes of a picture file, of a size that can be read."""
    size = len(blob.data) if blob.data is not None else blob.path.stat().st_size if blob.path is not None else 0
    if size > MAX_FILE_BYTES:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has {size} bytes, the limit is {MAX_FILE_BYTES}", remedy="scale the picture down, or compress it")
    return blob.read()


def open_image(data: bytes, name: str) -> Image:
    """Opens a picture by its bytes and checks the header; nothing is decoded yet."""
    if not data:
        raise SampleError("MEDIA_EMPTY", f"{name} has no bytes", remedy=_AGAIN)
    image = _identified(data, name)
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise _too_large(f"{name} is {width} x {height} pixels")
    if width < 1 or height < 1:
        raise SampleError("WRONG_SHAPE", f"{name} is {width} x {height} pixels", remedy="give at least one pixel")
    if image.format in ("JPEG", "MPO") and (scans := data.count(b"\xff\xda")) > MAX_SCANS:
        raise SampleError("IMAGE_TOO_COMPLEX", f"{name} has {scans} scans, the limit is {MAX_SCANS}", remedy="save it as a plain JPEG, or as PNG")
    if image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:
        raise SampleError("WRONG_TYPE", f"{name} is an animation", remedy="give one picture; which frame is meant cannot be known")
    return image


def _identified(data: bytes, name: str) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, for which our own limit follows, and of what a damaged header lacks
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise _unidentified(data, name) from None
    except Image.DecompressionBombError:
        raise _too_large(name) from None
    except MemoryError:
        raise
    except Exception:  # readers of headers raise what they happen to meet: struct.error, KeyError, TypeError, ...
        raise SampleError("UNREADABLE", f"the header of {name} cannot be read: it is cut off or damaged", remedy=_AGAIN) from None


def _too_large(what: str) -> SampleError:
    message = f"{what}, beyond the limit of {MAX_SIDE} a side and {MAX_PIXELS} pixels in all"
    return SampleError("IMAGE_TOO_LARGE", message, remedy="scale it down")


def _unidentified(data: bytes, name: str) -> SampleError:
    remedy = "give a PNG, JPEG, BMP, WebP or TIFF file"
    if found := foreign(data):
        return SampleError("UNREADABLE", f"{name} is not a picture that is read here: it is {found}", remedy=remedy)
    if data.startswith(_PNG) and bytes(4) in (data[16:20], data[20:24]):
        return SampleError("WRONG_SHAPE", f"{name} says that it has no pixel", remedy="give at least one pixel")
    if any(data.startswith(head[: len(data)]) for head in _HEADS):
        return SampleError("MEDIA_TRUNCATED", f"{name} is not a whole picture: cut off, damaged, or of a form that is not read", remedy=remedy)
    return SampleError("UNREADABLE", f"{name} is not a whole picture", remedy=remedy)


def decode(image: Image, name: str) -> None:
    """Decodes all pixels, in the mode of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is damaged raises, too
            image.load()
    except MemoryError:
        raise
    except Exception:  # as for headers
        raise _damaged(name) from None


def load(image: Image, name: str) -> NDArray[Any]:
    """All pixels, in the mode of the file."""
    decode(image, name)
    return np.asarray(image)


def _damaged(name: str) -> SampleError:
    return SampleError("MEDIA_TRUNCATED", f"{name} ends before its picture does, or is damaged", remedy=_AGAIN)


def _colours(image: Image) -> NDArray[np.uint8]:
    """RGB in strips, so that a large picture is not held three times."""
    image.info.pop("transparency", None)  # is dropped, as alpha is
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)
    if height <= rows:
        return np.asarray(image.convert("RGB"))
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)).convert("RGB"))
    return pixels


def is_deep_colour(data: bytes, image: Image) -> bool:
    """Whether the file holds 16-bit colour, which Pillow would cut to 8 bits without a word."""
    if data.startswith(_PNG):
        return len(data) > 25 and data[24] == 16 and data[25] in (2, 4, 6)
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, ())  # type: ignore[attr-defined]
        return len(bits) > 1 and max(bits) > 8
    return False


def deep_colour(data: bytes, name: str) -> NDArray[Any]:
    """RGB of 16 bits a channel."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise _damaged(name)
    if pixels.ndim == 2:
        return _repeat(pixels)
    if pixels.shape[2] == 2:  # grey with alpha
        return _repeat(pixels[:, :, 0])
    return np.ascontiguousarray(pixels[:, :, 2::-1])  # OpenCV gives blue, green, red


def _repeat(grey: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(grey[:, :, None], 3, axis=2)
