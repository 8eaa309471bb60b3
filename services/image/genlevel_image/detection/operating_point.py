"""The score from which on detections are best kept."""

from __future__ import annotations

import numpy as np

from genlevel_image.detection.curves import Curve


def best_f1(curve: Curve) -> dict[str, float]:
    """The largest F1 of detections and ground truth of all classes together, in percent, over all least scores a detection may have;
    and that score, where detections have one. Nothing without detections."""
    if not len(curve.scores):
        return {}
    scores = np.where(np.isnan(curve.scores), -np.inf, curve.scores)
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.r_[scores[order][1:] != scores[order][:-1], True])
    true, false = np.cumsum(curve.true[order])[ends], np.cumsum(curve.false[order])[ends]
    values = 2 * true / (true + false + curve.truth_counts.sum())
    best = int(np.argmax(values))
    found = {"best_f1": 100.0 * float(values[best])}
    if np.isfinite(scores[order][ends[best]]):
        found["best_f1_score"] = float(scores[order][ends[best]])
    return found
