"""PCD files: text and binary by NumPy, which reads every type of number; compressed ones by Open3D.

Open3D takes binary coordinates of 8 bytes for zeros, and leaves points that a text does not have as whatever the memory held.
"""

from __future__ import annotations

import io
import re
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAD = 1 << 16
"""Bytes in which the header must end."""
_AXES = ("x", "y", "z")
_TYPES = {
    "F4": "<f4", "F8": "<f8", "I1": "<i1", "I2": "<i2", "I4": "<i4", "I8": "<i8", "U1": "<u1", "U2": "<u2", "U4": "<u4", "U8": "<u8",
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What a PCD file says of itself.

    Attributes:
        points: how many.
        types: of one point, a field `fN` for the Nth column of numbers.
        columns: first column of each name.
        form: `ascii`, `binary` or `binary_compressed`.
        start: where the points begin.
    """

    points: int
    types: np.dtype[Any]
    columns: dict[str, int]
    form: str
    start: int


def header(data: bytes) -> Header:
    """The header.

    Raises:
        ValueError: with what is wrong.
    """
    end = re.search(rb"^DATA[ \t]+(\w+)[^\n]*\n", data[:HEAD], re.MULTILINE)
    if not end:
        raise ValueError("its header has no DATA")
    lines = [line.split() for line in data[: end.start()].decode("latin-1").splitlines()]
    words = {line[0]: line[1:] for line in lines if line and not line[0].startswith("#")}
    points = _whole(words, "POINTS", 1)[0]
    if "WIDTH" in words and "HEIGHT" in words and _whole(words, "WIDTH", 1)[0] * _whole(words, "HEIGHT", 1)[0] != points:
        raise ValueError("WIDTH x HEIGHT is not POINTS")
    fields = words.get("FIELDS", [])
    if not set(_AXES) <= set(fields):
        raise ValueError("its header lacks the fields x, y and z")
    kinds = [kind + size for kind, size in zip(words.get("TYPE", []), words.get("SIZE", []), strict=True)]
    if len(kinds) != len(fields) or not set(kinds) <= _TYPES.keys():
        raise ValueError("SIZE and TYPE do not say what the fields are")
    counts = _whole(words, "COUNT", len(fields)) if "COUNT" in words else [1] * len(fields)
    if sum(counts) > HEAD:
        raise ValueError("COUNT announces too many numbers a point")
    columns = dict(zip(reversed(fields), reversed(np.cumsum([0, *counts[:-1]]).tolist()), strict=True))
    types = np.dtype([(f"f{place}", _TYPES[kind]) for place, kind in enumerate(np.repeat(kinds, counts).tolist())])
    return Header(points, types, columns, end[1].decode(), end.end())


def least_bytes(found: Header, data: bytes) -> int:
    """Fewest bytes that the points can take."""
    if found.form == "binary":
        return found.points * found.types.itemsize
    if found.form == "ascii":
        return 2 * found.points * len(found.types.names or ()) - 1
    packed, unpacked = struct.unpack_from("<II", data.ljust(found.start + 8, b"\0"), found.start)
    if unpacked != found.points * found.types.itemsize and 8 + packed <= len(data) - found.start:
        raise ValueError("its compressed part announces another number of bytes")
    # LZF shortens at most 264 bytes to 3.
    return max(8 + int(packed), found.points * found.types.itemsize // 88)


def _whole(words: dict[str, list[str]], name: str, count: int) -> list[int]:
    given = words.get(name, [])
    if len(given) != count or not all(word.isascii() and word.isdigit() and len(word) < 19 for word in given):
        raise ValueError(f"{name} is not made of {count} whole numbers")
    return [int(word) for word in given]


def read(data: bytes) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Points, and colours from 0 to 1 where there are any, of a file whose header was checked."""
    found = header(data)
    if found.form == "binary_compressed":
        return _compressed(data, found)
    table = _text if found.form == "ascii" else _binary
    points = table(data, found, _AXES, np.dtype(np.float64))
    name = next((name for name in ("rgb", "rgba") if name in found.columns), None)
    if name is None:
        return points, None
    packed = table(data, found, (name,), found.types[found.columns[name]])[:, 0].view(np.uint32)
    return points, np.column_stack([(packed >> shift & 255) / 255.0 for shift in (16, 8, 0)])


def _binary(data: bytes, found: Header, names: Sequence[str], kind: np.dtype[Any]) -> NDArray[Any]:
    rows = np.frombuffer(data, found.types, count=found.points, offset=found.start)
    return np.column_stack([rows[f"f{found.columns[name]}"].astype(kind) for name in names])


def _text(data: bytes, found: Header, names: Sequence[str], kind: np.dtype[Any]) -> NDArray[Any]:
    """Coordinates keep the digits that are written, whatever type the header gives them."""
    if not found.points:
        return np.zeros((0, len(names)), kind)
    columns = [found.columns[name] for name in names]
    return np.loadtxt(io.BytesIO(data[found.start :]), kind, usecols=columns, max_rows=found.points, ndmin=2)


def _compressed(data: bytes, found: Header) -> tuple[NDArray[Any], NDArray[Any] | None]:
    import open3d  # imported here, for it takes a second

    if any(found.types[found.columns[axis]].itemsize > 4 for axis in _AXES):
        raise ValueError("compressed coordinates of 8 bytes")
    with tempfile.NamedTemporaryFile(suffix=".pcd") as file, open3d.utility.VerbosityContextManager(open3d.utility.VerbosityLevel.Error):
        file.write(data)
        file.flush()
        cloud = open3d.io.read_point_cloud(file.name, format="pcd", remove_nan_points=False, remove_infinite_points=False)
    return np.asarray(cloud.points).copy(), np.asarray(cloud.colors).copy() if cloud.has_colors() else None
