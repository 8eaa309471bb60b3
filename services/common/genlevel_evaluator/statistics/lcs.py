"""Longest common subsequences by bit-parallel dynamic programming.

Row i of the table L is held as one integer: bit j is 0 where L[i][j + 1] = L[i][j] + 1 and 1 where the two are equal. A row follows
from the one before with four operations on whole integers (Crochemore et al. 2001, Hyyro 2004), so the cost is
len(x) * len(y) / 30 steps of Python's integers instead of len(x) * len(y) steps of the interpreter.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics.ngrams_many import Integers, Samples, numbered, runs

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


WORD = 64
"""Longest reference whose row of the table is one number of an array."""
MAX_STEPS = 512
"""Longest output that is aligned together with others."""


def lcs_lengths(pairs: Samples) -> Integers:
    """`lcs_length` of the two texts of each sample.

    Raises:
        ValueError: a table would be larger than MAX_CELLS.

    >>> lcs_lengths(Samples(np.array([1, 2, 3, 2, 1, 3]), np.array([3, 3]), np.array([2]))).tolist()
    [2]
    """
    parts = [_lengths(run) for run in runs(pairs)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _lengths(pairs: Samples) -> Integers:
    left, right = pairs.lengths[::2], pairs.lengths[1::2]
    short = (right <= WORD) & (left <= MAX_STEPS)
    result = np.zeros(len(left), dtype=np.int64)
    result[short] = _in_words(pairs, short)
    ends = np.cumsum(pairs.lengths).tolist()
    for pair in np.flatnonzero(~short).tolist():
        middle = ends[2 * pair]
        start, end = middle - int(left[pair]), ends[2 * pair + 1]
        result[pair] = lcs_length(pairs.words[start:middle].tolist(), pairs.words[middle:end].tolist())
    return result


def _in_words(pairs: Samples, short: NDArray[np.bool_]) -> Integers:
    """Of the short pairs: one step takes the next word of every output, a row of the table is one number a pair."""
    here = np.flatnonzero(np.repeat(short, pairs.lengths[::2] + pairs.lengths[1::2]))
    lengths = pairs.lengths[np.repeat(short, 2)]
    if not len(here):
        return np.zeros(len(lengths) // 2, dtype=np.int64)
    words, text = pairs.words[here], np.repeat(np.arange(len(lengths)), lengths)
    number = numbered(text // 2 * (int(words.max()) + 1) + words)
    place = np.arange(len(words)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    right = text % 2 == 1
    masks = np.zeros(len(words), dtype=np.uint64)
    np.bitwise_or.at(masks, number[right], np.uint64(1) << place[right].astype(np.uint64))
    # Words that the reference has not change no row.
    taken = np.flatnonzero(~right & (masks[number] > 0))
    steps = np.bincount(text[taken] // 2, minlength=len(lengths) // 2)
    order = np.argsort(-steps, kind="stable")
    column = np.empty(len(order), dtype=np.int64)
    column[order] = np.arange(len(order))
    step = np.arange(len(taken)) - np.repeat(np.cumsum(steps) - steps, steps)
    table = np.zeros((int(steps.max(initial=0)), len(order)), dtype=np.uint64)
    table[step, column[text[taken] // 2]] = masks[number[taken]]
    row = np.full(len(order), ~np.uint64(0))
    for mask, pairs_left in zip(table, np.searchsorted(-steps[order], -np.arange(len(table)), side="left").tolist(), strict=True):
        those = row[:pairs_left]
        hit = those & mask[:pairs_left]
        row[:pairs_left] = (those + hit) | (those ^ hit)
    return np.bitwise_count(~row).astype(np.int64)[column]


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
