"""Arrays that go to disk when they grow: feature rows of a set metric, of which 50,000 pictures have 400 MB a side.

The file is in the temporary folder (TMPDIR) and has no name, so nothing of it is left behind, however the process ends. It is written
by plain writes and mapped for reading: what is not being read takes no memory that the system could not have back.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import Code, EvaluatorError

IN_MEMORY_BYTES = 128 << 20
"""Bytes of one column beyond which it lies on disk."""

_BLOCK = 4096


class Growing:
    """An array that grows by blocks of rows.

    >>> grown = Growing("<f4", (2,))
    >>> grown.add(np.ones((3, 2), dtype="<f4"))
    >>> grown.array().shape
    (3, 2)
    """

    def __init__(self, dtype: str, shape: tuple[int, ...]) -> None:
        self._blank = np.zeros((0, *shape), dtype=dtype)
        self._parts: list[NDArray[Any]] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def add(self, rows: NDArray[Any]) -> None:
        """Appends rows of the array's type and shape."""
        if not len(rows):
            return
        self._bytes += rows.nbytes
        if self._bytes <= IN_MEMORY_BYTES:
            self._parts.append(rows)
            return
        try:
            self._file = self._file or tempfile.TemporaryFile(prefix="genlevel-rows-")  # noqa: SIM115 - it lives as long as the array
            for part in (*self._parts, rows):
                self._file.write(np.ascontiguousarray(part).data)
            self._file.flush()
        except OSError as error:
            raise _no_room(error, self._bytes) from None
        self._parts.clear()

    def array(self) -> NDArray[Any]:
        """All rows, in memory or as a map of the file that cannot be written to."""
        if self._file is None:
            return np.concatenate([self._blank, *self._parts]) if len(self._parts) != 1 else self._parts[0]
        shape = (self._bytes // self._blank.dtype.itemsize // int(np.prod(self._blank.shape[1:])), *self._blank.shape[1:])
        return np.memmap(self._file, dtype=self._blank.dtype, mode="r", shape=shape)


def joined(parts: Iterable[NDArray[Any]], dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Rows one after another."""
    grown = Growing(dtype, shape)
    for part in parts:
        grown.add(part)
    return grown.array()


def picked(rows: NDArray[Any], index: NDArray[np.int64]) -> NDArray[Any]:
    """The rows at `index`, in that order."""
    if rows.nbytes <= IN_MEMORY_BYTES:
        return np.asarray(rows[index])
    blocks = (rows[index[start : start + _BLOCK]] for start in range(0, len(index), _BLOCK))
    return joined(blocks, rows.dtype.str, rows.shape[1:])


def _no_room(error: OSError, size: int) -> EvaluatorError:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
        raise error
    return EvaluatorError(
        Code.RESOURCE_EXHAUSTED, "NO_ROOM", f"{size >> 20} MB of feature rows cannot be written to {tempfile.gettempdir()} ({error.strerror})",
        "make room there, or set TMPDIR of the evaluator to a folder that has it",
    )
