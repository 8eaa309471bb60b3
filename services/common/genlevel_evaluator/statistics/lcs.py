"""Longest common subsequences by bit-parallel dynamic programming.

Row i of the table L is held as one integer: bit j is 0 where L[i][j + 1] = L[i][j] + 1 and 1 where the two are equal. A row follows
from the one before with four operations on whole integers (Crochemore et al. 2001, Hyyro 2004), so the cost is
len(x) * len(y) / 30 steps of Python's integers instead of len(x) * len(y) steps of the interpreter.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

MAX_TABLE_BITS = 1 << 31
"""Largest table `lcs_positions` keeps, in cells; one bit a cell."""


MAX_CELLS = 1 << 36
"""Largest table `lcs_length` goes through, in cells: some seconds of work."""


def lcs_length(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence.

    Raises:
        ValueError: the table would be larger than MAX_CELLS.

    >>> lcs_length("the cat sat on the mat".split(), "on the mat sat the cat".split())
    3
    """
    _bounded(left, right, MAX_CELLS)
    masks = _masks(right)
    full = (1 << len(right)) - 1
    row = full
    for mask in filter(None, map(masks.get, left)):
        hit = row & mask
        row = (row + hit) | (row ^ hit)  # bits past the last carry nothing back, so they are cut off once, below
    return len(right) - (row & full).bit_count()


def lcs_positions(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[int]:
    """Positions in `left` of one longest common subsequence.

    Of several it is the one found from the end: a match is always taken, otherwise a step back in `right`, unless that
    shortens the subsequence, in which case a step back in `left`. This is the choice of the package `rouge`.

    Raises:
        ValueError: the table would be larger than MAX_TABLE_BITS.

    >>> lcs_positions("a b c d".split(), "x b d".split())
    [1, 3]
    """
    _bounded(left, right, MAX_TABLE_BITS)
    rows = list(_rows(left, right))
    found: list[int] = []
    i, j = len(left), len(right)
    while i and j:
        if left[i - 1] == right[j - 1]:
            i, j = i - 1, j - 1
            found.append(i)
        elif (rows[i - 1] >> (j - 1)) & 1:
            j -= 1
        else:
            i -= 1
    return found[::-1]


def _bounded(left: Sequence[Hashable], right: Sequence[Hashable], limit: int) -> None:
    if len(left) * len(right) > limit:
        raise ValueError(f"sequences of {len(left)} and {len(right)} elements are too long to align")


def _masks(tokens: Sequence[Hashable]) -> dict[Hashable, int]:
    """For each token the bits of its positions."""
    masks: dict[Hashable, int] = {}
    bit = 1
    for token in tokens:
        if token in masks:
            masks[token] |= bit
        else:
            masks[token] = bit
        bit += bit
    return masks


def _rows(left: Sequence[Hashable], right: Sequence[Hashable]) -> Iterator[int]:
    masks = _masks(right)
    full = (1 << len(right)) - 1
    row = full
    for token in left:
        hit = row & masks.get(token, 0)
        row = ((row + hit) | (row ^ hit)) & full
        yield row
