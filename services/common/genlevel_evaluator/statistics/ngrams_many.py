"""Clipped n-gram matches of many samples at once, counted on arrays.

Words are numbers, any that are equal for equal words. Every n-gram becomes a key that no other n-gram and no other sample has: for a
word its sample and its number, for a longer one the number of its first n - 1 words there and that of its last. Only n-grams whose parts
are found on both sides of their sample are looked at, since no other can match. Keys are told apart by a table that is addressed by
hash and then compared with the keys themselves, so the counts are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
MAX_WORDS = 1 << 13
"""Words counted together, so that the arrays stay in the processor's cache; a larger sample is counted alone."""
FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
"""Odd multipliers that spread keys over a table, one a round."""


class Samples(NamedTuple):
    """Texts of some samples one after another, of each the output and then its references.

    Attributes:
        words: the words of all texts, as numbers from 0.
        lengths: words of each text.
        sizes: texts of each sample, 2 at least.
    """

    words: Integers
    lengths: Integers
    sizes: Integers

    @property
    def outputs(self) -> Integers:
        """The place of each output among the texts."""
        return np.cumsum(self.sizes) - self.sizes

    @property
    def several(self) -> bool:
        """Whether any sample has more than one reference."""
        return len(self.lengths) > 2 * len(self.sizes)

    def pairs(self) -> Samples:
        """Each reference with a copy of the output as a sample of its own."""
        if not self.several:
            return self
        outputs = np.repeat(self.outputs, self.sizes - 1)
        is_reference = np.ones(len(self.lengths), dtype=bool)
        is_reference[self.outputs] = False
        chosen = np.column_stack([outputs, np.flatnonzero(is_reference)]).ravel()
        return Samples(taken(self.words, self.lengths, chosen), self.lengths[chosen], np.full(len(outputs), 2))


class Counts(NamedTuple):
    """Of each sample: matches and n-grams of each order, words of the output and of the reference nearest in length."""

    matches: Integers
    totals: Integers
    lengths: Integers


def taken(values: Integers, lengths: Integers, chosen: Integers) -> Integers:
    """The values of the chosen texts, one after another.

    >>> taken(np.array([1, 2, 3]), np.array([2, 1]), np.array([1, 0, 0])).tolist()
    [3, 1, 2, 1, 2]
    """
    sizes = lengths[chosen]
    starts = (np.cumsum(lengths) - lengths)[chosen]
    return np.asarray(values[np.arange(int(sizes.sum())) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)])


def counts(samples: Samples, order: int = 4) -> Counts:
    """What `ngrams_bleu.counts` gives, for all samples.

    >>> texts = Samples(np.array([1, 1, 1, 2, 1, 2, 1, 1]), np.array([4, 2, 2]), np.array([3]))
    >>> counts(texts, order=2)
    Counts(matches=array([[3, 2]]), totals=array([[4, 3]]), lengths=array([[4, 2]]))
    """
    own = samples.lengths[samples.outputs]
    totals = np.maximum(own[:, None] - np.arange(order), 0)
    return Counts(matches(samples, order), totals, np.column_stack([own, _nearest(samples)]))


def matches(samples: Samples, order: int = 4) -> Integers:
    """Clipped matches of each order, 1 to `order`, of each sample: an array of shape (samples, orders)."""
    parts = [_matches(run, order) for run in runs(samples)]
    return np.concatenate(parts) if parts else np.zeros((0, order), dtype=np.int64)


def numbered(keys: Integers) -> Integers:
    """For each key the place of one that is equal, the same for all that are.

    >>> numbered(np.array([7, 5, 7, 5, 6])).tolist() in ([0, 1, 0, 1, 4], [2, 3, 2, 3, 4])
    True
    """
    bits = max(4, (2 * len(keys)).bit_length())
    table = np.empty(1 << bits, dtype=np.int64)
    places, left = np.empty(len(keys), dtype=np.int64), np.arange(len(keys))
    for factor in FACTORS:
        wanted = keys if len(left) == len(keys) else keys[left]
        hashed = ((wanted.view(np.uint64) * np.uint64(factor)) >> np.uint64(64 - bits)).view(np.int64)
        table[hashed] = left  # of several the last stays
        places[left] = found = table[hashed]
        left = left[keys[found] != wanted]
        if not len(left):
            return places
    _, first, number = np.unique(keys[left], return_index=True, return_inverse=True)
    places[left] = left[first[number]]
    return places


def runs(samples: Samples) -> Iterator[Samples]:
    """Runs of samples with MAX_WORDS words at most, or one sample."""
    if not len(samples.sizes):
        return
    texts = np.concatenate([[0], np.cumsum(samples.sizes)])
    words = np.concatenate([[0], np.cumsum(samples.lengths)])
    ends = words[texts]
    start = 0
    while start < len(samples.sizes):
        end = max(start + 1, int(np.searchsorted(ends, ends[start] + MAX_WORDS, side="right")) - 1)
        yield Samples(samples.words[ends[start] : ends[end]], samples.lengths[texts[start] : texts[end]], samples.sizes[start:end])
        start = end


class _Places:
    """Where each word stands: its text, its sample, and whether that is the output."""

    def __init__(self, samples: Samples) -> None:
        self.texts = len(samples.lengths)
        self.samples = len(samples.sizes)
        self.text = np.repeat(np.arange(self.texts), samples.lengths)
        sample = np.repeat(np.arange(self.samples), samples.sizes)
        self.sample = np.repeat(sample, samples.lengths)
        output = np.zeros(self.texts, dtype=bool)
        output[samples.outputs] = True
        self.output = np.repeat(output, samples.lengths)
        self.several = samples.several


def _matches(samples: Samples, order: int) -> Integers:
    """Of one run of samples."""
    places, size = _Places(samples), len(samples.words)
    result = np.zeros((places.samples, order), dtype=np.int64)
    if not size:
        return result
    here = np.arange(size)
    keys = places.sample * (int(samples.words.max()) + 1) + samples.words
    words = grams = np.empty(0, dtype=np.int64)
    for column in range(order):
        if column:
            here = here[: np.searchsorted(here, size - column)]
            # An n-gram that is on both sides has words and shorter n-grams that are.
            here = here[(grams[here + 1] >= 0) & (places.text[here] == places.text[here + column])]
            keys = grams[here] * size + words[here + column]
        if not len(here):
            break
        number = numbered(keys)
        shared = _shared(number, here, places)
        found = np.flatnonzero(shared)
        result[:, column] = np.bincount(places.sample[here[found]], weights=shared[found], minlength=places.samples)
        kept = shared[number] > 0
        here = here[kept]
        grams = np.full(size, -1, dtype=np.int64)
        grams[here] = number[kept]
        words = words if column else grams
    return result


def _shared(number: Integers, here: Integers, places: _Places) -> Integers:
    """Clipped matches of each numbered n-gram; an n-gram is of one sample."""
    output = places.output[here]
    own, other = np.bincount(number[output], minlength=len(here)), np.bincount(number[~output], minlength=len(here))
    shared = np.minimum(own, other)
    if places.several:
        # Of several references the one that has most of it limits; that matters only where the output repeats it.
        repeated = shared > 1
        chosen = np.flatnonzero(repeated[number] & ~output)
        if len(chosen):
            pairs, times = np.unique(number[chosen] * places.texts + places.text[here[chosen]], return_counts=True)
            most = np.zeros(len(here), dtype=np.int64)
            np.maximum.at(most, pairs // places.texts, times)
            shared[repeated] = np.minimum(own[repeated], most[repeated])
    return shared


def _nearest(samples: Samples) -> Integers:
    """Words of the reference nearest in length to the output; of two equally near ones the shorter."""
    if not len(samples.sizes):
        return np.zeros(0, dtype=np.int64)
    largest = int(samples.lengths.max()) + 1
    difference = np.abs(samples.lengths - np.repeat(samples.lengths[samples.outputs], samples.sizes))
    rank = difference * largest + samples.lengths
    rank[samples.outputs] = largest * largest
    return np.asarray(np.minimum.reduceat(rank, samples.outputs) % largest)
