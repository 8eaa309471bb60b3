"""Every task the 3D evaluator scores is scored from a folder as General-Bench lays it out, to a value derived by hand.

A metric with networks is held against a stand-in of each: from what a network would see to the rows it gives (`NETWORKS`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from general_bench_media import colour
from general_bench_proofs import StandIn, prove, use
from general_bench_shapes import COUNT, MAKERS, write_shapes
from test_general_bench import CATALOGUE

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.evaluator import load
from genlevel_orchestrator.catalogue import Task

TASKS = [task for task in CATALOGUE.tasks.values() if task.evaluator == "three_d" and task.metric_id in MAKERS]
BEST = {"fid_motion": 0.0, "chamfer_distance": 0.0, "rmse_angle_deg": 0.0, "rte": 0.0}
# Half of the samples are answered wrongly: half of every mean, where a wrong answer is worth nothing.
HALF = {
    "chamfer_distance": 0.5 * 0.3**2 / 9,  # one of nine points is off by 0.3, none of the eight references
    "map": 100.0 * 40 / 90,  # of each class one of two is found and nothing else: precision 1 at the recalls 0.11 to 0.50 of 0.11 to 1
    "amota": 100.0 * 18 / 40,  # 18 of the 40 recalls from 0.1 to 1 are 0.5 or less, and reached without a fault
    "miou": 100.0 / 3,  # of each class half is found, and as many points are wrongly called so: 2 / (4 + 2)
    # As for fid: two motions of unit vectors a and b, twice each, and a, b, a, a.
    "fid_motion": 2 / 16 + 2 / 3 + 1 / 2 - 2 * np.sqrt(2 / 3 * 1 / 2),
    "rmse_angle_deg": 0.5 * 90 / np.sqrt(2),  # half of the normals are off by 90 degrees
    # Every segment is a tenth too long, and ends a metre behind its length: 10.1, 20.1 % of 100 and 200 m. Of the 21 starts, 11 have 100 m
    # and 1 has 200 m before them.
    "rte": 0.5 * (11 * 0.1 * 101 + 1 * 0.1 * 201 / 2) / 12,
}


def _which(value: Any) -> int:
    """The number of a shape, a picture or a caption of these tests."""
    if isinstance(value, Caption):
        return int(value.text.removeprefix("shape "))
    if hasattr(value, "points"):
        return len(value.points) - 1
    (number,) = {next(i for i in range(COUNT + 1) if (one.pixels == colour(i)).all()) for one in value.pictures}
    return number


def _views(width: int) -> Callable[[Any], Any]:
    """A view's vector is one of its own for each number, once or more often."""
    return lambda value: np.repeat(np.eye(COUNT + 1, width, dtype=np.float32)[[_which(value)]], 3 if hasattr(value, "points") else 1, axis=0)


NETWORKS: dict[str, Callable[[Any], Any]] = {
    "kinematics": lambda motion: np.eye(2, 512, dtype=np.float32)[int(motion.values[0, 0])],
    "conse-lite0-minilm.pil.up-y": _views(512), "efficientnet-lite0.pil.up-y": _views(1280)}


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, StandIn(NETWORKS))


@pytest.mark.parametrize(("number", "task"), list(enumerate(TASKS)), ids=[task.task_id for task in TASKS])
def test_every_task_is_scored_from_its_files(number: int, task: Task, tmp_path: Path) -> None:
    prove(write_shapes, number, task, tmp_path, lambda right: (BEST if right == COUNT else HALF).get(task.metric_id, 100.0 * right / COUNT))


def test_every_metric_of_the_evaluator_has_its_rows() -> None:
    used = {task.metric_id for task in CATALOGUE.tasks.values() if task.evaluator == "three_d"}
    assert used & set(load("three_d").metric_ids) == set(MAKERS)
