"""Optical flow from Middlebury .flo, KITTI 16-bit PNG, .npz and .npy files."""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import MAGIC_ZIP, read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob

MAX_PIXELS = 1 << 26
MAX_BYTES = 1 << 30
UNKNOWN = 1e9
"""Middlebury: a component above this is unknown."""

SUFFIXES = (".flo", ".png", ".npz", ".npy")
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Flow:
    """Dense optical flow.

    Attributes:
        vectors: (u, v) in pixels, u to the right and v downwards, shape (height, width, 2); 0 where not valid.
        valid: where the flow is known, shape (height, width).
        sha256: digest of the file.
    """

    vectors: NDArray[np.float32]
    valid: NDArray[np.bool_]
    sha256: str = ""


def read(blob: Blob) -> Flow:
    """The flow of a file."""
    name = blob.name or "the flow"
    size = len(blob.data) if blob.data is not None else os.path.getsize(blob.path or "")
    if size > MAX_BYTES:
        raise SampleError(
            "MEDIA_TOO_LARGE", f"{name} has {size} bytes, at most {MAX_BYTES} are read", remedy="give one pair a file"
        )
    if blob.suffix not in SUFFIXES:
        raise SampleError(
            "UNKNOWN_FORMAT",
            f"{name}: no reader for {blob.suffix or 'a file without suffix'}",
            remedy=f"use {', '.join(SUFFIXES)}",
        )
    data = blob.read()
    if not data:
        raise SampleError("EMPTY_FILE", f"{name} is empty", remedy="copy the file again")
    if blob.suffix == ".flo":
        vectors, valid = _middlebury(data, name)
    elif blob.suffix == ".png":
        vectors, valid = _kitti(data, name)
    else:
        vectors, valid = _arrays(data, name)
    # Unknown as Middlebury writes it; NaN is unknown too, infinity only beyond the bound of 1e9.
    valid &= (np.abs(vectors) <= UNKNOWN).all(axis=2)
    vectors = np.where(valid[..., None], vectors, 0.0).astype(np.float32)
    return Flow(vectors, valid, blob.sha256)


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise SampleError("EMPTY_FLOW", f"{name} is {width} x {height} pixels", remedy="give at least one pixel")
    if width * height > MAX_PIXELS:
        raise SampleError(
            "MEDIA_TOO_LARGE",
            f"{name} announces {width} x {height} pixels, at most {MAX_PIXELS} are read",
            remedy="give a smaller flow",
        )


def _middlebury(data: bytes, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if data[:4] != b"PIEH" or len(data) < 12:  # 202021.25 as float32
        raise SampleError(
            "NOT_A_FLOW", f"{name} does not begin with the mark of a .flo file", remedy="write it as Middlebury .flo"
        )
    width, height = struct.unpack_from("<ii", data, 4)
    _check_size(width, height, name)
    if len(data) < 12 + 8 * width * height:
        raise SampleError(
            "MEDIA_TRUNCATED",
            f"{name} announces {width} x {height} pixels and ends after {len(data)} bytes",
            remedy="copy the file again",
        )
    vectors = np.frombuffer(data, "<f4", 2 * width * height, 12).reshape(height, width, 2)
    return vectors, np.ones((height, width), dtype=bool)


def _kitti(data: bytes, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    import av

    _check_png(data, name)
    try:
        with av.open(io.BytesIO(data), format="png_pipe") as container:
            pixels = next(container.decode(video=0)).to_ndarray(format="rgb48le").astype(np.float32)
    except (av.error.FFmpegError, StopIteration) as error:
        raise SampleError(
            "NOT_A_FLOW", f"{name} cannot be read as PNG ({type(error).__name__})", remedy="write it again"
        ) from None
    return (pixels[..., :2] - 32768.0) / 64.0, pixels[..., 2] > 0


def _check_png(data: bytes, name: str) -> None:
    """Every chunk has its checksum, so a cut or damaged file is refused and not filled up with grey."""
    if not data.startswith(_PNG) or len(data) < 33:
        raise SampleError("NOT_A_FLOW", f"{name} is no PNG file", remedy="write it as KITTI 16-bit PNG")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if (depth, colour) != (16, 2):
        raise SampleError("NOT_A_FLOW", f"{name} is not a 16-bit RGB PNG", remedy="write u, v and valid as 16-bit channels")
    _check_size(width, height, name)
    position = len(_PNG)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data) or zlib.crc32(data[position + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            break
        if kind == b"IEND":
            return
        position = end
    raise SampleError("MEDIA_TRUNCATED", f"{name} is cut or damaged at byte {position}", remedy="copy the file again")


def _arrays(data: bytes, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    found = (
        read_npz(data, ("flow", "valid"), name, MAX_BYTES)
        if data.startswith(MAGIC_ZIP)
        else {"flow": read_npy(data, name, MAX_BYTES)}
    )
    if "flow" not in found:
        raise SampleError("NOT_A_FLOW", f"{name} has no array 'flow'", remedy="save the vectors under 'flow'")
    vectors = found["flow"]
    if vectors.ndim != 3 or vectors.shape[2] != 2:
        raise SampleError(
            "WRONG_SHAPE", f"{name} has shape {vectors.shape}, not (height, width, 2)", remedy="give u and v of every pixel"
        )
    _check_size(vectors.shape[1], vectors.shape[0], name)
    valid = found.get("valid", np.ones(vectors.shape[:2], dtype=bool))
    if valid.shape != vectors.shape[:2]:
        raise SampleError(
            "WRONG_SHAPE", f"'valid' of {name} has shape {valid.shape}, not {vectors.shape[:2]}", remedy="give one flag a pixel"
        )
    return vectors.astype(np.float32), valid != 0
