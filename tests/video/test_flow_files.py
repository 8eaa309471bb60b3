"""Flow files: Middlebury against OpenCV, KITTI against bytes made by hand, and bad files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_video.decode import decode_flow
from genlevel_video.flow_files import Flow
from tests.video.generators import saved


def read(data: bytes, name: str) -> Flow:
    found = decode_flow(Content(media=media.from_bytes(data, name)), {})
    assert isinstance(found, Flow)
    return found


def flo(vectors: np.ndarray) -> bytes:
    height, width = vectors.shape[:2]
    return b"PIEH" + struct.pack("<ii", width, height) + vectors.astype("<f4").tobytes()


def png(pixels: np.ndarray, depth: int = 16, size: tuple[int, int] | None = None) -> bytes:
    """A PNG written by hand: big-endian samples, every row without filter."""
    height, width = size or pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in pixels)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


VECTORS = (10 * np.random.default_rng(0).normal(size=(6, 9, 2))).astype(np.float32)


def test_middlebury_equals_opencv(tmp_path: Path) -> None:
    path = tmp_path / "flow.flo"
    assert cv2.writeOpticalFlow(str(path), VECTORS)
    found = read(path.read_bytes(), "flow.flo")
    np.testing.assert_array_equal(found.vectors, VECTORS)
    path.write_bytes(flo(VECTORS))
    np.testing.assert_array_equal(cv2.readOpticalFlow(str(path)), VECTORS)
    assert found.valid.all()


def test_middlebury_unknown() -> None:
    vectors = VECTORS.copy()
    vectors[1, 2] = 1.1e9
    vectors[3, 4, 1] = np.nan
    vectors[5, 6, 0] = -np.inf
    found = read(flo(vectors), "a.flo")
    assert np.argwhere(~found.valid).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert np.isfinite(found.vectors).all()


def test_kitti() -> None:
    codes = np.zeros((3, 4, 3), np.uint16)
    codes[..., 2] = [[1, 1, 0, 1]] * 3
    codes[..., 0] = 32768 + 64 * np.arange(12).reshape(3, 4)
    codes[..., 1] = 32768 - 32
    codes[0, 0, :2] = [0, 65535]
    found = read(png(codes), "a.png")
    assert found.valid.tolist() == [[True, True, False, True]] * 3
    assert found.vectors[0, 0].tolist() == [-512.0, (65535 - 32768) / 64]
    assert found.vectors[1, 1].tolist() == [5.0, -0.5]
    assert found.vectors[1, 2].tolist() == [0.0, 0.0]


def test_kitti_as_opencv_writes_it() -> None:
    codes = np.random.default_rng(1).integers(0, 65536, size=(17, 23, 3), dtype=np.uint16)
    codes[..., 2] = 1
    done, data = cv2.imencode(".png", codes[..., ::-1])  # OpenCV keeps channels in the order BGR, and filters rows
    assert done
    np.testing.assert_array_equal(read(data.tobytes(), "a.png").vectors, (codes[..., :2].astype(np.float32) - 32768) / 64)


def test_arrays() -> None:
    valid = np.random.default_rng(0).random((6, 9)) < 0.5
    content = saved("a.npz", flow=VECTORS.astype(np.float64), valid=valid)
    found = decode_flow(content, {})
    np.testing.assert_array_equal(found.valid, valid)
    np.testing.assert_array_equal(found.vectors[valid], VECTORS[valid])


GOOD_PNG = png(np.ones((3, 4, 3), np.uint16))
BAD = {
    "not a flow": (b"hello, world", "a.flo", "NOT_A_FLOW"),
    "empty": (b"", "a.flo", "EMPTY_FILE"),
    "cut short": (flo(VECTORS)[:-1], "a.flo", "MEDIA_TRUNCATED"),
    "huge header": (b"PIEH" + struct.pack("<ii", 1 << 20, 1 << 20), "a.flo", "MEDIA_TOO_LARGE"),
    "negative size": (b"PIEH" + struct.pack("<ii", -4, 5), "a.flo", "EMPTY_FLOW"),
    "no pixel": (b"PIEH" + struct.pack("<ii", 0, 5), "a.flo", "EMPTY_FLOW"),
    "8-bit PNG": (png(np.ones((3, 4, 3)), depth=8), "a.png", "NOT_A_FLOW"),
    "PNG cut short": (GOOD_PNG[:-20], "a.png", "MEDIA_TRUNCATED"),
    "PNG with a flipped bit": (GOOD_PNG[:45] + bytes([GOOD_PNG[45] ^ 1]) + GOOD_PNG[46:], "a.png", "MEDIA_TRUNCATED"),
    "PNG bomb": (png(np.ones((3, 4, 3)), size=(60_000, 60_000)), "a.png", "MEDIA_TOO_LARGE"),
    "flo called PNG": (flo(VECTORS), "a.png", "NOT_A_FLOW"),
    "no array of that name": (saved("x", one=VECTORS, two=VECTORS).media.read(), "a.npz", "NOT_A_FLOW"),
    "three channels": (saved("x", flow=np.ones((3, 4, 3))).media.read(), "a.npz", "WRONG_SHAPE"),
    "flags of another shape": (saved("x", flow=VECTORS, valid=np.ones((2, 2))).media.read(), "a.npz", "WRONG_SHAPE"),
    "unknown suffix": (flo(VECTORS), "a.bin", "UNKNOWN_FORMAT"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_name_the_file_and_a_remedy(case: str) -> None:
    data, name, code = BAD[case]
    with pytest.raises(SampleError) as caught:
        read(data, name)
    assert caught.value.code == code, caught.value.message
    assert name in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize("content", [Content(json=[[[0, 0]]]), Content(text="a"), Content(json=None)])
def test_a_flow_is_a_file(content: Content) -> None:
    with pytest.raises(SampleError, match="expected a flow file"):
        decode_flow(content, {})
