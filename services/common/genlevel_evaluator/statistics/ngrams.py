"""Counts of tokens and n-grams, and the ratios made of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import chain

Token = Hashable


def ngrams(tokens: Sequence[Token], order: int) -> Counter[tuple[Token, ...]]:
    """How often each n-gram occurs.

    >>> ngrams(["a", "b", "a", "b"], 2)[("a", "b")]
    2
    """
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def overlap(left: Iterable[Token], right: Iterable[Token]) -> int:
    """Size of the multiset intersection.

    >>> overlap("a b b".split(), "b b b".split())
    2
    """
    return clipped_tokens(list(left), [list(right)])


def clipped_tokens(hypothesis: Sequence[Token], references: Sequence[Sequence[Token]]) -> int:
    """Tokens of the hypothesis found in the references, each at most as often as in the reference that has most of it.

    >>> clipped_tokens("the the the cat".split(), ["the cat".split(), "the the".split()])
    3
    """
    found = set(hypothesis).intersection(*references) if len(references) == 1 else set(hypothesis).intersection(chain(*references))
    total = len(found)
    if total and total < len(hypothesis):
        repeated = [(token, count) for token, count in Counter(hypothesis).items() if count > 1 and token in found]
        if repeated:
            limits = [Counter(reference).get for reference in references]
            total += sum([min(count, max([limit(token, 0) for limit in limits])) - 1 for token, count in repeated])
    return total


def closest_length(length: int, candidates: Iterable[int]) -> int:
    """The candidate nearest to `length`; of two equally near ones the smaller.

    >>> closest_length(12, [13, 11, 2])
    11
    """
    return min(candidates, key=lambda candidate: (abs(candidate - length), candidate))


def brevity_penalty(hypothesis_length: float, reference_length: float) -> float:
    """BLEU's factor for short output: 1 from the reference length on, exp(1 - r / c) below, 0 for no output.

    >>> brevity_penalty(10, 10), brevity_penalty(0, 3)
    (1.0, 0.0)
    """
    if hypothesis_length <= 0:
        return 0.0
    if hypothesis_length >= reference_length:
        return 1.0
    return math.exp(1.0 - reference_length / hypothesis_length)


def ratio(part: float, whole: float) -> float:
    """Part of whole; 0 of nothing."""
    return part / whole if whole else 0.0


def f_measure(precision: float, recall: float) -> float:
    """Harmonic mean; 0 where both are 0.

    >>> f_measure(0.5, 1.0)
    0.6666666666666666
    """
    total = precision + recall
    return 2.0 * precision * recall / total if total > 0 else 0.0
