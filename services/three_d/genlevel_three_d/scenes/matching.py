"""How well motions and their captions find one another in a space they share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 32
"""Motions among which a caption looks for its own."""
BEST = 3
SHUFFLES = 20


def r_precision(texts: Sequence[NDArray[Any]], motions: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """Percent of captions whose motion is among the nearest 1, 2 and 3 of its batch; the mean over shuffles.

    In each shuffle the samples are put into batches and one caption is drawn of each; the last batch, where it is not full, is left out.
    Of motions equally near the one that came first into the batch is the nearer, so that equal motions are found by chance only.

    Args:
        texts: of each sample, its captions (k, d), k > 0.
        motions: of each sample (n, d), at least a batch.
        seed: of the shuffles.

    >>> rows = np.arange(32.0)[:, None]
    >>> r_precision(list(rows[:, None]), rows, 0).tolist()
    [100.0, 100.0, 100.0]
    """
    counts = np.array([len(captions) for captions in texts])
    batches = len(texts) // BATCH
    hits = np.zeros(BEST, dtype=np.int64)
    for shuffle in range(SHUFFLES):
        source = np.random.default_rng((seed, shuffle))
        order = source.permutation(len(texts))[: batches * BATCH]
        drawn = (source.random(len(texts)) * counts).astype(np.int64)
        for batch in order.reshape(batches, BATCH):
            hits += _hits(np.stack([texts[place][drawn[place]] for place in batch]), motions[batch])
    return 100.0 * hits / (SHUFFLES * batches * BATCH)


def _hits(texts: NDArray[Any], motions: NDArray[Any]) -> NDArray[np.int64]:
    distances = _distances(texts, motions)
    own = np.diagonal(distances)[:, None]
    ranks = (distances < own).sum(axis=1) + np.tril(distances == own, -1).sum(axis=1)
    return np.array([int(np.sum(ranks < best)) for best in range(1, BEST + 1)])


def matching_distance(texts: Sequence[NDArray[Any]], motions: NDArray[Any]) -> float:
    """Mean Euclidean distance of a motion and its captions; of several captions the mean.

    >>> matching_distance([np.array([[3.0, 4.0], [0.0, 0.0]])], np.array([[0.0, 0.0]]))
    2.5
    """
    found = [float(_distances(captions, motion[None]).mean()) for captions, motion in zip(texts, motions, strict=True)]
    return math.fsum(found) / len(found)


def _distances(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    found: NDArray[np.float64] = cdist(np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64))
    return found
