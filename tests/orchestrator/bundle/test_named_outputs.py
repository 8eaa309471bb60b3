"""Tasks without a prediction.json whose annotation names the folders of the outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from general_bench_media import colour, png
from test_general_bench import score

from genlevel_orchestrator.bundle.layout import discover
from genlevel_orchestrator.bundle.samples import TaskSamples
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue

CATALOGUE = Catalogue.load()
DENOISING = "video/generation/VideoDenoising"
TRANSLATION = "video/generation/" + next(task.name for task in CATALOGUE.tasks.values() if task.metric_id == "frame_accuracy")


def _bundle(root: Path, task: str, samples: list[Any], folders: dict[str, int]) -> None:
    """A task folder with an annotation; every folder of frames is one colour brighter by so much."""
    (root / task).mkdir(parents=True)
    (root / task / "annotation.json").write_text(json.dumps({"type": "VideoRestoration", "data": samples}))
    for name, shift in folders.items():
        (root / task / name).mkdir(parents=True)
        (root / task / name / "1.png").write_bytes(png(colour(0, shift)))


def test_folders_that_the_annotation_names_are_the_predictions(tmp_path: Path) -> None:
    samples = [{"id": i, "input": {"pred_dir": f"p/{i}", "gt_dir": "g"}, "output": None} for i in range(2)]
    _bundle(tmp_path, DENOISING, [*samples, {"id": 2, "input": {"gt_dir": "g"}, "output": None}], {"g": 0, "p/0": 10, "p/1": 20})
    value, noted, issues, violations, _ = score(tmp_path)
    assert noted == []
    assert issues == []
    assert violations.counts == {"MISSING_PREDICTION": 1}
    assert value.value == pytest.approx((20 * np.log10(255 / 10) + 20 * np.log10(255 / 20)) / 3)
    assert (value.expected, value.present) == (3, 2)


def test_a_reference_is_never_read_as_an_output(tmp_path: Path) -> None:
    sample = {"id": 7, "prediction": "g", "input": {"source_prompt": "a cat", "target_prompt": "a dog"}, "output": {"frame_dir": "p", "text": "g"}}
    _bundle(tmp_path, TRANSLATION, [sample], {"g": 0, "p": 1})
    violations = Violations(tmp_path)
    (source,) = discover(tmp_path, None, CATALOGUE, violations)
    (raw,) = TaskSamples(source).load(violations).read(0, 1)
    assert raw.prediction == {"id": 7, "output.frame_dir": "p"}


def test_folders_that_nobody_filled_are_no_submission(tmp_path: Path) -> None:
    _bundle(tmp_path, DENOISING, [{"id": 1, "input": {"pred_dir": "p", "gt_dir": "g"}, "output": None}], {"g": 0})
    violations = Violations(tmp_path)
    assert discover(tmp_path, None, CATALOGUE, violations) == []
    assert violations.counts == {"NO_PREDICTIONS": 1}
