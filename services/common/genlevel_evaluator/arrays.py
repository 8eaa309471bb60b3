"""NumPy files from strangers: sizes are known before anything is unpacked, and pickles are never opened."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    with _archive(data, shown) as archive:
        found = _members(archive, wanted)
        return {key: _member(archive, found[key], f"{shown}:{key}", limit, first) for key in wanted if key in found}


@contextmanager
def open_rows(data: bytes | BinaryIO, wanted: str, name: str = "", row_limit: int = LIMIT_BYTES) -> Iterator[Rows | None]:
    """The array of that name in a .npz file, to be read row by row; None where the file has no such array.

    Args:
        data: the file.
        wanted: name of the array; the only array of an archive may have any.
        name: what to call the file in messages.
        row_limit: most bytes of one row.

    Raises:
        SampleError: NOT_AN_ARRAY, ARRAY_TOO_LARGE or MEDIA_TRUNCATED, also while rows are read.
    """
    shown = name or "the .npz file"
    with _archive(data, shown) as archive:
        found = _members(archive, (wanted,))
        if wanted not in found:
            yield None
            return
        with archive.open(found[wanted]) as file:
            yield Rows(file, f"{shown}:{wanted}", row_limit)  # type: ignore[arg-type]


class Rows:
    """The rows of an array on file, of which one at a time is in memory.

    Attributes:
        dtype: of its numbers.
        shape: of the whole array.
    """

    def __init__(self, file: BinaryIO, shown: str, row_limit: int) -> None:
        self.dtype, self.shape, fortran = _header(file, shown)
        self._file, self._shown = file, shown
        if fortran and len(self.shape) > 1:
            raise SampleError("NOT_AN_ARRAY", f"{shown} is stored column by column", remedy="save numpy.ascontiguousarray of it")
        self._size = math.prod(self.shape[1:]) * self.dtype.itemsize
        if self._size > row_limit:
            raise SampleError(
                "ARRAY_TOO_LARGE", f"{shown} announces {self._size} bytes a row of shape {self.shape}, at most {row_limit} are read",
                remedy="give a smaller array",
            )  # fmt: skip

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for row in range(self.shape[0] if self.shape else 0):
            data = _bytes(self._file, self._size, self._shown)
            if len(data) < self._size:
                raise SampleError("MEDIA_TRUNCATED", f"{self._shown} ends in row {row} of {self.shape[0]}", remedy="copy the file again")
            yield np.frombuffer(data, dtype=self.dtype).reshape(self.shape[1:])


@contextmanager
def _archive(data: bytes | BinaryIO, shown: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise SampleError(
            "NOT_AN_ARRAY", f"{shown} is not a whole .npz archive ({error})", remedy="write it with numpy.savez"
        ) from None
    except RuntimeError:
        raise SampleError("NOT_AN_ARRAY", f"{shown} is encrypted", remedy="write it with numpy.savez") from None


def _members(archive: zipfile.ZipFile, wanted: tuple[str, ...]) -> dict[str, str]:
    """Members by the name of their array."""
    members = [member for member in archive.namelist() if member.endswith(".npy")]
    found = {member[:-4]: member for member in members}
    if len(members) == 1 and found.keys().isdisjoint(wanted):
        return {wanted[0]: members[0]}
    return found


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
    data = _bytes(file, size, shown)
    if len(data) < size:
        raise SampleError("MEDIA_TRUNCATED", f"{shown} ends after {len(data)} of {size} bytes", remedy="copy the file again")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _bytes(file: BinaryIO, size: int, shown: str) -> bytes:
    try:
        return file.read(size)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise SampleError("MEDIA_TRUNCATED", f"{shown} is damaged ({error})", remedy="copy the file again") from None
    except Exception as error:  # zlib.error has no common base with the others
        raise SampleError(
            "MEDIA_TRUNCATED", f"{shown} is damaged ({type(error).__name__})", remedy="copy the file again"
        ) from None


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
