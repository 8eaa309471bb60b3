"""Bootstrap weights: how often each sample counts in each replicate, drawn from Poisson(1) by a counter-based generator.

A weight depends on (seed, key, replicate) alone: SplitMix64's mixing function of a 64-bit digest of the key and of the replicate's
counter, turned into a count by inversion. The upper 16 bits of the number fix the count but for 12 of 65,536 values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 256
"""Keys worked on at a time: the numbers of 1,000 replicates then stay near the processor."""
# P(Poisson(1) <= k): a uniform number is turned into a count by its place among these.
_CUMULATED = np.cumsum([np.exp(-1.0) / float(np.prod(np.arange(1, k + 1))) for k in range(13)])
_TOP = 16
_UNDECIDED = 255
_Bits = NDArray[np.uint64]


def _counts(bits: _Bits) -> NDArray[np.int64]:
    """Counts of numbers of 53 random bits."""
    return np.searchsorted(_CUMULATED, bits.astype(np.float64) * 2.0**-53)


def _table() -> NDArray[np.uint8]:
    lowest = np.arange(1 << _TOP, dtype=np.uint64) << np.uint64(53 - _TOP)
    least, most = _counts(lowest), _counts(lowest + np.uint64((1 << (53 - _TOP)) - 1))
    return np.where(least == most, least, _UNDECIDED).astype(np.uint8)


_COUNT_OF_TOP = _table()


def poisson_weights(keys: Sequence[str], seed: int = 0, replicates: int = 1000, first: int = 0) -> NDArray[np.float64]:
    """Weights, shape (replicates, n), of the replicates from `first` on.

    >>> poisson_weights(["a", "b"]).mean(axis=0).round(1).tolist()
    [1.0, 1.0]
    """
    return weights_of(digests(keys), seed, replicates, first)


def weights_of(keys: _Bits, seed: int = 0, replicates: int = 1000, first: int = 0) -> NDArray[np.float64]:
    """Weights as `poisson_weights` gives them, of keys given by their digests: for who asks for few replicates at a time."""
    counters = np.arange(first + 1, first + replicates + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    weights = np.empty((replicates, len(keys)))
    numbers, spare = np.empty((2, replicates, min(BLOCK, len(keys))), dtype=np.uint64)
    for start in range(0, len(keys), BLOCK):
        part = slice(start, start + BLOCK)
        of_key = keys[part].copy()
        _mix(of_key, np.empty_like(of_key))
        if len(of_key) < numbers.shape[1]:
            numbers, spare = np.empty((2, replicates, len(of_key)), dtype=np.uint64)
        np.bitwise_xor(counters[:, None], of_key, out=numbers)
        weights[:, part] = _drawn(_mix(numbers, spare), spare)
    return weights


def digests(keys: Iterable[str]) -> _Bits:
    """64 bits of each key."""
    found = bytearray()
    for key in keys:
        found += hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.frombuffer(found, dtype="<u8").astype(np.uint64, copy=False)


def _mix(x: _Bits, spare: _Bits) -> _Bits:
    """SplitMix64's mixing function, in place."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x ^= np.right_shift(x, np.uint64(shift), out=spare)
        x *= np.uint64(factor)
    x ^= np.right_shift(x, np.uint64(31), out=spare)
    return x


def _drawn(numbers: _Bits, spare: _Bits) -> NDArray[np.uint8]:
    weights: NDArray[np.uint8] = _COUNT_OF_TOP[np.right_shift(numbers, np.uint64(64 - _TOP), out=spare)]
    undecided = np.flatnonzero(weights == _UNDECIDED)
    weights.flat[undecided] = _counts(numbers.flat[undecided] >> np.uint64(11))
    return weights
