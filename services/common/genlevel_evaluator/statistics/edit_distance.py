"""The edits of a Levenshtein distance, for sequences of anything hashable: words, characters, labels.

One column of the dynamic-programming table is two integers, its vertical differences of +1 and of -1 (Myers 1999, in the form of
Hyyrö 2003), so a column costs about ten operations on Python's long integers whatever the length of the other sequence.

    >>> edits("the cat sat".split(), "the bat sat down".split())
    Edits(substitutions=1, deletions=0, insertions=1)
    >>> edits("kitten", "sitting").total
    3
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Edits:
    """Edits that turn the reference into the hypothesis; their sum is the Levenshtein distance.

    Attributes:
        substitutions: items replaced.
        deletions: items of the reference that are missing.
        insertions: items of the hypothesis that are extra.
    """

    substitutions: int
    deletions: int
    insertions: int

    @property
    def total(self) -> int:
        """Levenshtein distance."""
        return self.substitutions + self.deletions + self.insertions


def edits(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> Edits:
    """A shortest edit script, counted by kind.

    The distance does not fix how many edits are substitutions. Read from the end, a deletion is taken where it can be, else an
    insertion, else a substitution, after the common beginning and end are set aside: the choice of RapidFuzz and so of jiwer.
    """
    first, last_reference, last_hypothesis = _different_part(reference, hypothesis)
    middle, other = reference[first:last_reference], hypothesis[first:last_hypothesis]
    if not middle or not other:
        return Edits(0, len(middle), len(other))
    count, columns = _columns(middle, other)
    row, column = len(middle), len(other)
    deletions = insertions = 0
    while row and column:
        positive, _ = columns[column - 1]
        if positive >> (row - 1) & 1:
            deletions += 1
            row -= 1
            continue
        column -= 1
        if column and columns[column - 1][1] >> (row - 1) & 1:
            insertions += 1
        else:
            row -= 1
    deletions, insertions = deletions + row, insertions + column
    return Edits(count - deletions - insertions, deletions, insertions)


def _different_part(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> tuple[int, int, int]:
    """Length of the common beginning, and where the common end starts on each side."""
    first, end, other_end = 0, len(reference), len(hypothesis)
    shorter = min(end, other_end)
    while first < shorter and reference[first] == hypothesis[first]:
        first += 1
    while end > first and other_end > first and reference[end - 1] == hypothesis[other_end - 1]:
        end -= 1
        other_end -= 1
    return first, end, other_end


def _columns(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> tuple[int, list[tuple[int, int]]]:
    """The distance and, for each item of the hypothesis, the rows where the column grows and where it falls by one."""
    places: dict[Hashable, int] = {}
    for index, item in enumerate(reference):
        places[item] = places.get(item, 0) | 1 << index
    mask, top = (1 << len(reference)) - 1, 1 << (len(reference) - 1)
    grows, falls, count = mask, 0, len(reference)
    columns: list[tuple[int, int]] = []
    for item in hypothesis:
        match = places.get(item, 0)
        diagonal = ((((match & grows) + grows) ^ grows) | match | falls) & mask
        right_grows = falls | (mask & ~(diagonal | grows))
        right_falls = diagonal & grows
        count += bool(right_grows & top) - bool(right_falls & top)
        right_grows = (right_grows << 1 | 1) & mask
        right_falls = right_falls << 1 & mask
        grows = right_falls | (mask & ~(diagonal | right_grows))
        falls = right_grows & diagonal
        columns.append((grows, falls))
    return count, columns
