"""Normals from files: a NumPy array, three numbers a line, or the nx, ny and nz of a PLY file."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import MAGIC_ZIP, read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_three_d import headers
from genlevel_three_d.files import ply_lists
from genlevel_three_d.point_files import MAX_BYTES
from genlevel_three_d.shapes import Normals

TOLERANCE = 1e-3
"""How far a normal's length may be from 1: what numbers printed with few digits need."""
_TEXT = (".normals", ".xyz", ".txt")
SUFFIXES = (".npy", ".npz", ".ply", *_TEXT)


def read(blob: Blob) -> Normals:
    """The normals of a file.

    Raises:
        SampleError: the file is none, or its rows are no unit vectors.
    """
    name = blob.name or "the normals"
    size = len(blob.data) if blob.data is not None else os.path.getsize(blob.path or "")
    if size > MAX_BYTES:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has {size} bytes, at most {MAX_BYTES} are read", remedy="give one shape")
    data = blob.read()
    if not data:
        raise SampleError("EMPTY_FILE", f"{name} is empty", remedy="copy the file again")
    if blob.suffix not in SUFFIXES:
        raise SampleError(
            "UNKNOWN_FORMAT", f"{name}: no reader for {blob.suffix or 'a file without suffix'}", remedy=f"use {', '.join(SUFFIXES)}"
        )
    if blob.suffix == ".ply":
        return checked(_from_ply(data, name), name, blob.sha256)
    if blob.suffix in _TEXT:
        return checked(_from_text(data, name), name, blob.sha256)
    if data.startswith(MAGIC_ZIP):
        found = read_npz(data, ("normals",), name, MAX_BYTES)
        if "normals" not in found:
            raise SampleError("NOT_3D_DATA", f"{name} has no array 'normals'", remedy="save the normals under 'normals'")
        return checked(found["normals"], name, blob.sha256)
    return checked(read_npy(data, name, MAX_BYTES), name, blob.sha256)


def _from_text(data: bytes, name: str) -> NDArray[np.float64]:
    headers.check(data, ".xyz", name)
    try:
        return np.loadtxt(io.BytesIO(data), ndmin=2) if data.strip() else np.zeros((0, 3))
    except (ValueError, UnicodeDecodeError):
        raise SampleError("NOT_3D_DATA", f"{name} is not made of three numbers a line", remedy="write x, y and z of a normal on a line") from None


def _from_ply(data: bytes, name: str) -> NDArray[np.float64]:
    import trimesh

    announced = headers.check(data, ".ply", name)
    try:
        part = trimesh.load(io.BytesIO(ply_lists.even(data, name)), file_type="ply", process=False)
        vertices = part.metadata["_ply_raw"]["vertex"]["data"]
        rows = np.column_stack([np.asarray(vertices[axis], dtype=np.float64).reshape(-1) for axis in ("nx", "ny", "nz")])
    except (MemoryError, SampleError):
        raise
    except (KeyError, ValueError, IndexError):
        raise SampleError("NOT_3D_DATA", f"{name} has no normals", remedy="save the vertices with nx, ny and nz") from None
    except Exception as error:  # trimesh raises whatever its parsing ran into
        raise SampleError("NOT_3D_DATA", f"{name} cannot be read as PLY ({type(error).__name__})", remedy="save it again") from None
    if announced is not None and len(rows) != announced:
        raise SampleError(
            "MEDIA_TRUNCATED", f"{name} announces {announced} points and holds {len(rows)} whole ones", remedy="copy the file again"
        )
    return rows


def checked(rows: NDArray[Any], name: str, sha256: str = "") -> Normals:
    """Normals of length one; what the rounding of a file left over is divided out."""
    if rows.size == 0:
        raise SampleError("EMPTY_POINT_SET", f"{name} has no normal", remedy="give a normal for every point")
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise SampleError("WRONG_SHAPE", f"{name} has shape {rows.shape}, not (n, 3)", remedy="give three numbers a normal")
    if len(rows) > headers.MAX_POINTS:
        raise SampleError("TOO_MANY_POINTS", f"{name} has {len(rows)} normals, at most {headers.MAX_POINTS} are read", remedy="give one shape")
    values = np.ascontiguousarray(rows, dtype=np.float64)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise SampleError("NOT_FINITE", f"normal {int(np.argmin(finite))} of {name} is NaN or infinite", remedy="give a normal for every point")
    with np.errstate(over="ignore"):
        lengths = np.sqrt((values**2).sum(axis=1))
    wrong = np.abs(lengths - 1.0) > TOLERANCE
    if wrong.any():
        first = int(np.argmax(wrong))
        raise SampleError("NOT_A_UNIT_VECTOR", f"normal {first} of {name} has length {lengths[first]:.6g}", remedy="divide each normal by its length")
    return Normals(values / lengths[:, None], sha256)
