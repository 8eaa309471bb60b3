"""PSNR of arrays against scikit-image 0.26."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio

from genlevel_evaluator.statistics.psnr import decibels, mean_decibels, squared_error


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535), (np.float64, 1.0)])
def test_equals_scikit_image(dtype: type, peak: float) -> None:
    random = np.random.default_rng(1)
    a, b = ((random.random((30, 40, 3)) * peak).astype(dtype) for _ in range(2))
    assert squared_error(a, b) == pytest.approx(mean_squared_error(a, b), rel=1e-12)
    assert decibels(squared_error(a, b), peak) == pytest.approx(peak_signal_noise_ratio(b, a, data_range=peak), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_largest_difference_does_not_wrap(dtype: type) -> None:
    peak = np.iinfo(dtype).max
    black, white = np.zeros((64, 64), dtype), np.full((64, 64), peak, dtype)
    assert squared_error(black, white) == squared_error(white, black) == float(peak) ** 2
    assert decibels(squared_error(black, white), float(peak)) == 0.0


def test_a_perfect_pair_counts_as_100_and_any_other_as_it_is() -> None:
    assert decibels(0.0, 255.0) == 100.0
    # one step in one of 64 x 64 values of 16 bits: 10 log10(65535^2 * 4096), as scikit-image gives it
    assert decibels(1 / 4096, 65535.0) == pytest.approx(10 * math.log10(65535.0**2 * 4096), rel=1e-12)


def test_only_all_perfect_is_infinite() -> None:
    assert mean_decibels([100.0, 300.0], [1, 3], [1, 3]) == math.inf
    assert mean_decibels([100.0, 20.0], [1, 1], [1, 0]) == 60.0
    assert mean_decibels([100.0, 0.0], [1, 1], [1, 0]) == 50.0
