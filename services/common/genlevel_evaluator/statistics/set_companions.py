"""What goes beside a Fréchet distance, for pictures, clips and recordings alike: kernel distance, precision, recall, authenticity, and
the distance at endlessly many generated rows.

    >>> rows = np.arange(12.0).reshape(6, 2)
    >>> sorted(companions(rows, rows[::-1] + 0.1, "fid", "kid"))
    ['authenticity', 'kid', 'kid_standard_error', 'precision', 'recall']
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics import pairs
from genlevel_evaluator.statistics.frechet import frechet_distance
from genlevel_evaluator.statistics.moments import Moments

INFINITY_ROWS = 500
"""Rows a side from which on the distance at endlessly many is estimated, where the smallest subset has more rows than dimensions."""
INFINITY_POINTS = 9

_BLOCK = 4096


def companions(generated: NDArray[Any], real: NDArray[Any], metric: str, kernel: str) -> dict[str, float]:
    """Companions by name. Shares are percent.

    Args:
        generated: rows (n, d).
        real: rows (m, d).
        metric: of the Fréchet distance; `<metric>_infinity` is called after it.
        kernel: name of the kernel distance.
    """
    named: dict[str, float] = {}
    if found := pairs.compare(generated, real):
        named = {kernel: found.kernel.value, f"{kernel}_standard_error": found.kernel.standard_error}
        shares = {"precision": found.precision, "recall": found.recall, "authenticity": found.authenticity}
        named |= {name: 100.0 * share for name, share in shares.items() if share is not None}
    # With no more rows than dimensions the distance is no line in 1/n, and each of the points would cost a singular value decomposition.
    if min(len(generated), len(real)) >= INFINITY_ROWS and min(len(generated) // 2, len(real)) > real.shape[1]:
        named[f"{metric}_infinity"], named[f"{metric}_infinity_standard_error"] = infinity(generated, real)
    return named


def infinity(generated: NDArray[Any], real: NDArray[Any]) -> tuple[float, float]:
    """Distance at endlessly many generated rows and the standard error of the fit (Chong and Forsyth 2020; Gui et al. 2024).

    A line through the distances of subsets against 1/n. Subsets of half to all of the rows are drawn without replacement, by a generator
    seeded with the rows themselves.
    """
    source = np.random.default_rng(_seed(generated))
    sizes = np.linspace(len(generated) // 2, len(generated), INFINITY_POINTS).astype(int)
    baseline = Moments.of(real)
    subsets = (np.sort(source.choice(len(generated), size, replace=False)) for size in sizes)
    values = np.array([frechet_distance(Moments.of(generated, subset), baseline) for subset in subsets])
    return _intercept(1.0 / sizes, values)


def _seed(rows: NDArray[Any]) -> int:
    digest = hashlib.sha256()
    for start in range(0, len(rows), _BLOCK):
        digest.update(np.ascontiguousarray(rows[start : start + _BLOCK]).data)
    return int.from_bytes(digest.digest()[:8], "little")


def _intercept(places: NDArray[Any], values: NDArray[Any]) -> tuple[float, float]:
    """Value at zero of the least-squares line, with its standard error."""
    centred = places - places.mean()
    spread = float(centred @ centred)
    slope = float(centred @ values) / spread
    at_zero = float(values.mean()) - slope * float(places.mean())
    residuals = values - (at_zero + slope * places)
    variance = float(residuals @ residuals) / (len(values) - 2)
    return at_zero, math.sqrt(variance * (1.0 / len(values) + float(places.mean()) ** 2 / spread))
