"""Dynamic time warping: FastDTW of radius 1 (Salvador and Chan 2007), step for step as the package fastdtw 0.3.4, and exact.

FastDTW halves both series until one is shorter than three, aligns them, and on the way back searches only near the path found
before. Where costs tie, the step along the first series is taken, else along the second, else both: the order of that package's
Python form, which is what it runs unless it was compiled against NumPy.

    >>> import numpy as np
    >>> fast_path(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]), np.array([[2.0], [3.0], [4.0]])).tolist()
    [[0, 0], [1, 0], [2, 1], [3, 2], [4, 2]]
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

RADIUS = 1
MAX_CELLS = 1 << 26
"""Largest table of the exact path: 8,192 frames on both sides, 41 s."""

Matrix = NDArray[np.float64]
Path = NDArray[np.int64]
_ALONG_FIRST, _ALONG_SECOND, _BOTH = 0, 1, 2


def fast_path(one: Matrix, other: Matrix) -> Path:
    """Pairs of frames of an approximately cheapest alignment, shape (n, 2)."""
    levels = [(one, other)]
    while min(len(one), len(other)) >= RADIUS + 2:
        one, other = _halved(one), _halved(other)
        levels.append((one, other))
    first, second = levels.pop()
    whole = np.zeros(len(first), dtype=np.int64)
    path = _banded_path(first, second, whole, whole + len(second))
    while levels:
        first, second = levels.pop()
        path = _banded_path(first, second, *_window(path, len(first), len(second)))
    return path


def _halved(series: Matrix) -> Matrix:
    even = len(series) - len(series) % 2
    return np.asarray((series[0:even:2] + series[1:even:2]) / 2)


def _window(path: Path, rows: int, columns: int) -> tuple[Path, Path]:
    """First and one past the last column that may be visited in each row, around a path of half the size."""
    coarse_rows = int(path[-1, 0]) + 1
    low = np.full(coarse_rows, np.iinfo(np.int64).max)
    high = np.full(coarse_rows, -1, dtype=np.int64)
    np.minimum.at(low, path[:, 0], path[:, 1])
    np.maximum.at(high, path[:, 0], path[:, 1])
    # The path never turns back, so the widest reach within one row of it is that of the neighbours.
    before = np.maximum(np.arange(coarse_rows + RADIUS) - RADIUS, 0)
    after = np.minimum(np.arange(coarse_rows + RADIUS) + RADIUS, coarse_rows - 1)
    starts = np.maximum(low[before] - RADIUS, 0) * 2
    ends = np.minimum((high[after] + RADIUS) * 2 + 2, columns)
    return np.repeat(starts, 2)[:rows], np.repeat(ends, 2)[:rows]


def _banded_path(one: Matrix, other: Matrix, starts: Path, ends: Path) -> Path:
    """The cheapest path that stays in columns `starts[row]` to `ends[row] - 1` of each row."""
    widths = ends - starts
    offsets = np.concatenate([[0], np.cumsum(widths)])
    rows = np.repeat(np.arange(len(one)), widths)
    columns = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - starts, widths)
    difference = one[rows] - other[columns]
    distances: list[float] = np.sqrt(np.einsum("ij,ij->i", difference, difference)).tolist()
    steps = _steps(distances, starts.tolist(), ends.tolist(), offsets.tolist())
    return _walked_back(steps, offsets.tolist(), starts.tolist(), len(other))


def _steps(distances: list[float], starts: list[int], ends: list[int], offsets: list[int]) -> bytearray:
    """The last step of the cheapest path into each cell. Plain floats: bands are too narrow for array operations to pay."""
    infinity = float("inf")
    steps = bytearray(len(distances))
    costs = [0.0]  # costs of the row before, from column `base - 1` on; here the corner before the first cell
    base = 0
    for (begin, end), (start, stop) in zip(zip(starts, ends, strict=True), pairwise(offsets), strict=True):
        # costs[k] is column base - 1 + k: padded so that every column of this row finds its upper and its diagonal neighbour.
        missing = end - (base - 1 + len(costs))
        if missing > 0:
            costs.extend([infinity] * missing)
        shift = begin - base
        left, corner = infinity, costs[shift]
        row = [infinity]
        for cell, upper in zip(range(start, stop), costs[shift + 1 :], strict=False):
            here = distances[cell]
            best, step = upper + here, _ALONG_FIRST
            if left + here < best:
                best, step = left + here, _ALONG_SECOND
            if corner + here < best:
                best, step = corner + here, _BOTH
            steps[cell] = step
            corner = upper
            left = best
            row.append(best)
        costs, base = row, begin
    return steps


def _walked_back(steps: bytearray, offsets: list[int], starts: list[int], columns: int) -> Path:
    row, column = len(starts) - 1, columns - 1
    path = [(row, column)]
    while row or column:
        step = steps[offsets[row] + column - starts[row]]
        row -= step != _ALONG_SECOND
        column -= step != _ALONG_FIRST
        path.append((row, column))
    return np.array(path[::-1], dtype=np.int64)


def exact_path(one: Matrix, other: Matrix) -> Path:
    """Pairs of frames of a cheapest alignment, with the same order among ties; anti-diagonal by anti-diagonal.

    Raises:
        ValueError: more than `MAX_CELLS` pairs of frames.
    """
    rows, columns = len(one), len(other)
    if rows * columns > MAX_CELLS:
        raise ValueError(f"{rows} x {columns} frames are more than {MAX_CELLS} pairs")
    steps = np.zeros((rows, columns), dtype=np.uint8)
    # Costs by row, so that a neighbour above is one place before: of the last anti-diagonal and of the one before it.
    last, older = np.full(rows + 1, np.inf), np.full(rows + 1, np.inf)
    older[0] = 0.0
    for diagonal in range(rows + columns - 1):
        first, end = max(0, diagonal - columns + 1), min(rows, diagonal + 1)
        row = np.arange(first, end)
        difference = one[row] - other[diagonal - row]
        here = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        choices = np.stack([last[first:end], last[first + 1 : end + 1], older[first:end]]) + here
        chosen = choices.argmin(axis=0)
        steps[row, diagonal - row] = chosen
        newest = np.full(rows + 1, np.inf)
        newest[first + 1 : end + 1] = np.take_along_axis(choices, chosen[None], axis=0)[0]
        last, older = newest, last
    return _walked_back(bytearray(steps.tobytes()), list(range(0, rows * columns + 1, columns)), [0] * rows, columns)
