"""Peak signal-to-noise ratio of arrays, for pictures and for frames.

    psnr = 10 log10(peak² / mean squared error)

A perfect pair would be infinite and would make every mean infinite, so it counts as 100 dB in a mean; the mean is
infinite only where all pairs are perfect. A pair with the least of errors keeps its own value, which 16-bit pictures can carry past 100.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERFECT_DB = 100.0
"""What a perfect pair counts as in a mean."""


def squared_error(prediction: NDArray[Any], reference: NDArray[Any]) -> float:
    """Mean squared error. Unsigned integers of up to 16 bits are subtracted without wrapping and summed exactly.

    >>> squared_error(np.array([[0, 255]], np.uint8), np.array([[255, 0]], np.uint8))
    65025.0
    """
    if prediction.dtype.kind == "u" and reference.dtype.kind == "u":
        difference = prediction.astype(np.int32) - reference.astype(np.int32)
        # 8-bit squares fit 32 bits; 16-bit ones do not.
        wide = difference if difference.itemsize * 8 > 2 * 8 * prediction.dtype.itemsize else difference.astype(np.int64)
        return float(np.square(wide).sum(dtype=np.int64)) / difference.size
    return float(np.mean(np.square(prediction.astype(np.float64) - reference.astype(np.float64))))


def decibels(mean_squared_error: float, peak: float) -> float:
    """PSNR of one pair; 100 dB where there is no error.

    >>> decibels(1.0, 10.0), decibels(0.0, 255.0)
    (20.0, 100.0)
    """
    if mean_squared_error == 0.0:
        return PERFECT_DB
    return 10.0 * math.log10(peak * peak / mean_squared_error)


def mean_decibels(sums: Sequence[float] | NDArray[np.float64], counts: Sequence[int], perfect: Sequence[int]) -> float:
    """Mean over pairs, from the sum of decibels, the number of pairs and of perfect pairs of every sample.

    >>> mean_decibels([30.0, 100.0], [1, 1], [0, 1]), mean_decibels([100.0], [1], [1])
    (65.0, inf)
    """
    total = int(sum(counts))
    if int(sum(perfect)) == total:
        return math.inf
    return math.fsum(sums) / total
