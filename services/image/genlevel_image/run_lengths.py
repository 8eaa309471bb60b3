"""COCO run lengths, plain and compressed: column-major, background first.

A compressed string holds six bits a character, five of them data, and from the fourth run on differences to the run but one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError

BAD = "BAD_RUN_LENGTHS"
_LONGEST = 6
"""Characters of the longest run that a picture may have; more would overflow in other readers."""


def runs_of(counts: Any, pixels: int, pointer: str = "") -> NDArray[np.int64]:
    """The runs of a mask of that many pixels.

    >>> runs_of("123", 6).tolist(), runs_of([1, 2, 3], 6).tolist()
    ([1, 2, 3], [1, 2, 3])
    """
    if isinstance(counts, str):
        runs = _uncompressed(counts, pointer)
    elif isinstance(counts, list) and {*map(type, counts)} <= {int} and all(0 <= run <= pixels for run in counts):
        runs = np.array(counts, dtype=np.int64)
    else:
        raise SampleError(BAD, "counts are neither a list of whole numbers nor a COCO string", remedy="see docs/formats.md", pointer=pointer)
    if (runs < 0).any():
        raise SampleError(BAD, "a run is shorter than nothing", remedy="encode the mask again", pointer=pointer)
    if int(runs.sum()) != pixels:
        raise SampleError(BAD, f"the runs cover {int(runs.sum())} pixels, the size has {pixels}", remedy="encode the mask again", pointer=pointer)
    return runs


def compressed_runs(counts: Any, pixels: int, pointer: str = "") -> tuple[bytes, int]:
    """The checked runs as a compressed string, and how many there are."""
    runs = runs_of(counts, pixels, pointer)
    return (counts.encode() if isinstance(counts, str) else compressed(runs)), len(runs)


def compressed(runs: NDArray[np.int64]) -> bytes:
    """The string of runs.

    >>> compressed(np.array([5, 100, 3, 4]))
    b'5T33PM'
    """
    values = runs.copy()
    values[3:] -= runs[1:-2]
    text = bytearray()
    for value in values.tolist():
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text.append(bits + 48 + (32 if more else 0))
    return bytes(text)


def _uncompressed(text: str, pointer: str) -> NDArray[np.int64]:
    try:
        bits = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError:
        bits = np.array([-1])
    last = np.flatnonzero(bits & 32 == 0)
    sizes = np.diff(np.r_[-1, last])
    if ((bits < 0) | (bits > 63)).any():
        raise SampleError(BAD, "counts hold a character that COCO strings do not have", remedy="encode the mask again", pointer=pointer)
    if len(bits) and (not len(last) or last[-1] != len(bits) - 1):
        raise SampleError(BAD, "counts end in the middle of a run", remedy="encode the mask again", pointer=pointer)
    if len(sizes) and sizes.max() > _LONGEST:
        raise SampleError(BAD, "a run is longer than any picture", remedy="encode the mask again", pointer=pointer)
    if not len(bits):
        return np.zeros(0, np.int64)
    shift = 5 * (np.arange(len(bits)) - np.repeat(last - sizes + 1, sizes))
    values = np.add.reduceat((bits & 31) << shift, last - sizes + 1)
    values -= np.where(bits[last] & 16, 1 << (5 * sizes), 0)  # the highest bit is the sign
    values[1::2], values[2::2] = np.cumsum(values[1::2]), np.cumsum(values[2::2])
    return values
