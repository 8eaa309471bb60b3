"""NumPy files from strangers: sizes are known before anything is unpacked, and pickles are never opened."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError

LIMIT_BYTES = 2 << 30
"""Largest array that is unpacked."""

MAGIC_NPY = b"\x93NUMPY"
MAGIC_ZIP = b"PK"


def read_npy(data: bytes, name: str = "", limit: int = LIMIT_BYTES) -> NDArray[Any]:
    """The array of a .npy file.

    Raises:
        SampleError: NOT_AN_ARRAY, ARRAY_TOO_LARGE or MEDIA_TRUNCATED.
    """
    return _read(io.BytesIO(data), name or "the .npy file", limit)


def read_npz(
    data: bytes | BinaryIO, wanted: tuple[str, ...], name: str = "", limit: int = LIMIT_BYTES, first: int | None = None
) -> dict[str, NDArray[Any]]:
    """Those of the `wanted` arrays that a .npz file has; an archive with one array gives it under the first wanted name.

    Args:
        data: the file.
        wanted: names of arrays.
        name: what to call the file in messages.
        limit: most bytes of one array.
        first: read no more than this many rows of each array; the others are never unpacked.

    Raises:
        SampleError: NOT_AN_ARRAY, ARRAY_TOO_LARGE or MEDIA_TRUNCATED.
    """
    shown = name or "the .npz file"
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            members = [member for member in archive.namelist() if member.endswith(".npy")]
            found = {member[:-4]: member for member in members}
            if len(members) == 1 and found.keys().isdisjoint(wanted):
                found = {wanted[0]: members[0]}
            return {key: _member(archive, found[key], f"{shown}:{key}", limit, first) for key in wanted if key in found}
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise SampleError(
            "NOT_AN_ARRAY", f"{shown} is not a whole .npz archive ({error})", remedy="write it with numpy.savez"
        ) from None
    except RuntimeError:
        raise SampleError("NOT_AN_ARRAY", f"{shown} is encrypted", remedy="write it with numpy.savez") from None


def _member(archive: zipfile.ZipFile, member: str, shown: str, limit: int, first: int | None) -> NDArray[Any]:
    with archive.open(member) as file:
        return _read(file, shown, limit, first)  # type: ignore[arg-type]


def _read(file: BinaryIO, shown: str, limit: int, first: int | None = None) -> NDArray[Any]:
    dtype, shape, fortran = _header(file, shown)
    if first is not None and shape and not fortran:
        shape = (min(shape[0], first), *shape[1:])
    size = math.prod(shape) * dtype.itemsize
    if size > limit:
        raise SampleError(
            "ARRAY_TOO_LARGE",
            f"{shown} announces {size} bytes of shape {shape}, at most {limit} are read",
            remedy="give a smaller array",
        )
    try:
        data = file.read(size)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise SampleError("MEDIA_TRUNCATED", f"{shown} is damaged ({error})", remedy="copy the file again") from None
    except Exception as error:  # zlib.error has no common base with the others
        raise SampleError(
            "MEDIA_TRUNCATED", f"{shown} is damaged ({type(error).__name__})", remedy="copy the file again"
        ) from None
    if len(data) < size:
        raise SampleError("MEDIA_TRUNCATED", f"{shown} ends after {len(data)} of {size} bytes", remedy="copy the file again")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: BinaryIO, shown: str) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    try:
        form: Any = np.lib.format  # NumPy gives these functions no types
        version = form.read_magic(file)
        shape, fortran, dtype = form.read_array_header_1_0(file) if version == (1, 0) else form.read_array_header_2_0(file)
    except Exception as error:  # NumPy reads the header as Python does a program: a damaged one fails in any of its ways
        why = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise SampleError("NOT_AN_ARRAY", f"{shown} is not a NumPy array ({why})", remedy="write it with numpy.save") from None
    if dtype.hasobject or dtype.kind not in "biuf" or dtype.itemsize == 0:
        raise SampleError("NOT_AN_ARRAY", f"{shown} holds {dtype}, not plain numbers", remedy="save numbers, not objects")
    if any(side < 0 for side in shape):
        raise SampleError("NOT_AN_ARRAY", f"{shown} has shape {shape}", remedy="write it with numpy.save")
    return dtype, shape, fortran
