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


def whole_strings(texts: Sequence[str], pixels: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """How many runs each compressed string holds, and the area of its mask, where each covers its number of pixels; None where any
    of them does not.

    Many strings are checked together because one at a time takes longer than scoring them.

    >>> [found.tolist() for found in whole_strings(["123", "42"], [6, 6])], whole_strings(["123", "12"], [6, 6])
    ([[3, 2], [2, 2]], None)
    """
    parsed = _parsed(texts)
    if parsed is None:
        return None
    table, first = _pairs_of_runs(*parsed)
    sums = np.add.reduceat(table, first, axis=1)
    if table.min() < 0 or (sums[0] + sums[1] != np.asarray(pixels)).any():
        return None
    return parsed[1], sums[1]


def whole_intervals(texts: Sequence[str], pixels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Starts and ends of the runs of masks of so many pixels each, one mask after another as if they were one, and how many belong to each; None
    where a string is damaged. Runs of nothing are among them.

    >>> [found.tolist() for found in whole_intervals(["123", "42"], 6)]
    [[[1, 3], [6, 6], [10, 12]], [2, 1]]
    """
    parsed = _parsed(texts)
    if parsed is None:
        return None
    table, first = _pairs_of_runs(*parsed)
    sums = np.add.reduceat(table, first, axis=1)
    if table.min() < 0 or (sums[0] + sums[1] != pixels).any():
        return None
    return table.T.ravel().cumsum().reshape(-1, 2), (parsed[1] + 1) // 2


def _parsed(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """All numbers of many compressed strings, and how many each has; None where one of them is damaged."""
    joined = "".join(texts)
    if not joined.isascii() or not texts or not all(texts):
        return None
    bits = np.frombuffer(joined.encode(), np.uint8) - np.uint8(48)
    ends = np.array([*map(len, texts)]).cumsum()
    last = (bits < 32).nonzero()[0]
    if bits.max() > 63 or bits[ends - 1].max() > 31:
        return None
    sizes = _steps(last, -1)
    if sizes.max() > _LONGEST:
        return None
    return _values(bits, last, sizes), _steps(last.searchsorted(ends), 0)


def _pairs_of_runs(values: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A row of runs of background, a row of the runs of the mask after them, and the first column of each mask.

    The first run stands alone; odd ones add up, and so do even ones.
    """
    columns = (counts + 1) // 2
    first = columns.cumsum() - columns
    odd = counts & 1 == 1
    if odd.any():  # a mask that ends in background gets a run of nothing
        padded = np.zeros(2 * int(columns.sum()), np.int64)
        padded[(2 * first - counts.cumsum() + counts).repeat(counts) + np.arange(len(values))] = values
        values = padded
    table = values.reshape(-1, 2).T.copy()
    start = table[0, first]
    table[0, first] = 0
    table.cumsum(axis=1, out=table)
    before = np.zeros((2, len(first)), np.int64)
    before[:, 1:] = table[:, first[1:] - 1]
    table -= before.repeat(columns, axis=1)
    table[0, first] = start
    table[1, (first + columns - 1)[odd]] = 0
    return table, first


def packed(runs: NDArray[np.int64], size: tuple[int, int]) -> dict[str, Any]:
    """The compressed form of checked runs, as pycocotools keeps masks.

    >>> packed(np.array([5, 100, 3, 4]), (8, 14))
    {'size': [8, 14], 'counts': b'5T33PM'}
    """
    from pycocotools import mask as coco

    return dict(coco.frPyObjects({"size": [*size], "counts": runs}, *size))


def _uncompressed(text: str, pointer: str) -> NDArray[np.int64]:
    try:
        bits = np.frombuffer(text.encode("ascii"), np.uint8) - np.uint8(48)  # what is below wraps to far above
    except UnicodeEncodeError:
        bits = np.array([255], np.uint8)
    last = np.flatnonzero(bits & 32 == 0)
    sizes = np.diff(np.r_[-1, last])
    if (bits > 63).any():
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


def _values(bits: NDArray[np.uint8], last: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of one or more characters, by the place of their last and how many they are."""
    values = ((bits[last] & 31) ^ 16).astype(np.int64) - 16  # the highest bit is the sign
    longer, back = (sizes > 1).nonzero()[0], 1
    while len(longer):
        values[longer] = (values[longer] << 5) | (bits[last[longer] - back] & 31)
        back += 1
        longer = longer[sizes[longer] > back]
    return values


def _steps(numbers: NDArray[np.int64], before: int) -> NDArray[np.int64]:
    """Differences between neighbours, the first to `before`; numpy.diff takes several times as long on short rows."""
    steps = numbers.copy()
    steps[1:] -= numbers[:-1]
    steps[0] -= before
    return steps
