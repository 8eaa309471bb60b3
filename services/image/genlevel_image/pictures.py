"""Pictures from bytes: PNG, JPEG, BMP, WebP and TIFF, of 8 or 16 bits, to RGB.

Grey is repeated, palettes are looked up, alpha is dropped, EXIF orientation is not applied (as pytorch-fid and torch-fidelity read
files). The header is checked before any pixel is decoded.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_image.media import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
MAX_SIDE = 16_384
MAX_PIXELS = 134_217_728
_PNG = b"\x89PNG\r\n\x1a\n"


def blob_of(content: Content, what: str) -> Blob:
    """The file of a content that must be one."""
    if content.media is None:
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected {what}, got {given}", remedy="give the path of a file")
    return content.media


def read_picture(blob: Blob) -> Picture:
    """Decodes a picture.

    Raises:
        SampleError: MEDIA_EMPTY, UNREADABLE, MEDIA_TRUNCATED, IMAGE_TOO_LARGE or WRONG_TYPE.
    """
    data = blob.read()
    name = blob.name or "the picture"
    with open_image(data, name) as image:
        if _is_deep_colour(data, image):
            return Picture(_deep_colour(data, name), blob.sha256)
        pixels = load(image, name)
        if image.mode in ("I;16", "I;16B", "I;16L", "I"):
            return Picture(_repeat(_sixteen_bits(pixels, name)), blob.sha256)
        if image.mode == "F":
            raise SampleError("WRONG_TYPE", f"{name} holds floating-point values", remedy="save it with 8 or 16 bits a channel")
        return Picture(np.asarray(image.convert("RGB")), blob.sha256)


def open_image(data: bytes, name: str) -> Image:
    """Opens a picture by its bytes and checks the header; nothing is decoded yet."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise SampleError("MEDIA_EMPTY", f"{name} has no bytes", remedy="write the file again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit follows
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        code = "MEDIA_TRUNCATED" if _starts_like_a_picture(data) else "UNREADABLE"
        raise SampleError(code, f"{name} is not a whole picture", remedy="give a PNG, JPEG, BMP, WebP or TIFF file") from None
    except Image.DecompressionBombError:
        raise SampleError("IMAGE_TOO_LARGE", f"{name} is larger than {MAX_PIXELS} pixels", remedy="scale it down") from None
    except (OSError, SyntaxError, ValueError, OverflowError):
        raise SampleError("UNREADABLE", f"the header of {name} cannot be read", remedy="write the file again") from None
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise SampleError(
            "IMAGE_TOO_LARGE", f"{name} is {width} x {height} pixels, the limit is {MAX_SIDE} a side and {MAX_PIXELS} in all",
            remedy="scale it down",
        )
    if image.format != "TIFF" and getattr(image, "n_frames", 1) > 1:
        raise SampleError("WRONG_TYPE", f"{name} is an animation", remedy="give one picture")
    return image


def load(image: Image, name: str) -> NDArray[Any]:
    """Decodes all pixels, in the mode of the file."""
    try:
        image.load()
    except (OSError, SyntaxError, EOFError, ValueError, IndexError):
        raise SampleError("MEDIA_TRUNCATED", f"{name} ends before its picture does, or is damaged", remedy="write the file again") from None
    return np.asarray(image)


def _starts_like_a_picture(data: bytes) -> bool:
    heads = (_PNG, b"\xff\xd8\xff", b"BM", b"RIFF", b"II*\x00", b"MM\x00*")
    return any(data.startswith(head[: len(data)]) for head in heads)


def _is_deep_colour(data: bytes, image: Image) -> bool:
    """Whether the file holds 16-bit colour, which Pillow would cut to 8 bits without a word."""
    if data.startswith(_PNG):
        return len(data) > 25 and data[24] == 16 and data[25] in (2, 4, 6)
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, ())  # type: ignore[attr-defined]
        return len(bits) > 1 and max(bits) > 8
    return False


def _deep_colour(data: bytes, name: str) -> NDArray[Any]:
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise SampleError("MEDIA_TRUNCATED", f"{name} ends before its picture does, or is damaged", remedy="write the file again")
    if pixels.ndim == 2:
        return _repeat(pixels)
    if pixels.shape[2] == 2:  # grey with alpha
        return _repeat(pixels[:, :, 0])
    return np.ascontiguousarray(pixels[:, :, 2::-1])  # OpenCV gives blue, green, red


def _sixteen_bits(pixels: NDArray[Any], name: str) -> NDArray[np.uint16]:
    if pixels.size and (int(pixels.min()) < 0 or int(pixels.max()) > 65_535):
        raise SampleError("WRONG_TYPE", f"{name} holds values outside 0..65535", remedy="save it with 8 or 16 bits a channel")
    return pixels.astype(np.uint16)


def _repeat(grey: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(grey[:, :, None], 3, axis=2)
