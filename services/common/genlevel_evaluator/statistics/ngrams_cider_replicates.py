"""CIDEr of resampled sets: a sample of weight w stands in the set w times, in the mean and in the document frequencies.

With u = (log set size - log max(1, weighted document frequency))^2 of an n-gram, the dot product and both squared norms of a cosine
are linear in u, with factors that no replicate changes. So a replicate is a few products with sparse matrices, and many are worked on
at once. N-grams that one sample alone has share one u a sample, those that only outputs have one u in all: most are of these kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics.ngrams_cider import ORDERS, Counted, Floats, Integers, Texts, joined, orders


@dataclass(frozen=True)
class _Sums:
    """Sums over n-grams of u times a factor, for each of some texts."""

    shared: Any
    own: Floats
    nowhere: Floats

    def of(self, shared: Floats, own: Floats, nowhere: Floats) -> Floats:
        """Shape (texts, replicates)."""
        return np.asarray(self.shared @ shared + self.own[:, None] * own + self.nowhere[:, None] * nowhere)


@dataclass(frozen=True)
class _Order:
    """What one order of n-grams needs."""

    presence: Any
    hypothesis: _Sums
    reference: _Sums
    dot: _Sums


class Replicates:
    """CIDEr of resampled sets.

    Args:
        hypotheses: one a sample.
        references: one or more a sample.
        clipped: CIDEr-D, else plain CIDEr.
    """

    def __init__(self, hypotheses: Texts, references: Texts, clipped: bool = True) -> None:
        texts = joined(hypotheses, references)
        self._samples = texts.samples
        self._owner = references.sample
        self._orders = [_order(counted, texts.owner, texts.samples, clipped) for counted in orders(texts)]
        self._factor = texts.penalties() if clipped else np.ones(len(references.lengths))
        self._factor /= np.bincount(references.sample, minlength=texts.samples)[references.sample]
        self._first = np.searchsorted(references.sample, np.arange(texts.samples))

    def means(self, weights: Floats) -> Floats:
        """Mean score of each replicate; weights are counts, shape (replicates, samples). NaN for a replicate of nothing.

        >>> texts = Texts(np.array([1, 2, 3, 4, 5, 6, 7, 8]), np.array([4, 4]), np.array([0, 1]))
        >>> Replicates(texts, texts).means(np.array([[1.0, 1.0], [3.0, 1.0], [2.0, 0.0]])).round(6).tolist()
        [10.0, 10.0, 0.0]
        """
        each = np.ascontiguousarray(weights.T)
        size = each.sum(axis=0)
        logarithms = np.log(np.maximum(1, np.arange(int(size.max(initial=0)) + 1)))
        whole = logarithms[size.astype(np.int64)]
        own = (whole - logarithms[each.astype(np.int64)]) ** 2
        total = np.zeros((len(self._owner), len(weights)))
        for order in self._orders:
            frequency = (order.presence @ each).astype(np.int64)
            total += _cosines(order, (whole - logarithms[frequency]) ** 2, own, whole**2, self._owner)
        scores = np.add.reduceat(total * self._factor[:, None], self._first, axis=0) * (10.0 / ORDERS)
        with np.errstate(invalid="ignore"):
            return np.asarray((np.minimum(10.0, scores) * each).sum(axis=0) / size)


def _cosines(order: _Order, shared: Floats, own: Floats, nowhere: Floats, owner: Integers) -> Floats:
    hypothesis, of_owner = order.hypothesis.of(shared, own, nowhere), own[owner]
    scale = np.sqrt(hypothesis)[owner] * np.sqrt(order.reference.of(shared, of_owner, nowhere))
    dot = order.dot.of(shared, of_owner, nowhere)
    return np.asarray(np.divide(dot, scale, out=np.zeros_like(scale), where=scale > 0))


def _order(counted: Counted, owner: Integers, samples: int, clipped: bool) -> _Order:
    from scipy import sparse

    sample, gram = counted.of_references(owner, samples)
    start = counted.reference_start(samples)
    group = _Groups.of(counted, owner, np.bincount(gram, minlength=counted.kinds))
    inside = group.number[gram] >= 0
    presence = sparse.csr_array((np.ones(int(inside.sum())), (group.number[gram[inside]], sample[inside])), shape=(group.shared, samples))
    times = counted.times.astype(np.float64)
    place = counted.matched(owner, samples)
    others = np.where(place >= 0, times[place], 0.0)
    product = (np.minimum(others, times[start:]) if clipped else others) * times[start:]
    text = counted.of_text
    return _Order(
        presence,
        group.sums(text[:start], counted.gram[:start], times[:start] ** 2, samples),
        group.sums(text[start:] - samples, counted.gram[start:], times[start:] ** 2, len(owner) - samples),
        group.sums(text[start:] - samples, counted.gram[start:], product, len(owner) - samples),
    )


@dataclass(frozen=True)
class _Groups:
    """N-grams by where they occur: number among the shared ones, -1 for those of one sample alone, -2 for those in no reference."""

    number: Integers
    shared: int

    @classmethod
    def of(cls, counted: Counted, owner: Integers, frequency: Integers) -> _Groups:
        lowest, highest = np.full(counted.kinds, len(owner)), np.full(counted.kinds, -1)
        sample = owner[counted.of_text]
        np.minimum.at(lowest, counted.gram, sample)
        np.maximum.at(highest, counted.gram, sample)
        alone = lowest == highest
        number = np.where(frequency == 0, -2, -1)
        shared = np.flatnonzero((frequency > 0) & ~alone)
        number[shared] = np.arange(len(shared))
        return cls(number, len(shared))

    def sums(self, text: Integers, gram: Integers, factor: Floats, texts: int) -> _Sums:
        """Sums of `factor` for each text, by group."""
        from scipy import sparse

        number = self.number[gram]
        kept: NDArray[np.bool_] = (number >= 0) & (factor > 0)
        matrix = sparse.csr_array((factor[kept], (text[kept], number[kept])), shape=(texts, self.shared))
        own, nowhere = (np.asarray(np.bincount(text, weights=np.where(number == kind, factor, 0.0), minlength=texts), dtype=np.float64) for kind in (-1, -2))
        return _Sums(matrix, own, nowhere)
