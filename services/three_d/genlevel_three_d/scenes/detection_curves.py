"""Average precision and errors of hits as nuScenes' detection benchmark takes them, and KITTI's forty recalls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_RECALL = LEAST_PRECISION = 0.1
_RECALLS = np.linspace(0.0, 1.0, 101)
_FIRST = round(100 * LEAST_RECALL) + 1
_FORTY = np.arange(1, 41) / 40


@dataclass(frozen=True)
class Detections:
    """All predictions of one class, surest first.

    Attributes:
        scores: falling.
        hits: shape (n, thresholds), 0 or 1.
        errors: shape (n, kinds) of hits within 2 m, NaN where there is none.
        weights: how often each counts; ones outside a bootstrap.
        positives: weighted number of references.
        grouped: all are one operating point, for no score tells them apart.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.float64]
    errors: NDArray[np.float64]
    weights: NDArray[np.float64]
    positives: float
    grouped: bool = False

    def running(self, column: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Precision and recall after each prediction; at the end only where they are one operating point."""
        true = np.cumsum(self.hits[:, column] * self.weights)
        total = np.cumsum(self.weights)
        precision = np.divide(true, total, out=np.zeros_like(true), where=total > 0)
        keep = slice(-1, None) if self.grouped else slice(None)
        return precision[keep], true[keep] / self.positives

    def average_precision(self, column: int) -> float:
        """Mean over the recalls above 0.1 of precision above 0.1, interpolated between predictions; a fraction."""
        if not len(self.scores):
            return 0.0
        precision, recall = self.running(column)
        found = np.interp(_RECALLS, recall, precision, right=0.0)[_FIRST:] - LEAST_PRECISION
        return min(1.0, float(np.mean(np.maximum(found, 0.0))) / (1.0 - LEAST_PRECISION))  # 0.9 / 0.9 may come out above 1

    def forty_recalls(self, column: int) -> float:
        """Mean over the recalls 1/40, 2/40, ..., 1 of the best precision at that recall or beyond; a fraction."""
        if not len(self.scores):
            return 0.0
        precision, recall = self.running(column)
        best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        return float(np.mean(best[np.searchsorted(recall, _FORTY - 1e-12, side="left")]))

    def error(self, kind: int, column: int) -> float:
        """Mean error of hits over the recalls above 0.1 that are reached; 1 where none is."""
        chosen = self.hits[:, column] > 0
        if not chosen.any():
            return 1.0
        _, recall = self.running(column)
        means = _running_mean(self.errors[chosen, kind])
        if self.grouped:
            return float(means[-1]) if recall[-1] >= _RECALLS[_FIRST] else 1.0
        low = float(self.scores.min())
        scores = self.scores - low + 1.0 if low < 0 else self.scores  # a score of 0 stands for a recall that is not reached
        at = np.interp(_RECALLS, recall, scores, right=0.0)
        last = int(np.flatnonzero(at)[-1]) if at.any() else 0
        if last < _FIRST:
            return 1.0
        found = np.interp(at[::-1], scores[chosen][::-1], means[::-1])[::-1]
        return float(np.mean(found[_FIRST : last + 1]))


def _running_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the values so far, unknown ones left out; ones where all are unknown."""
    known = ~np.isnan(values)
    if not known.any():
        return np.ones(len(values))
    counts = np.cumsum(known)
    return np.asarray(np.divide(np.nancumsum(values), counts, out=np.zeros(len(values)), where=counts > 0))
