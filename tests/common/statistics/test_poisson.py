"""Bootstrap weights: the definition in Python's own integers, and the distribution."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from genlevel_evaluator.statistics.poisson import BLOCK, poisson_weights

MASK = (1 << 64) - 1


def mixed(number: int) -> int:
    """SplitMix64's mixing function."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & MASK
    return number ^ number >> 31


def weight(key: str, replicate: int, seed: int) -> int:
    digest = int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    uniform = (mixed((replicate * 0x9E3779B97F4A7C15 + seed & MASK) ^ mixed(digest)) >> 11) * 2.0**-53
    return sum(uniform > math.fsum(math.exp(-1.0) / math.factorial(i) for i in range(k + 1)) for k in range(13))


@pytest.mark.parametrize("seed", [0, 7])
def test_definition(seed: int) -> None:
    keys = [*map(str, range(BLOCK + 40)), "", "é", "\ud800"]
    found = poisson_weights(keys, seed=seed, replicates=60)
    assert found.tolist() == [[weight(key, replicate, seed) for key in keys] for replicate in range(1, 61)]


def test_distribution() -> None:
    found = poisson_weights([f"sample {i}" for i in range(2000)])
    counts = Counter(found.ravel().astype(int).tolist())
    expected = [stats.poisson.pmf(k, 1.0) * found.size for k in range(8)]
    assert all(abs(counts[k] - n) < 4 * math.sqrt(n) for k, n in enumerate(expected))
    assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 0.15


def test_no_keys() -> None:
    assert poisson_weights([]).shape == (1000, 0)


def test_replicates_from_a_place_on() -> None:
    keys = ["a", "b", "c"]
    assert np.array_equal(poisson_weights(keys, replicates=5, first=7), poisson_weights(keys, replicates=12)[7:])
