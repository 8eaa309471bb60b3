"""Text arithmetic against plain tables, NLTK and rouge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import closest_ref_length, modified_precision
from nltk.util import ngrams as nltk_ngrams
from rouge import rouge_score as rouge_package

from genlevel_evaluator.statistics import lcs, ngrams, ngrams_bleu, ngrams_many

tokens = st.lists(st.sampled_from("abcde"), max_size=70)


def table(left: Sequence[object], right: Sequence[object]) -> int:
    """The textbook recursion, row by row."""
    row = [0] * (len(right) + 1)
    for one in left:
        above, row = row, [0]
        for place, other in enumerate(right):
            row.append(above[place] + 1 if one == other else max(above[place + 1], row[place]))
    return row[-1]


@settings(max_examples=150)
@given(tokens, tokens)
def test_lcs_length(left: list[str], right: list[str]) -> None:
    assert lcs.lcs_length(left, right) == table(left, right) == lcs.lcs_length(right, left)


@settings(max_examples=100)
@given(tokens, tokens)
def test_lcs_positions_are_a_longest_common_subsequence(left: list[str], right: list[str]) -> None:
    positions = lcs.lcs_positions(left, right)
    assert positions == sorted(set(positions))
    assert len(positions) == table(left, right)
    rest = iter(right)
    assert all(left[place] in rest for place in positions)


@settings(max_examples=100)
@given(tokens, tokens)
def test_lcs_positions_are_those_of_package_rouge(left: list[str], right: list[str]) -> None:
    expected = rouge_package._recon_lcs(left, right, exclusive=False)._ngrams
    assert [left[place] for place in lcs.lcs_positions(left, right)] == expected


def test_lcs_of_nothing() -> None:
    assert lcs.lcs_length([], ["a"]) == lcs.lcs_length(["a"], []) == lcs.lcs_length([], []) == 0
    assert lcs.lcs_positions([], ["a"]) == lcs.lcs_positions(["a"], []) == []


def test_lcs_tables_are_bounded() -> None:
    with pytest.raises(ValueError, match="too long to align"):
        lcs.lcs_positions(["a"] * 50_000, ["b"] * 50_000)


@settings(max_examples=80)
@given(tokens, st.lists(tokens, min_size=1, max_size=4), st.integers(1, 4))
def test_clipped_matches_are_those_of_nltk(hypothesis: list[str], references: list[list[str]], order: int) -> None:
    precision = modified_precision(references, hypothesis, order)
    assert isinstance(precision, Fraction)
    texts = [hypothesis, *references]
    words = np.array([ord(word) for text in texts for word in text], dtype=np.int64)
    together = ngrams_many.Samples(words, np.array(list(map(len, texts))), np.array([len(texts)]))
    assert ngrams_many.matches(together, order)[0, -1] == ngrams_bleu.counts(hypothesis, references, order).matches[-1] == precision.numerator
    assert ngrams.ngrams(hypothesis, order) == Counter(nltk_ngrams(hypothesis, order))


@settings(max_examples=80)
@given(st.integers(0, 30), st.lists(st.integers(0, 30), min_size=1, max_size=5))
def test_closest_length_is_that_of_nltk(length: int, lengths: list[int]) -> None:
    assert ngrams.closest_length(length, lengths) == closest_ref_length([["x"] * size for size in lengths], length)
