"""One metric in one process: `genlevel_evaluator.score`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlevel_evaluator import score


@pytest.mark.weights
def test_members_of_the_real_set_are_no_missing_predictions(tmp_path: Path) -> None:
    source = np.random.default_rng(1)
    for index in range(5):
        Image.fromarray(source.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(tmp_path / f"{index}.png")
    generated = [{"id": f"g{index}", "prediction": f"{index}.png"} for index in range(2)]
    real = [{"id": f"r{index}", "reference": f"{index}.png"} for index in range(2, 5)]
    result = score("fid", generated + real, folder=tmp_path)
    assert (result.detail.expected, result.detail.present) == (2, 2)
    assert (result.detail.companions["predictions"], result.detail.companions["references"]) == (2, 3)


def test_a_reference_alone_is_a_missing_prediction_elsewhere() -> None:
    result = score("accuracy", [{"id": 1, "reference": "a"}, {"id": 2, "prediction": "a", "reference": "a"}])
    assert (result.value, result.detail.expected, result.detail.present) == (50.0, 2, 1)


def test_keys_may_hold_half_a_character() -> None:
    samples = [{"id": f"\ud800{index}", "prediction": "a", "reference": "a"} for index in range(40)]
    result = score("accuracy", samples)
    assert result.detail.interval is not None
    assert result.detail.interval.low == result.value == 100.0
