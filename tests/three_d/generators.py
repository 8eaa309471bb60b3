"""Small random samples of each metric of the 3D evaluator, for the common laws."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import Generator

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

sys.path.append(str(Path(__file__).resolve().parent))

import scene_data


def shapes(random: Generator, count: int) -> list[RawSample]:
    """Point clouds: usual ones, single points, equal ones, and missing predictions."""
    samples = []
    for index in range(count):
        reference = random.normal(size=(int(random.integers(1, 12)), 3)).round(3).tolist()
        prediction = reference if index % 5 == 1 else random.normal(size=(int(random.integers(1, 12)), 3)).round(3).tolist()
        samples.append(_sample(str(index), None if index % 7 == 3 else prediction, reference))
    return samples


def trajectories(random: Generator, count: int) -> list[RawSample]:
    """Drives of 20 to 250 m: some too short for a segment, and missing predictions."""
    samples = []
    for index in range(count):
        frames = int(random.integers(12, 90))
        reference = drive(random, frames, speed=3.0)
        prediction = reference.copy()
        prediction[:, :3, 3] *= 1.0 + 0.02 * float(random.normal())
        samples.append(_sample(str(index), None if index % 7 == 3 else prediction[:, :3].tolist(), reference[:, :3].tolist()))
    return samples


def directions(random: Generator, count: int) -> list[RawSample]:
    """Normals: random, equal and opposite ones, listed points, subsets, and missing predictions."""
    samples = []
    for index in range(count):
        reference, prediction = (_unit(random, int(3 + index % 4)) for _ in range(2))
        given = None if index % 7 == 3 else (-reference if index % 5 == 1 else prediction).tolist()
        raw = _sample(str(index), given, reference.tolist())
        samples.append(replace(raw, attributes={"indices": [0, 2]} if index % 4 == 2 else {"subset": f"noise {index % 3}"}))
    return samples


def _unit(random: Generator, count: int) -> np.ndarray:
    rows = random.normal(size=(count, 3))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def drive(random: Generator, frames: int, speed: float = 1.0, turn: float = 0.02) -> np.ndarray:
    """Poses of a car that goes forward along z and turns about y, shape (frames, 4, 4)."""
    poses = np.tile(np.eye(4), (frames, 1, 1))
    for index in range(1, frames):
        angle = turn * float(random.normal())
        step = np.eye(4)
        step[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
        step[:3, 3] = [0.02 * float(random.normal()), 0.02 * float(random.normal()), speed * float(random.uniform(0.5, 1.5))]
        poses[index] = poses[index - 1] @ step
    return poses


def frames_of_boxes(random: Generator, count: int) -> list[RawSample]:
    """Frames of boxes: usual ones, empty ones on either side, equal scores, and missing predictions."""
    samples = []
    for index in range(count):
        prediction, reference = scene_data.frame(random, 0 if index % 6 == 4 else 9, steps=4 if index % 2 else 0)
        samples.append(_sample(str(index), None if index % 7 == 3 else [] if index % 7 == 5 else prediction, reference))
    return samples


def _sample(key: str, prediction: object, reference: object) -> RawSample:
    given = None if prediction is None else Content(json=prediction)
    presence = Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH
    return RawSample(key, given, (Content(json=reference),), presence)


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {"chamfer_distance": shapes, "map": frames_of_boxes, "rte": trajectories, "rmse_angle_deg": directions}
