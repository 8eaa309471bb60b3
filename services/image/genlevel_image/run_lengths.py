"""COCO run lengths, plain and compressed: column-major, background first.

A compressed string holds six bits a character, five of them data, and from the fourth run on differences to the run but one.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def whole_strings(texts: Sequence[str], pixels: Sequence[int]) -> list[int] | None:
    """How many runs each compressed string holds, where each covers its number of pixels; None where any of them does not.

    Many strings are checked together because one at a time takes longer than scoring them.

    >>> whole_strings(["123", "42"], [6, 6]), whole_strings(["123", "12"], [6, 6])
    ([3, 2], None)
    """
    ends = np.cumsum([len(text) for text in texts])
    joined = "".join(texts)
    if not joined.isascii() or not all(texts):
        return None
    bits = np.frombuffer(joined.encode(), np.uint8).astype(np.int64) - 48
    last = np.flatnonzero(bits & 32 == 0)
    sizes = np.diff(np.r_[-1, last])
    if (bits < 0).any() or (bits > 63).any() or (bits[ends - 1] & 32).any() or sizes.max(initial=0) > _LONGEST:
        return None
    owner = np.searchsorted(ends, last, side="right")
    place = np.arange(len(last)) - np.searchsorted(owner, owner)
    # The first run stands alone; odd ones add up, and so do even ones.
    chain = 3 * owner + np.where(place == 0, 2, place % 2)
    order = np.argsort(chain, kind="stable")
    values = _values(bits, last, sizes)[order]
    sums = np.cumsum(values)
    first = np.searchsorted(chain[order], chain[order])
    runs = sums - (sums - values)[first]
    covered = np.bincount(owner[order], weights=runs)
    if (runs < 0).any() or (covered != np.asarray(pixels)).any():
        return None
    counts: list[int] = np.bincount(owner).tolist()
    return counts


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
    values = _values(bits, last, sizes)
    values[1::2], values[2::2] = np.cumsum(values[1::2]), np.cumsum(values[2::2])
    return values


def _values(bits: NDArray[np.int64], last: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of one or more characters, by the place of their last and how many they are."""
    shift = 5 * (np.arange(len(bits)) - np.repeat(last - sizes + 1, sizes))
    values: NDArray[np.int64] = np.add.reduceat((bits & 31) << shift, last - sizes + 1)
    values -= np.where(bits[last] & 16, 1 << (5 * sizes), 0)  # the highest bit is the sign
    return values
