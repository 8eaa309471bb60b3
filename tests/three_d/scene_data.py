"""Random scenes of boxes and tracks, for generators and tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

CLASSES = ("car", "pedestrian", "barrier", "traffic_cone", "bicycle")


def box(random: Generator, label: str, reach: float = 25.0) -> dict[str, Any]:
    """One reference."""
    found: dict[str, Any] = {
        "label": label, "center": random.uniform(-reach, reach, 3).round(3).tolist(), "size": random.uniform(0.5, 5, 3).round(3).tolist(),
        "yaw": float(random.uniform(-7, 7)), "velocity": random.normal(size=2).round(3).tolist(), "points": int(random.integers(0, 9)),
    }  # fmt: skip
    return found | ({"attribute": str(random.choice(["moving", "parked"]))} if random.random() < 0.8 else {})


def guess(random: Generator, truth: dict[str, Any], spread: float, steps: int = 0) -> dict[str, Any]:
    """A prediction near a reference; scores of `steps` values where that is not 0."""
    score = float(random.uniform(0.05, 1))
    found = {
        "label": truth["label"], "center": (np.array(truth["center"]) + spread * random.normal(size=3)).tolist(),
        "size": (np.array(truth["size"]) * random.uniform(0.7, 1.3, 3)).tolist(), "yaw": truth["yaw"] + float(random.normal()),
        "velocity": random.normal(size=2).round(3).tolist(), "score": round(score * steps + 0.5) / steps if steps else score,
    }  # fmt: skip
    return found | {"attribute": str(random.choice(["moving", "parked"]))}


def frame(random: Generator, count: int, spread: float = 0.8, steps: int = 0) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Predictions and references of a frame: some found, some missed, some twice, and false alarms."""
    truth = [box(random, str(random.choice(CLASSES))) for _ in range(count)]
    found = [guess(random, item, spread, steps) for item in truth for _ in range(int(random.integers(0, 3)))]
    found += [guess(random, box(random, str(random.choice(CLASSES))), spread, steps) for _ in range(count // 3)]
    return [found[place] for place in random.permutation(len(found))], truth
