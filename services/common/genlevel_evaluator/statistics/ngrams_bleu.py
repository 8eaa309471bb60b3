"""BLEU: clipped n-gram matches of a sample, and the value of summed counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics import ngrams

MAX_SEARCH = 80_000
"""Largest product of the lengths of output and references for which substrings are searched."""
_ELSE = "\0"
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
    matches = [ngrams.clipped_tokens(hypothesis, references)]
    if order > 1 and matches[0] > 1:
        count = _by_search if length * sum(lengths) <= MAX_SEARCH else _by_sorting
        matches += count(hypothesis, references, order)
    totals = tuple([max(0, length - size) for size in range(order)])
    nearest = length if length in lengths else ngrams.closest_length(length, lengths)
    return BleuCounts((*matches, *[0] * (order - len(matches))), totals, length, nearest)


def _by_search(hypothesis: Sequence[str], references: Sequence[Sequence[str]], order: int) -> list[int]:
    """Matches of each order from 2, as far as there are any.

    Words become characters, so that an n-gram is looked for as a substring of all references at once and n-grams of the references
    are never listed.
    """
    # A repeated word keeps the character of its last place.
    codes = dict(zip(hypothesis, _ALPHABET, strict=False))
    unique = len(codes) == len(hypothesis)
    text = _ALPHABET[: len(hypothesis)] if unique else "".join(map(codes.__getitem__, hypothesis))
    coded = ["".join(map(codes.get, reference, repeat(_ELSE))) for reference in references]
    wanted = _ELSE.join(coded)
    matches: list[int] = []
    grams: Sequence[str] = text
    for size in range(1, order):
        grams = list(map(add, grams, text[size:]))
        found = list(filter(wanted.__contains__, grams))
        if not found:
            break
        matches.append(len(found) if unique else _clipped(found, coded))
    return matches


def _clipped(grams: list[str], references: Sequence[str]) -> int:
    """Number of n-grams, each at most as often as in the reference that has most of it; each is in one of them."""
    total = len(set(grams))
    if total < len(grams):
        for gram, count in Counter(grams).items():
            if count > 1:
                total += min(count, max([_occurrences(gram, reference) for reference in references])) - 1
    return total


def _occurrences(gram: str, text: str) -> int:
    """As str.count, with those that overlap."""
    if gram[0] not in gram[1:]:
        return text.count(gram)
    found, place = 0, text.find(gram)
    while place >= 0:
        found, place = found + 1, text.find(gram, place + 1)
    return found


def _by_sorting(hypothesis: Sequence[str], references: Sequence[Sequence[str]], order: int) -> list[int]:
    """The same for long texts: n-grams as numbers, sorted."""
    codes = dict(zip(hypothesis, range(1, len(hypothesis) + 1), strict=True))
    base = len(hypothesis) + 1
    places = [0]
    numbers = list(map(codes.__getitem__, hypothesis))
    for reference in references:
        numbers.append(0)
        places.append(len(numbers))
        numbers += map(codes.get, reference, repeat(0))
    words = np.array(numbers, dtype=np.int64)
    owners = np.repeat(np.arange(len(places)), np.diff([*places, len(numbers)]))
    matches: list[int] = []
    grams, here = words.copy(), np.flatnonzero(words)
    for size in range(1, order):
        here = here[here < len(words) - size]
        here = here[words[here + size] > 0]  # a word that the output has not, and the gap between two texts, end every n-gram
        kinds, numbered = np.unique(grams[here] * base + words[here + size], return_inverse=True)
        grams[here] = numbered
        found = _shared(numbered, owners[here], len(kinds), len(places))
        if not found:
            break
        matches.append(found)
    return matches


def _shared(grams: NDArray[np.int64], owners: NDArray[np.int64], kinds: int, texts: int) -> int:
    """Clipped matches of numbered n-grams; owner 0 is the output."""
    pairs, times = np.unique(grams * texts + owners, return_counts=True)
    gram, owner = np.divmod(pairs, texts)
    own, limit = np.zeros(kinds, dtype=np.int64), np.zeros(kinds, dtype=np.int64)
    mine = owner == 0
    own[gram[mine]] = times[mine]
    np.maximum.at(limit, gram[~mine], times[~mine])
    return int(np.minimum(own, limit).sum())


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
