"""CIDEr and CIDEr-D of a whole set: tf-idf weighted n-grams, cosines of each order, mean over orders and references.

    weight of an n-gram in a text = how often it occurs there * (log samples - log max(1, samples with it in a reference))
    CIDEr of a sample             = 10 * mean over orders 1 to 4 and references of the cosine of the two texts' weights
    CIDEr-D                       weights of the output are clipped to those of the reference in the product (not in the norms),
                                  and each cosine is multiplied by exp(-(difference in bigrams)^2 / (2 * 6^2))

Words are numbers here, any that are equal for equal words. All samples are worked on at once: an n-gram becomes a number by joining
the number of its first n - 1 words with that of its last, and sums over n-grams are sums over sorted arrays.
"""

from __future__ import annotations

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


def cider(hypotheses: Texts, references: Texts, clipped: bool = True) -> Floats:
    """Score of each sample, 10 for a perfect one. Each has one hypothesis and one reference or more.

    `clipped` is CIDEr-D, without it plain CIDEr. Of one sample alone the score is 0, since no n-gram tells it from others.

    >>> texts = Texts(np.array([1, 2, 3, 4, 5, 6, 7, 8]), np.array([4, 4]), np.array([0, 1]))
    >>> cider(texts, texts).round(6).tolist()
    [10.0, 10.0]
    """
    samples = len(hypotheses.lengths)
    lengths = np.concatenate([hypotheses.lengths, references.lengths])
    owner = np.concatenate([hypotheses.sample, references.sample])
    text = np.repeat(np.arange(len(lengths)), lengths)
    words = np.unique(np.concatenate([hypotheses.words, references.words]), return_inverse=True)[1].astype(np.int64)
    grams, total = words, np.zeros(len(references.lengths))
    for order in range(1, ORDERS + 1):
        if order > 1:
            grams = _longer(grams, text, words, order)
        total += _cosines(grams, text, owner, samples, clipped)
    if clipped:
        bigrams = np.maximum(lengths - 1, 0)
        total *= np.exp(-((bigrams[owner[samples:]] - bigrams[samples:]) ** 2) / (2.0 * SIGMA**2))
    summed = np.bincount(references.sample, weights=total, minlength=samples)
    return np.asarray(10.0 / ORDERS * summed / np.bincount(references.sample, minlength=samples))


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


def _cosines(grams: Integers, text: Integers, owner: Integers, samples: int, clipped: bool) -> Floats:
    """Cosine of each reference with the hypothesis of its sample."""
    references = len(owner) - samples
    there = grams >= 0
    kinds = int(grams.max(initial=-1)) + 1
    keys, counts = np.unique(text[there] * kinds + grams[there], return_counts=True)
    if not len(keys):
        return np.zeros(references)
    of_text, gram = keys // kinds, keys % kinds
    weight = counts * _idf(of_text, gram, owner, samples, kinds)[gram]
    norm = np.sqrt(np.bincount(of_text, weights=weight**2, minlength=len(owner)))
    start = int(np.searchsorted(of_text, samples))
    # Texts 0 to samples - 1 are the hypotheses, in order of their samples: their keys are sorted by sample and n-gram.
    wanted = owner[of_text[start:]] * kinds + gram[start:]
    place = np.minimum(np.searchsorted(keys[:start], wanted), max(start - 1, 0))
    theirs, own = weight[start:], np.where(keys[place] == wanted, weight[place], 0.0)
    product = (np.minimum(own, theirs) if clipped else own) * theirs
    dot = np.bincount(of_text[start:] - samples, weights=product, minlength=references)
    scale = norm[owner[samples:]] * norm[samples:]
    return np.asarray(np.divide(dot, scale, out=np.zeros(references), where=scale > 0))


def _idf(of_text: Integers, gram: Integers, owner: Integers, samples: int, kinds: int) -> Floats:
    of_reference = of_text >= samples
    pairs = np.unique(owner[of_text[of_reference]] * kinds + gram[of_reference])
    frequency = np.bincount(pairs % kinds, minlength=kinds)
    return np.asarray(np.log(float(samples)) - np.log(np.maximum(1.0, frequency)))
