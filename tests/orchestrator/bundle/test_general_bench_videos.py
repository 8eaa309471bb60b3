"""Every task the video evaluator scores is scored from a folder as General-Bench lays it out, to a value derived by hand.

A metric with networks is held against a stand-in of each, an entry of `NETWORKS`: from what a network would see to the row it gives.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from general_bench_media import colour
from general_bench_proofs import StandIn, prove, use
from general_bench_videos import COUNT, MAKERS, clip, write_videos
from test_general_bench import CATALOGUE

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.pixels.pictures import Picture
from genlevel_orchestrator.catalogue import Task

TASKS = [task for task in CATALOGUE.tasks.values() if task.evaluator == "video" and task.metric_id in MAKERS]
BEST = {"success_auc": 100.0 * 20 / 21, "abs_rel": 0.0, "epe": 0.0, "psnr": math.inf, "fvd": 0.0}
# Half of the samples are answered wrongly: half of every mean, where a wrong answer is worth nothing.
HALF = {
    # The first of five frames is the reference's own: in a wrong answer one frame in five is above 20 thresholds.
    "success_auc": 0.5 * 100.0 * 20 / 21 * (1 + 1 / 5),
    # One depth for 2 and 4 m: the inverse depths 1/2 and 1/4 meet at 3/8, 8/3 m, off by a third of each.
    "abs_rel": 0.5 / 3,
    "epe": 0.5 * 5.0,
    # A black map: the foreground's mean is 0, the background's of 1 - map 1, 2 * 1 / (1 + 1), of half of the picture. The centroid of the left half is row 4,
    # column 2, so quarters meet at (5, 3): the two on the left, 24 of 64 pixels, are even on both sides and alike, the others are not.
    "s_measure": 0.5 * 100.0 + 0.5 * 100.0 * (0.5 * 0.5 + 0.5 * 24 / 64),
    "psnr": 0.5 * 100.0 + 0.5 * 20 * math.log10(255 / 10),  # a perfect frame counts as 100 dB
    # As for images: two unit vectors by turns, and three of the one and one of the other.
    "fvd": 2 / 16 + 2 / 3 + 1 / 2 - 2 * math.sqrt(2 / 3 * 1 / 2),
}


def _which(value: Any) -> int:
    """The number of a clip of these tests; COUNT for any other."""
    frames = list(value.frames(2))
    return next((i for i in range(COUNT) if (frames[0] == clip(i)[0]).all()), COUNT)


def _found(asked: Any) -> str:
    """Detections of a clip: the names that are asked for, one beside the other."""
    things = [{"label": name, "box": [20 * place, 0, 20 * place + 9, 9]} for place, name in enumerate(asked.names)]
    return json.dumps({"detector": "stand-in", "frames": [things if _which(asked.clip) < COUNT else []] * 16})


def _vectors(value: Any) -> Any:
    """Of every frame, or of a text or picture: a direction of its own for each clip of these tests, and further ones for black, white and all else."""
    if isinstance(value, Caption):
        place = int(value.text.removeprefix("picture ")) if value.text.startswith("picture ") else COUNT
        return np.eye(COUNT + 3, 512, dtype=np.float32)[place]
    frames = [value.pixels] if isinstance(value, Picture) else list(value.frames(2))
    seen = [next((i for i in range(COUNT) if any((frame == one).all() for one in (*clip(i), colour(i)))), COUNT) for frame in frames]
    places = [COUNT + 1 + int(frame.max() == 255) if frame.min() == frame.max() else place for frame, place in zip(frames, seen, strict=True)]
    rows = np.eye(COUNT + 3, 512, dtype=np.float32)[places]
    return rows[0] if isinstance(value, Picture) else rows


def _quality(best: float, worst: float) -> Callable[[Any], Any]:
    """Of every frame: that of the clips of these tests, or another."""
    return lambda value: np.full((2, 1), best if _which(value) < COUNT else worst, dtype=np.float32)


def _of_clips(network: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A network that makes nothing of texts and pictures."""
    return lambda value: np.zeros(0, np.float32) if isinstance(value, Caption | Picture) else network(value)


def _one_vector(value: Any) -> Any:
    """Of a clip, or of a text: the direction of `_vectors`."""
    found = _vectors(value)
    return found if found.ndim == 1 else found[0]


NETWORKS: dict[str, Callable[[Any], Any]] = {
    **{name: _vectors for name in ("efficientnet-lite0.pil", "conse-lite0-minilm.pil")},
    "niqe": _quality(0.0, 1e6), "niqe.512": _quality(0.0, 1e6), "colourfulness": _quality(109.0, 0.0),
    "dis": _of_clips(lambda value: np.float32([[20 if _which(value) < COUNT else 5, 1, 256]])),
    "rife-4.0": _of_clips(lambda value: np.full((2, 1), 0 if _which(value) < COUNT else 255, dtype=np.float32)),
    "i3d-actions": lambda value: np.float32(9.0) * (np.eye(COUNT + 1, 400, dtype=np.float32)[_which(value)] - np.float32(0.5)),
    "conse-frames": _one_vector,
    **{name: lambda value: np.eye(COUNT + 1, 400, dtype=np.float32)[_which(value)] for name in ("i3d", "r3d_18")},
    "lite0-windows": _found,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, StandIn(NETWORKS))


@pytest.mark.parametrize(("number", "task"), list(enumerate(TASKS)), ids=[task.task_id for task in TASKS])
def test_every_task_is_scored_from_its_files(number: int, task: Task, tmp_path: Path) -> None:
    prove(write_videos, number, task, tmp_path, lambda right: (BEST if right == COUNT else HALF).get(task.metric_id, 100.0 * right / COUNT))


def test_every_metric_of_the_evaluator_has_its_rows() -> None:
    used = {task.metric_id for task in CATALOGUE.tasks.values() if task.evaluator == "video"}
    assert used & set(load("video").metric_ids) == set(MAKERS)
