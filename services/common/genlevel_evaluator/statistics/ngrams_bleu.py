"""BLEU: clipped n-gram matches of a sample, and the value of summed counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics import ngrams

MAX_SEARCH = 1 << 16
"""Largest product of the lengths of output and references for which substrings are searched."""
_ELSE = "\0"
_ELSES = repeat(_ELSE)
_ALPHABET = "".join(map(chr, range(1, MAX_SEARCH + 2)))


class BleuCounts(NamedTuple):
    """What a sample adds: matches and n-grams of each order, words of the output, words of the reference that counts."""

    matches: tuple[int, ...]
    totals: tuple[int, ...]
    hypothesis_length: int
    reference_length: int


def counts(hypothesis: Sequence[str], references: Sequence[Sequence[str]], order: int = 4) -> BleuCounts:
    """Counts of one sample. References clip together; the one nearest in length gives the reference length.

    >>> counts("the the the cat".split(), ["the cat".split(), "the the".split()], order=2)
    BleuCounts(matches=(3, 2), totals=(4, 3), hypothesis_length=4, reference_length=2)
    """
    length = len(hypothesis)
    lengths = list(map(len, references))
    count = _by_search if length * sum(lengths) <= MAX_SEARCH else _by_sets
    matches = count(hypothesis, references, order)
    totals = tuple([max(0, length - size) for size in range(order)])
    nearest = length if length in lengths else ngrams.closest_length(length, lengths)
    return BleuCounts(tuple(matches + [0] * (order - len(matches))), totals, length, nearest)


def _by_search(hypothesis: Sequence[str], references: Sequence[Sequence[str]], order: int) -> list[int]:
    """Matches of each order, as far as there are any.

    Words become characters, so that an n-gram is looked for as a substring of all references at once and n-grams of the references
    are never listed. An n-gram can only occur where both its parts of one word less do.
    """
    # A repeated word keeps the character of its last place.
    codes = dict(zip(hypothesis, _ALPHABET, strict=False))
    unique = len(codes) == len(hypothesis)
    text = _ALPHABET[: len(hypothesis)] if unique else "".join(map(codes.__getitem__, hypothesis))
    coded = ["".join(map(codes.get, reference, _ELSES)) for reference in references]
    wanted = _ELSE.join(coded)
    places = [place for place, character in enumerate(text) if character in wanted]
    matches: list[int] = []
    for size in range(1, order + 1):
        if size > 1:
            starts = set(places)
            places = [place for place in places if place + 1 in starts and text[place : place + size] in wanted]
        if not places:
            break
        matches.append(len(places) if unique else _clipped([text[place : place + size] for place in places], coded))
    return matches


def _clipped(grams: list[str], references: Sequence[str]) -> int:
    """Number of n-grams, each at most as often as in the reference that has most of it; each is in one of them."""
    distinct = set(grams)
    total = len(distinct)
    if total < len(grams):
        for gram in distinct:  # no more of them than words in the references, so counting one by one stays within MAX_SEARCH
            count = grams.count(gram)
            if count > 1:
                total += min(count, max([_occurrences(gram, reference) for reference in references])) - 1
    return total


def _occurrences(gram: str, text: str) -> int:
    """As str.count, with those that overlap."""
    found, place = 0, text.find(gram)
    while place >= 0:
        found, place = found + 1, text.find(gram, place + 1)
    return found


def _by_sets(hypothesis: Sequence[str], references: Sequence[Sequence[str]], order: int) -> list[int]:
    """The same for long texts, in linear time."""
    matches: list[int] = []
    for size in range(1, order + 1):
        found = ngrams.clipped_matches(hypothesis, references, size)
        if not found:
            break
        matches.append(found)
    return matches


def value(matches: Sequence[float], totals: Sequence[float], hypothesis_length: float, reference_length: float) -> float:
    """BLEU of counts, unsmoothed, as a fraction; 0 where an order has no match.

    >>> value([4, 3, 2, 1], [4, 3, 2, 1], 4, 4)
    1.0
    """
    if not all(match > 0 for match in matches):
        return 0.0
    precision = math.exp(math.fsum(math.log(match / total) for match, total in zip(matches, totals, strict=True)) / len(matches))
    return precision * ngrams.brevity_penalty(hypothesis_length, reference_length)


def values(matches: NDArray[np.float64], totals: NDArray[np.float64], lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for many sets of counts, for intervals; `lengths` are those of the output and of the reference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.exp(np.mean(np.log(matches / totals), axis=1))
        penalty = np.exp(np.minimum(0.0, 1.0 - lengths[:, 1] / lengths[:, 0]))
        return np.where(np.all(matches > 0, axis=1), precision * penalty, 0.0)
