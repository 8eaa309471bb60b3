"""Average precision of instances as ScanNet's script has it: matches go reference by reference, and the curve is integrated by central steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ScanMatches:
    """Instances of one class in one scan.

    Attributes:
        scores: of predictions, surest first.
        sizes: points of each prediction.
        ignored: points of each prediction that no reference that counts has: void, and objects that are too small.
        true_sizes: points of each reference that counts.
        pairs: rows of (prediction, reference, shared points).
    """

    scores: NDArray[np.float64]
    sizes: NDArray[np.int64]
    ignored: NDArray[np.int64]
    true_sizes: NDArray[np.int64]
    pairs: NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """What a scan adds to the curve of a class: scores with 1 for right and 0 for wrong, and references that nothing found."""

    scores: NDArray[np.float64]
    right: NDArray[np.float64]
    missed: int
    references: int


def outcome(scan: ScanMatches, threshold: float) -> Outcome:
    """Outcome of a scan at an overlap that a match must exceed."""
    guess, truth, shared = scan.pairs.T
    overlap = shared / (scan.sizes[guess] + scan.true_sizes[truth] - shared)
    enough = overlap > threshold
    visited: set[int] = set()
    scores: list[float] = []
    right: list[float] = []
    missed = 0
    for place in range(len(scan.true_sizes)):
        found, again = _matches(guess[enough & (truth == place)].tolist(), visited)
        if found is None:
            missed += 1
            continue
        # Predictions are taken surest first, so a further one of the same object has the smaller score, and is wrong.
        scores += [float(scan.scores[number]) for number in (found, *again)]
        right += [1.0] + [0.0] * len(again)
    lost = np.setdiff1d(np.arange(len(scan.scores)), guess[enough])
    wrong = lost[scan.ignored[lost] / scan.sizes[lost] <= threshold]
    return Outcome(np.array([*scores, *scan.scores[wrong]]), np.array([*right, *[0.0] * len(wrong)]), missed, len(scan.true_sizes))


def _matches(candidates: Sequence[int], visited: set[int]) -> tuple[int | None, list[int]]:
    """The prediction that finds an object, and further ones that would have."""
    free = [number for number in sorted(candidates) if number not in visited]
    if not free:
        return None, []
    visited.add(free[0])
    return free[0], free[1:]


def average_precision(outcomes: Sequence[Outcome], weights: NDArray[np.float64], predicted: bool) -> float:
    """AP of one class over scans, each with its weight; NaN without a reference.

    >>> one = Outcome(np.array([0.9, 0.8]), np.array([1.0, 0.0]), 0, 1)
    >>> average_precision([one], np.ones(1), True)
    1.0
    """
    if not any(part.references * weight for part, weight in zip(outcomes, weights, strict=True)):
        return float("nan")
    scores = np.concatenate([part.scores for part in outcomes])
    if not predicted or not len(scores):
        return 0.0
    weight = np.repeat(weights, [len(part.scores) for part in outcomes])
    right = np.concatenate([part.right for part in outcomes]) * weight
    missed = float(sum(part.missed * share for part, share in zip(outcomes, weights, strict=True)))
    order = np.argsort(scores, kind="stable")
    starts = np.unique(scores[order], return_index=True)[1]
    before = np.concatenate([[0.0], np.cumsum(right[order])])
    every = np.concatenate([[0.0], np.cumsum(weight[order])])
    hits, taken = before[-1] - before[starts], every[-1] - every[starts]
    lost = before[starts] + missed
    precision = np.append(np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0), 1.0)
    recall = np.append(np.divide(hits, hits + lost, out=np.zeros_like(hits), where=hits + lost > 0), 0.0)
    padded = np.concatenate([recall[:1], recall, [0.0]])
    return float(precision @ ((padded[:-2] - padded[2:]) / 2))
