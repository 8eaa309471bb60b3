"""Counts of many samples at once against plain counting, and their longest common subsequences against the textbook recursion."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel_evaluator.statistics import lcs, ngrams_many
from genlevel_evaluator.statistics.ngrams_many import Samples
from tests.common.statistics.test_text import table

Texts = list[list[int]]
words = st.lists(st.integers(0, 4), max_size=12)
samples = st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=4)), max_size=8)


def flat(given: list[tuple[list[int], Texts]]) -> Samples:
    texts = [text for output, references in given for text in (output, *references)]
    sizes = [1 + len(references) for _, references in given]
    return Samples(*(np.array(list(each), dtype=np.int64) for each in (chain.from_iterable(texts), map(len, texts), sizes)))


def plain(output: list[int], references: Texts, order: int) -> int:
    """The definition of clipped matches, word for word."""

    def counted(text: list[int]) -> Counter[tuple[int, ...]]:
        return Counter(tuple(text[start : start + order]) for start in range(len(text) - order + 1))

    limits = [counted(reference) for reference in references]
    return sum(min(times, max(limit[gram] for limit in limits)) for gram, times in counted(output).items())


def check(given: list[tuple[list[int], Texts]], order: int = 4) -> None:
    found = ngrams_many.counts(flat(given), order)
    assert found.matches.tolist() == [[plain(*sample, size) for size in range(1, order + 1)] for sample in given]
    assert found.totals.tolist() == [[max(0, len(output) - size) for size in range(order)] for output, _ in given]
    nearest = [min((abs(len(one) - len(output)), len(one)) for one in references)[1] for output, references in given]
    assert found.lengths.tolist() == [[len(output), length] for (output, _), length in zip(given, nearest, strict=True)]


@settings(max_examples=150)
@given(samples, st.sampled_from([1, 5, 30, 1 << 13]), st.booleans())
def test_counts_are_those_of_plain_counting(given: list[tuple[list[int], Texts]], together: int, crowded: bool) -> None:
    """However few words are counted together, and with every key past the table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams_many, "MAX_WORDS", together)
        if crowded:
            patch.setattr(ngrams_many, "FACTORS", ())
        check(given)


@settings(max_examples=60)
@given(samples)
def test_pairs_are_samples_of_one_reference(given: list[tuple[list[int], Texts]]) -> None:
    pairs = [(output, [reference]) for output, references in given for reference in references]
    for found, expected in zip(flat(given).pairs(), flat(pairs), strict=True):
        assert found.tolist() == expected.tolist()


def test_more_different_words_than_are_counted_together() -> None:
    source = random.Random(1)
    text = list(range(20_000))
    other = [*text[:9_000], 30_000, *text[11_000:], *text[:50]]
    common = source.choices(range(300), k=9_000)
    check([([1, 2, 3], [[1, 2, 3]]), (text, [other]), (other, [text, text[5:], []]), (common, [common[100:], common[::-1]]), ([], [[]])])


def test_hundreds_of_references() -> None:
    source = random.Random(2)
    output = source.choices(range(6), k=40)
    check([(output, [source.choices(range(6), k=source.randrange(60)) for _ in range(400)]), (output, [output])])


@settings(max_examples=150)
@given(st.lists(st.integers(-(1 << 62), 1 << 62) | st.integers(0, 9), max_size=60))
def test_equal_keys_have_one_number(keys: list[int]) -> None:
    number = ngrams_many.numbered(np.array(keys, dtype=np.int64)).tolist()
    assert [keys[place] for place in number] == keys
    assert len(set(number)) == len(set(keys))


def test_keys_that_meet_in_the_table_every_time() -> None:
    """Multiples of a large power of two keep few bits in every product."""
    keys = np.arange(5000, dtype=np.int64) << 50
    number = ngrams_many.numbered(keys)
    assert len(set(number.tolist())) == len(set(keys.tolist()))
    assert (keys[number] == keys).all()


@settings(max_examples=80)
@given(st.lists(st.tuples(words, words), max_size=8), st.sampled_from([1, 20, 1 << 13]))
def test_subsequences_are_those_of_the_textbook(pairs: list[tuple[list[int], list[int]]], together: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams_many, "MAX_WORDS", together)
        assert lcs.lcs_lengths(flat([(left, [right]) for left, right in pairs])).tolist() == [table(*pair) for pair in pairs]


def test_subsequences_at_the_ends_of_a_number() -> None:
    source = random.Random(3)
    lengths = [0, 1, 62, 63, 64, 65, 130]
    pairs = [(source.choices(range(kinds), k=left), source.choices(range(kinds), k=right)) for kinds in (1, 3, 40) for left in lengths for right in lengths]
    pairs.append((source.choices(range(3), k=lcs.MAX_STEPS + 1), source.choices(range(3), k=64)))
    assert lcs.lcs_lengths(flat([(left, [right]) for left, right in pairs])).tolist() == [table(*pair) for pair in pairs]
