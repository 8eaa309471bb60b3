"""The predictions of all frames by class, surest first, from the state of `map`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.states import Rows
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.scenes.detection_curves import Detections

NUSCENES_RANGES = {
    "car": 50.0, "truck": 50.0, "bus": 50.0, "trailer": 50.0, "construction_vehicle": 50.0, "pedestrian": 40.0, "motorcycle": 40.0,
    "bicycle": 40.0, "traffic_cone": 30.0, "barrier": 30.0,
}  # fmt: skip
NAMES = {label_number(name): name for name in NUSCENES_RANGES}


@dataclass(frozen=True)
class ClassTable:
    """One class: its predictions surest first, the last of equal ones first, and its references; with the frame of each."""

    label: int
    scores: NDArray[np.float64]
    hits: NDArray[np.float64]
    errors: NDArray[np.float64]
    owner: NDArray[np.int64]
    truth_owner: NDArray[np.int64]
    grouped: bool

    def detections(self, weights: NDArray[np.float64] | None = None) -> Detections:
        """The class under one weight a frame."""
        own = np.ones(len(self.scores)) if weights is None else weights[self.owner]
        positives = float(len(self.truth_owner)) if weights is None else float(weights[self.truth_owner].sum())
        return Detections(self.scores, self.hits, self.errors, own, positives, self.grouped)

    def by_frame(self) -> Iterator[tuple[int, Detections]]:
        """The class in each frame that has references of it."""
        order = np.argsort(self.owner, kind="stable")
        sorted_owner = self.owner[order]
        for frame, count in zip(*np.unique(self.truth_owner, return_counts=True), strict=True):
            chosen = order[np.searchsorted(sorted_owner, frame, "left") : np.searchsorted(sorted_owner, frame, "right")]
            scores = self.scores[chosen]
            yield int(frame), Detections(scores, self.hits[chosen], self.errors[chosen], np.ones(len(scores)), float(count), self.grouped)


def class_tables(rows: Rows, all_classes: bool) -> list[ClassTable]:
    """A table for each class with references; with `all_classes`, for each of nuScenes' ten and no other."""
    labels, truth = rows.values["labels"], rows.values["true_labels"]
    owner = np.repeat(np.arange(len(rows)), rows.lengths["labels"])
    truth_owner = np.repeat(np.arange(len(rows)), rows.lengths["true_labels"])
    grouped = bool(len(labels)) and bool(np.isnan(rows.values["scores"]).all())
    scores = np.nan_to_num(rows.values["scores"], nan=1.0 if grouped else 0.0)
    order = np.argsort(scores, kind="stable")[::-1]
    hits, errors = rows.values["hits"].astype(np.float64), rows.values["errors"]
    tables = []
    for label in NAMES if all_classes else np.unique(truth).tolist():
        mine = order[labels[order] == label]
        tables.append(ClassTable(label, scores[mine], hits[mine], errors[mine], owner[mine], truth_owner[truth == label], grouped))
    return tables
