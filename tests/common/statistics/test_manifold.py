"""Precision and recall of feature sets, against torch-fidelity 0.4.0."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_prc import calculate_precision_recall_full

from genlevel_evaluator.statistics.manifold import precision_and_recall


@pytest.mark.parametrize(("first", "second", "width"), [(60, 45, 2), (4, 200, 3), (1100, 30, 5), (40, 40, 300)])
@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_equals_torch_fidelity(first: int, second: int, width: int, shift: float) -> None:
    source = np.random.default_rng(first + width)
    generated, real = source.normal(shift, 1, (first, width)), source.normal(0, 1.3, (second, width))
    expected = calculate_precision_recall_full(torch.from_numpy(generated), torch.from_numpy(real))
    assert precision_and_recall(generated, real) == pytest.approx(expected, abs=1e-6)


def test_equal_sets_cover_each_other_even_where_rows_repeat() -> None:
    rows = np.repeat(np.random.default_rng(1).normal(50, 1, (5, 40)), 6, axis=0)
    assert precision_and_recall(rows, rows[::-1]) == (1.0, 1.0)


def test_sets_far_apart_share_nothing() -> None:
    rows = np.random.default_rng(1).normal(0, 1, (20, 4))
    assert precision_and_recall(rows, rows + 100) == (0.0, 0.0)


def test_three_rows_have_no_third_neighbour() -> None:
    assert precision_and_recall(np.eye(3), np.eye(3)) is None
