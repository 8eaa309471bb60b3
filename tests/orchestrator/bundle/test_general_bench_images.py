"""Every task the image evaluator scores is scored from a folder as General-Bench lays it out, to a value derived by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_general_bench
from general_bench_images import COUNT, write_images
from general_bench_media import SIDE, colour
from test_general_bench import CATALOGUE, score

from genlevel_evaluator import features
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.evaluator import load
from genlevel_orchestrator.catalogue import Task

TASKS = [task for task in CATALOGUE.tasks.values() if task.evaluator == "image"]
BEST = {
    "psnr": math.inf, "psnr_or_clip_score": math.inf, "depth_rms": 0.0, "sad": 0.0, "mse": 0.0, "rmse_shadow": 0.0, "fid": 0.0, "ms_ssim": 1.0,
}  # fmt: skip
# Half of the samples are answered wrongly: half of every mean, where a wrong answer is worth nothing.
HALF = {
    # Of each class one of two objects is found and nothing before it: precision 1 at the recalls 0, 0.01, ..., 0.50 of 101.
    **dict.fromkeys(("ap_50_box", "ap_75_box", "ap_50_mask", "ap_50_keypoint"), 100.0 * 51 / 101),
    "miou": 50.0,  # half of the foreground is found, and no pixel too many
    # Classes 1 and 2: 2 found, 2 missed, IoU 1 each, 2 / (2 + 2 / 2); class 3: false alarms only, 0.
    "pq": 100.0 * (2 / 3 + 2 / 3 + 0) / 3,
    # One of two anomalous pictures is found before anything, the other one last, with one normal one first and one last.
    "ap_anomaly": 100.0 * (0.5 * 0.5 + 0.5 * 0.5),
    "roc_auc": 100.0 * (1 + 0.5 + 0.5 + 0) / 4,
    "depth_rms": 0.5 * 50.0,  # half a metre too far
    "sad": 0.5 * SIDE * SIDE / 2 / 1000,  # half of the pixels of a wrong matte are off by 1
    "mse": 0.5 * 1000.0 / 2,
    "psnr": 0.5 * 100.0 + 0.5 * 20 * math.log10(255 / 10),  # a perfect picture counts as 100 dB
    "psnr_or_clip_score": 0.5 * 100.0 + 0.5 * 20 * math.log10(255 / 10),
    # Real: two pictures of unit vectors a and b, twice each; generated: a, b, a, a. Both covariances lie along d = a - b. The means differ
    # by d / 4; variances are n p (1 - p) / (n - 1) of |d|^2 = 2 with n = 4, p = 1/2 and 1/4: 2/3 and 1/2.
    "fid": 2 / 16 + 2 / 3 + 1 / 2 - 2 * math.sqrt(2 / 3 * 1 / 2),
    "rmse_shadow": 0.5 * 100.0,  # black for white: 100 of L, nothing of a and b
    # Black for white: every level is C1 / (1 + C1) with C1 = 1e-4, and the weights add up to 1.0001.
    "ms_ssim": 0.5 * 1.0 + 0.5 * 1.0001 * 1e-4 / (1 + 1e-4),
}


class StandIn:
    """Networks that know the pictures of these tests by number, and captions that name them; all else is one further thing."""

    def device(self, name: str) -> str:
        """Where they run."""
        return "stand-in"

    def prepare(self, name: str, value: Any) -> int:
        """The number of what is shown or named."""
        if isinstance(value, Caption):
            return int(value.text.removeprefix("picture "))
        return next((i for i in range(COUNT) if value.pixels.shape == colour(i).shape and (value.pixels == colour(i)).all()), COUNT)

    def features(self, name: str, values: Sequence[int], check: Callable[[], None]) -> list[Any]:
        """A unit vector of its own for each."""
        width = 2048 if name.startswith("inception") else 512
        return [np.eye(COUNT + 1, width, dtype=np.float32)[value] for value in values]


def expected(task: Task, right: int) -> float:
    return BEST.get(task.metric_id, 100.0) if right == COUNT else HALF.get(task.metric_id, 50.0)


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_general_bench, "load", lambda name: replace(load(name), provider=StandIn()))
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())


@pytest.mark.parametrize(("number", "task"), list(enumerate(TASKS)), ids=[task.task_id for task in TASKS])
def test_every_task_is_scored_from_its_files(number: int, task: Task, tmp_path: Path) -> None:
    for right in (COUNT, COUNT // 2):
        root = tmp_path / str(right)
        write_images(root, task, number, right)
        value, noted, issues, violations, found = score(root)
        assert found is task
        assert not violations.errors, list(violations)
        assert noted == []
        assert {issue.code for issue in issues} <= {"LOSSY_MASK"}
        assert value.value == pytest.approx(expected(task, right), rel=1e-6, abs=1e-9)
        assert (value.expected, value.present, value.excluded) == (COUNT, COUNT, 0)
        if task.metric_id == "psnr_or_clip_score":  # the prompt reached the companion
            assert value.companions["conse_score"] == pytest.approx(100.0 * right / COUNT)


def test_all_image_tasks_are_scored() -> None:
    by_language = [task for task in CATALOGUE.tasks.values() if task.modality == "image" and task.evaluator == "language"]
    assert all(task in test_general_bench.TASKS for task in by_language)
    assert len(TASKS) + len(by_language) == 316
    assert {task.metric_id for task in TASKS} <= set(load("image").metric_ids)
