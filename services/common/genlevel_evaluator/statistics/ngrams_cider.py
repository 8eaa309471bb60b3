"""CIDEr and CIDEr-D of a whole set: tf-idf weighted n-grams, cosines of each order, mean over orders and references.

    weight of an n-gram in a text = how often it occurs there * (log samples - log max(1, samples with it in a reference))
    CIDEr of a sample             = 10 * mean over orders 1 to 4 and references of the cosine of the two texts' weights
    CIDEr-D                       weights of the output are clipped to those of the reference in the product (not in the norms),
                                  and each cosine is multiplied by exp(-(difference in bigrams)^2 / (2 * 6^2))

Words are numbers here, any that are equal for equal words. All samples are worked on at once: an n-gram becomes a number by joining
the number of its first n - 1 words with that of its last, and sums over n-grams are sums over sorted arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
ORDERS = 4
SIGMA = 6.0


class Texts(NamedTuple):
    """Texts one after another: their words, how many each has, and the sample each belongs to, ascending."""

    words: Integers
    lengths: Integers
    sample: Integers


class Joined(NamedTuple):
    """Hypotheses, then references, as one list of texts.

    Attributes:
        samples: how many there are, and so where the references begin.
        lengths: words of each text.
        owner: sample of each text.
        text: text of each word.
        words: the words, renumbered from 0.
    """

    samples: int
    lengths: Integers
    owner: Integers
    text: Integers
    words: Integers

    def penalties(self) -> Floats:
        """CIDEr-D's factor for the length of the output against each reference."""
        bigrams = np.maximum(self.lengths - 1, 0)
        difference = bigrams[self.owner[self.samples :]] - bigrams[self.samples :]
        return np.asarray(np.exp(-(difference**2) / (2.0 * SIGMA**2)))


class Counted(NamedTuple):
    """How often each text has each n-gram of one order, sorted by text and n-gram; `kinds` n-grams there are."""

    of_text: Integers
    gram: Integers
    times: Integers
    kinds: int

    def reference_start(self, samples: int) -> int:
        """Where the references begin."""
        return int(np.searchsorted(self.of_text, samples))

    def matched(self, owner: Integers, samples: int) -> Integers:
        """For each n-gram of a reference its place in the sample's hypothesis, -1 where that lacks it."""
        start = self.reference_start(samples)
        if not start:
            return np.full(len(self.gram), -1, dtype=np.int64)
        # Texts 0 to samples - 1 are the hypotheses, in order of their samples: their keys are sorted by sample and n-gram.
        keys = self.of_text[:start] * self.kinds + self.gram[:start]
        wanted = owner[self.of_text[start:]] * self.kinds + self.gram[start:]
        place = np.minimum(np.searchsorted(keys, wanted), start - 1)
        return np.where(keys[place] == wanted, place, -1)

    def of_references(self, owner: Integers, samples: int) -> tuple[Integers, Integers]:
        """Pairs of a sample and an n-gram that one of its references has: samples, n-grams."""
        start = self.reference_start(samples)
        pairs = np.unique(owner[self.of_text[start:]] * self.kinds + self.gram[start:])
        return pairs // max(self.kinds, 1), pairs % max(self.kinds, 1)


def joined(hypotheses: Texts, references: Texts) -> Joined:
    """Both as one list."""
    lengths = np.concatenate([hypotheses.lengths, references.lengths])
    owner = np.concatenate([hypotheses.sample, references.sample])
    text = np.repeat(np.arange(len(lengths)), lengths)
    words = np.unique(np.concatenate([hypotheses.words, references.words]), return_inverse=True)[1].astype(np.int64)
    return Joined(len(hypotheses.lengths), lengths, owner, text, words)


def orders(texts: Joined) -> Iterator[Counted]:
    """The counts of each order, 1 to 4."""
    grams = texts.words
    for order in range(1, ORDERS + 1):
        if order > 1:
            grams = _longer(grams, texts.text, texts.words, order)
        there = grams >= 0
        kinds = int(grams.max(initial=-1)) + 1
        keys, counts = np.unique(texts.text[there] * kinds + grams[there], return_counts=True)
        yield Counted(keys // max(kinds, 1), keys % max(kinds, 1), counts, kinds)


def cider(hypotheses: Texts, references: Texts, clipped: bool = True) -> Floats:
    """Score of each sample, 10 for a perfect one. Each has one hypothesis and one reference or more.

    `clipped` is CIDEr-D, without it plain CIDEr. Of one sample alone the score is 0, since no n-gram tells it from others.

    >>> texts = Texts(np.array([1, 2, 3, 4, 5, 6, 7, 8]), np.array([4, 4]), np.array([0, 1]))
    >>> cider(texts, texts).round(6).tolist()
    [10.0, 10.0]
    """
    texts = joined(hypotheses, references)
    total = np.zeros(len(references.lengths))
    for counted in orders(texts):
        total += _cosines(counted, texts.owner, texts.samples, clipped)
    if clipped:
        total *= texts.penalties()
    summed = np.bincount(references.sample, weights=total, minlength=texts.samples)
    return np.asarray(10.0 / ORDERS * summed / np.bincount(references.sample, minlength=texts.samples))


def _longer(grams: Integers, text: Integers, words: Integers, order: int) -> Integers:
    """Numbers of the n-grams of an order, from those of the order below; -1 marks places where a text ends."""
    inside = np.zeros(len(grams), dtype=bool)
    inside[: len(grams) - 1] = (grams[:-1] >= 0) & (text[:-1] == text[1:]) & (grams[1:] >= 0)
    # The last word of the n-gram at place i stands order - 1 places on; the arrays keep the length of the words.
    places = np.flatnonzero(inside)
    joined = grams[places] * (int(words.max(initial=0)) + 1) + words[places + order - 1]
    longer = np.full(len(grams), -1, dtype=np.int64)
    longer[places] = np.unique(joined, return_inverse=True)[1]
    return longer


def _cosines(counted: Counted, owner: Integers, samples: int, clipped: bool) -> Floats:
    """Cosine of each reference with the hypothesis of its sample."""
    references = len(owner) - samples
    start = counted.reference_start(samples)
    frequency = np.bincount(counted.of_references(owner, samples)[1], minlength=counted.kinds)
    rarity = np.log(float(samples)) - np.log(np.maximum(1.0, frequency))
    weight = counted.times * rarity[counted.gram]
    norm = np.sqrt(np.bincount(counted.of_text, weights=weight**2, minlength=len(owner)))
    place = counted.matched(owner, samples)
    theirs, own = weight[start:], np.where(place >= 0, weight[place], 0.0)
    product = (np.minimum(own, theirs) if clipped else own) * theirs
    dot = np.bincount(counted.of_text[start:] - samples, weights=product, minlength=references)
    scale = norm[owner[samples:]] * norm[samples:]
    return np.asarray(np.divide(dot, scale, out=np.zeros(references), where=scale > 0))
