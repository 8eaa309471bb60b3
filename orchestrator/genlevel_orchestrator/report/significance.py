"""Tests of two runs over the same samples, and what is to be done about many of them. Standard library only."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

FLIPS = 9_999
"""Sign flips drawn where there are too many to go through."""
EXACT_BITS = 13
"""Differences up to which all sign flips are gone through: 2^13 are fewer than those drawn."""
LEVEL = 0.95
FEWEST_REPLICATES = 100
_TOLERANCE = 1e-9  # of the largest sum: flips that only rounding keeps apart are equally far
_GROUP = 8


class Significance(NamedTuple):
    """A two-sided test of no difference.

    Attributes:
        method: which one.
        p: its p-value.
    """

    method: str
    p: float


class PairedBootstrap(NamedTuple):
    """Percentile interval of a difference, and the p-value that belongs to it."""

    low: float
    high: float
    test: Significance


def paired_bootstrap(first: Sequence[float], second: Sequence[float]) -> PairedBootstrap | None:
    """The differences of replicates that were made under equal weights; those without a value on both sides are left out.

    The p-value is twice the smaller share of differences on one side of 0, each share with one added: 2/1001 at the least.

    Returns:
        None where fewer than ``FEWEST_REPLICATES`` differences are left.
    """
    differences = sorted(other - one for one, other in zip(first, second, strict=False) if math.isfinite(one) and math.isfinite(other))
    count = len(differences)
    if count < FEWEST_REPLICATES:
        return None
    below, above = sum(item <= 0.0 for item in differences), sum(item >= 0.0 for item in differences)
    p = min(1.0, 2.0 * (min(below, above) + 1) / (count + 1))
    tail = (1.0 - LEVEL) / 2.0
    return PairedBootstrap(_quantile(differences, tail), _quantile(differences, 1.0 - tail), Significance(f"paired_bootstrap_{count}", p))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the percentile interval of values."""
    ordered = sorted(values)
    tail = (1.0 - LEVEL) / 2.0
    return _quantile(ordered, tail), _quantile(ordered, 1.0 - tail)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest, as numpy's default."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def mcnemar(first: Sequence[float], second: Sequence[float]) -> Significance:
    """McNemar's exact test: under no difference, half of the samples that one run alone has right are the second's.

    >>> mcnemar([100, 100, 0, 0, 0, 0], [0, 100, 0, 100, 100, 100])
    Significance(method='mcnemar_exact', p=0.625)
    """
    gained = sum(other > one for one, other in zip(first, second, strict=True))
    lost = sum(other < one for one, other in zip(first, second, strict=True))
    discordant, fewer = gained + lost, min(gained, lost)
    # In whole numbers, since 2^-n of a large n is no float.
    tail = ways = 1
    for hits in range(fewer):
        ways = ways * (discordant - hits) // (hits + 1)
        tail += ways
    return Significance("mcnemar_exact", min(1.0, 2 * tail / (1 << discordant)))


def sign_flips(differences: Sequence[float]) -> Significance:
    """Permutation test of a mean of paired differences: under no difference, each may as well have the other sign.

    All flips are gone through where there are few; else ``FLIPS`` are drawn from a fixed seed, with one added to both counts.
    """
    moved = [item for item in differences if item != 0.0]
    observed = abs(math.fsum(moved))
    reach = observed - _TOLERANCE * math.fsum(map(abs, moved))
    if len(moved) <= EXACT_BITS:
        sums = _signed_sums(moved)
        return Significance("sign_flip_exact", sum(abs(item) >= reach for item in sums) / len(sums))
    # Sums of eight differences under all their signs are made once; a byte picks one of them.
    tables = [_signed_sums(moved[start : start + _GROUP]) for start in range(0, len(moved), _GROUP)]
    tables[-1] *= (1 << _GROUP) // len(tables[-1])
    generator = random.Random(0)
    hits = sum(abs(sum(map(list.__getitem__, tables, generator.randbytes(len(tables))))) >= reach for _ in range(FLIPS))
    return Significance(f"sign_flip_{FLIPS}", (hits + 1) / (FLIPS + 1))


def _signed_sums(values: Sequence[float]) -> list[float]:
    sums = [0.0]
    for value in values:
        sums = [item - value for item in sums] + [item + value for item in sums]
    return sums


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjustment for several tests, in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted
