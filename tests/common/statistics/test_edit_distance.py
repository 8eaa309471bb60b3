"""Edit distance against jiwer 4 (RapidFuzz), and its laws."""

from __future__ import annotations

import random

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel_evaluator.statistics.edit_distance import Edits, edits

WORDS = st.lists(st.sampled_from("abc"), max_size=9)


def test_every_kind_of_edit_is_jiwers() -> None:
    source = random.Random(5)
    for _ in range(1500):
        reference = source.choices("abcd", k=source.randint(1, 14))
        hypothesis = source.choices("abcd", k=source.randint(0, 14))
        theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
        assert edits(reference, hypothesis) == Edits(theirs.substitutions, theirs.deletions, theirs.insertions)


def test_long_sequences() -> None:
    source = random.Random(6)
    reference = source.choices([f"w{i}" for i in range(50)], k=700)
    hypothesis = [word for word in reference if source.random() > 0.1]
    for place in range(0, len(hypothesis), 9):
        hypothesis[place] = "other"
    theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    assert edits(reference, hypothesis) == Edits(theirs.substitutions, theirs.deletions, theirs.insertions)


def _table(a: list[str], b: list[str]) -> int:
    """The textbook recurrence."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
    return row[-1]


@given(WORDS, WORDS)
def test_it_is_the_recurrence_and_symmetric(a: list[str], b: list[str]) -> None:
    found = edits(a, b)
    assert found.total == _table(a, b) == edits(b, a).total
    assert len(a) - found.deletions + found.insertions == len(b)
    assert min(found.substitutions, found.deletions, found.insertions) >= 0


@given(WORDS, WORDS, WORDS)
def test_the_triangle_inequality(a: list[str], b: list[str], c: list[str]) -> None:
    assert edits(a, c).total <= edits(a, b).total + edits(b, c).total


@pytest.mark.parametrize(("a", "b", "expected"), [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("abc", "abc", 0), ("flaw", "lawn", 2)])
def test_edges(a: str, b: str, expected: int) -> None:
    assert edits(a, b).total == expected
