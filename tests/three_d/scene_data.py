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


def scene(random: Generator, frames: int, objects: int, spread: float = 0.5, classes: tuple[str, ...] = ("car", "pedestrian"), steps: int = 0) -> dict[str, Any]:
    """Tracks of a scene and what a tracker made of them: gaps, switches, false alarms and drift. Both sides as lists of frames."""
    truth: list[list[dict[str, Any]]] = [[] for _ in range(frames)]
    guess: list[list[dict[str, Any]]] = [[] for _ in range(frames)]
    fresh = 1000
    for number in range(objects + objects // 3):
        label, real = str(random.choice(classes)), number < objects
        start, speed, score = random.uniform(-12, 12, 2), random.normal(size=2), float(random.uniform(0.2, 1))
        size = random.uniform(0.5, 4, 3).round(2).tolist()
        first, last = sorted(random.integers(0, frames + 1, 2).tolist())
        track = fresh = fresh + 1
        for step in range(first, last):
            center = [*(start + speed * (step - first)), 0.5]
            item = {"label": label, "center": center, "size": size, "yaw": 0.1}
            if real and random.random() < 0.9:
                truth[step].append({**item, "track": f"t{number}", "points": int(random.integers(0, 12))})
            track = (fresh := fresh + 1) if random.random() < 0.1 else track
            if random.random() < 0.75:
                sure = float(np.clip(score + 0.1 * random.normal(), 0.01, 1))
                moved = [*(np.array(center[:2]) + spread * random.normal(size=2)), 0.5]
                guess[step].append({**item, "center": moved, "track": track, "score": round(sure * steps + 0.5) / steps if steps else sure})
    return {"prediction": guess, "reference": truth}


def room(random: Generator, points: int, objects: int, steps: int = 0) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Predictions and reference of a scan: stretches of points as objects, some of them small, some of class 0, some without object."""
    ends = np.sort(random.integers(0, points, objects * 2))
    labels, instances = np.zeros(points, np.int64), np.zeros(points, np.int64)
    guesses = []
    for number in range(objects):
        start, end = int(ends[2 * number]), int(ends[2 * number + 1])
        label = int(random.choice([3, 5, 7]))
        labels[start:end], instances[start:end] = label, number + 1 if random.random() < 0.9 else 0
        for _ in range(int(random.integers(0, 3))):
            shift = random.integers(-(end - start) // 3 - 1, (end - start) // 3 + 2, 2)
            chosen = np.arange(max(0, start + int(shift[0])), min(points, end + int(shift[1])))
            score = float(random.uniform(0.1, 1))
            named = label if random.random() < 0.8 else int(random.choice([3, 5, 9]))
            guesses.append({"label": named, "score": round(score * steps + 0.5) / steps if steps else score, "points": chosen.tolist()})
    return guesses, {"labels": labels.tolist(), "instances": instances.tolist()}
