"""Single pixels and unknown labels in every metric of maps: a value or an issue that names the sample and a remedy, never a fault of ours."""

from __future__ import annotations

import numpy as np
import pytest

from genlevel_evaluator.kinds import Content
from tests.image.files import array_of, encoded, file_of, sample
from tests.image.scoring import value_of

DOT = file_of(encoded(np.full((1, 1), 7, np.uint8)))
COLOUR = file_of(encoded(np.full((1, 1, 3), 7, np.uint8)))
DEPTH = file_of(encoded(np.full((1, 1), 700, np.uint16)))


@pytest.mark.parametrize(
    ("metric", "content", "value"),
    [
        ("psnr", COLOUR, float("inf")), ("ms_ssim", COLOUR, 1.0), ("rmse_shadow", COLOUR, 0.0), ("miou", DOT, 100.0), ("sad", DOT, 0.0), ("mse", DOT, 0.0),
        ("depth_rms", DEPTH, 0.0), ("ap_anomaly", DOT, 100.0), ("roc_auc", DOT, None),
    ],
)
def test_a_single_pixel(metric: str, content: Content, value: float | None) -> None:
    found, issues = value_of(metric, [sample("1", content, content)])
    assert issues == []
    assert found.value == value


def test_labels_that_no_reference_has_are_errors_in_all_companions() -> None:
    truth = np.kron(np.array([[0, 1], [2, 1]]), np.ones((8, 8), int)).astype(np.uint8)
    unknown = np.where(truth == 2, 9, truth).astype(np.uint8)
    found, issues = value_of("miou", [sample("1", file_of(encoded(unknown)), file_of(encoded(truth)))])
    assert issues == []
    assert (found.companions["iou_2"], found.companions["pixel_accuracy"]) == (0.0, 75.0)
    assert "iou_9" not in found.companions
    assert found.companions["boundary_f"] == pytest.approx(100 * 2 / 3)


@pytest.mark.parametrize("metric", ["ap_anomaly", "roc_auc"])
def test_a_map_of_nan_names_its_sample(metric: str) -> None:
    mask = file_of(encoded(np.eye(4, dtype=np.uint8)))
    _, issues = value_of(metric, [sample("7", array_of(np.full((4, 4), np.nan)), mask)])
    assert [(issue.sample_id, issue.code) for issue in issues] == [("7", "NOT_FINITE")]
    assert issues[0].remedy
