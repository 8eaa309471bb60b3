"""The detections of all pictures in order of class and falling score, from the state of an AP metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.states import Rows
from genlevel_image.detection.curves import Curve


@dataclass(frozen=True)
class Table:
    """Detections by class and falling score, and the ground truth; classes by their place in `labels`."""

    labels: NDArray[np.int64]
    place: NDArray[np.int64]
    owner: NDArray[np.int64]
    scores: NDArray[np.float64]
    outcome: NDArray[np.uint8]
    truth_place: NDArray[np.int64]
    truth_owner: NDArray[np.int64]
    truth_counted: NDArray[np.uint8]

    @classmethod
    def of(cls, rows: Rows) -> Table:
        """The table of a state."""
        found, true = rows.values["labels"], rows.values["true_labels"]
        labels, place = np.unique(np.concatenate([found, true]), return_inverse=True)
        mine = place[: len(found)]
        scores = rows.values["scores"]
        order = np.lexsort((-np.where(np.isnan(scores), -np.inf, scores), mine))
        owner = np.repeat(np.arange(len(rows)), rows.lengths["labels"])
        truth_owner = np.repeat(np.arange(len(rows)), rows.lengths["true_labels"])
        return cls(
            labels, mine[order], owner[order], scores[order], rows.values["outcome"][order],
            place[len(found) :], truth_owner, rows.values["true_counted"],
        )

    def curve(self, area: int, threshold: int) -> Curve:
        """The curve in one area range at one threshold, by their places in the state."""
        counted = (self.truth_counted >> area & 1).astype(bool)
        present = np.bincount(self.truth_place[counted], minlength=len(self.labels)) > 0
        number = np.cumsum(present) - 1
        kept = present[self.place]
        outcome = self.outcome[kept, threshold]
        true, skipped = outcome >> area & 1, outcome >> (area + 4) & 1
        return Curve(
            self.labels[present], number[self.place[kept]], self.owner[kept], self.scores[kept], true.astype(np.float64),
            ((1 - true) * (1 - skipped)).astype(np.float64),
            number[self.truth_place[counted]], self.truth_owner[counted], np.ones(int(counted.sum())),
        )

    def unknown_labels(self) -> float:
        """Share of the detections whose label no reference has."""
        known = np.zeros(len(self.labels), dtype=bool)
        known[self.truth_place] = True
        return float(np.mean(~known[self.place])) if len(self.place) else 0.0
