"""Decoding of pictures: forms, depths, and files that are refused before or while they are decoded."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_image.decode import KINDS, decode_image
from genlevel_image.media import Picture
from tests.image.generators import encoded, photo

PHOTO = photo(np.random.default_rng(3), 31, 22)


def decode(data: bytes, name: str = "a.png") -> Picture:
    return decode_image(Content(media=media.from_bytes(data, name)), {})


@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
def test_lossless_forms_keep_every_pixel(form: str, options: dict[str, object]) -> None:
    found = decode(encoded(PHOTO, form, **options))
    assert found.pixels.dtype == np.uint8
    assert (found.pixels == PHOTO).all()
    assert found.size == (31, 22)
    assert found.peak == 255


def test_jpeg_is_read_by_its_bytes_whatever_its_name() -> None:
    found = decode(encoded(PHOTO, "JPEG", quality=95), "a.png")
    assert np.abs(found.pixels.astype(int) - PHOTO).mean() < 4


def test_the_digest_is_that_of_the_file() -> None:
    data = encoded(PHOTO)
    assert decode(data).sha256 == media.from_bytes(data).sha256


def test_grey_is_repeated_and_palette_looked_up() -> None:
    grey = PHOTO[:, :, 0]
    assert (decode(encoded(grey)).pixels == grey[:, :, None]).all()
    palette = Image.fromarray(PHOTO).quantize(16)
    assert (decode(encoded_image(palette)).pixels == np.asarray(palette.convert("RGB"))).all()
    assert set(np.unique(decode(encoded_image(Image.fromarray(grey > 99))).pixels)) == {0, 255}


def encoded_image(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    import io

    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def test_alpha_is_dropped() -> None:
    with_alpha = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 7, np.uint8)])
    assert (decode(encoded(with_alpha)).pixels == PHOTO).all()


def test_orientation_is_not_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded_image(Image.fromarray(PHOTO), "PNG", exif=exif)).size == (31, 22)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("form", [".png", ".tiff"])
def test_sixteen_bits_are_kept(channels: int, form: str) -> None:
    deep = np.random.default_rng(4).integers(0, 65536, (9, 7, channels), dtype=np.uint16)
    written = deep if channels == 1 else deep[:, :, [2, 1, 0, 3][:channels]]  # OpenCV writes blue, green, red
    found = decode(cv2.imencode(form, written)[1].tobytes(), "a" + form)
    assert found.pixels.dtype == np.uint16
    assert found.peak == 65535
    assert (found.pixels == (np.repeat(deep, 3, axis=2) if channels == 1 else deep[:, :, :3])).all()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises far more than its few bytes hold."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(16_385, 1), (1, 16_385), (16_000, 16_000), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_by_their_header(width: int, height: int) -> None:
    with pytest.raises(SampleError) as error:
        decode(bomb(width, height))
    assert error.value.code == "IMAGE_TOO_LARGE"
    assert error.value.remedy


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_truncated_files_are_refused(form: str, share: float) -> None:
    data = encoded(photo(np.random.default_rng(6), 120, 90), form)
    with pytest.raises(SampleError) as error:
        decode(data[: max(1, int(len(data) * share))], "cut.img")
    assert error.value.code in {"MEDIA_TRUNCATED", "UNREADABLE"}
    assert "cut.img" in error.value.message


def test_truncated_deep_colour_is_refused() -> None:
    deep = np.random.default_rng(4).integers(0, 65536, (40, 40, 3), dtype=np.uint16)
    data = cv2.imencode(".png", deep)[1].tobytes()
    with pytest.raises(SampleError, match="ends before"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), b"<svg/>", bytes(100)])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(SampleError) as error:
        decode(data)
    assert error.value.code in {"MEDIA_EMPTY", "UNREADABLE"}


def test_a_gif_by_another_name_is_refused() -> None:
    with pytest.raises(SampleError, match="it is a GIF"):
        decode(encoded(PHOTO[:, :, 0], "GIF"))


def test_animations_and_floats_are_refused() -> None:
    frames = [Image.fromarray(PHOTO), Image.fromarray(255 - PHOTO)]
    with pytest.raises(SampleError, match="animation"):
        decode(encoded_image(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    with pytest.raises(SampleError, match="floating"):
        decode(encoded(PHOTO[:, :, 0].astype(np.float32), "TIFF"))


def test_kinds_carry_their_schemas() -> None:
    assert set(KINDS) >= {"image", "masks", "boxes"}
    assert all(kind.schema["$defs"]["prediction"] for kind in KINDS.values())
