"""Fréchet distance at d = 2048 against pytorch-fid's function, on the same statistics in the same run.

One JSON line a comparison. `from_moments` gives both programs mean and covariance; `from_rows` gives both the feature rows, so
that pytorch-fid's time includes the means and covariances it needs.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pytorch_fid.fid_score import calculate_frechet_distance

from genlevel_evaluator.statistics.frechet import frechet_distance, frechet_from_moments

DIMENSION = 2048


def features(n: int, seed: int) -> NDArray[np.float32]:
    """Rows with the decaying spectrum of pooled activations."""
    mixing = np.random.default_rng(9).standard_normal((DIMENSION, DIMENSION)) * np.exp(-np.arange(DIMENSION) / 200)[:, None]
    rows = np.random.default_rng(seed).standard_normal((n, DIMENSION)) @ mixing * 0.05 + 0.4 + 0.02 * seed
    return np.maximum(rows, 0.0).astype(np.float32)


def timed(function: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Best time of `repeats` calls, and the value."""
    best, value = float("inf"), 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        value = float(function())
        best = min(best, time.perf_counter() - start)
    return best, value


def compare(n: int) -> None:
    """Prints the comparisons for `n` rows a side."""
    a, b = features(n, 1), features(n, 2)
    start = time.perf_counter()
    sides = [(rows.mean(axis=0, dtype=np.float64), np.cov(rows, rowvar=False, dtype=np.float64)) for rows in (a, b)]
    statistics_s = time.perf_counter() - start
    moments = [part for side in sides for part in side]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        other_s, other = timed(lambda: calculate_frechet_distance(*moments), 1)
    scale = float(np.trace(moments[1]) + np.trace(moments[3]))
    for name, function, theirs_s in (
        ("from_moments", lambda: frechet_from_moments(*moments), other_s),
        ("from_rows", lambda: frechet_distance(a, b), other_s + statistics_s),
    ):
        ours_s, ours = timed(function, 3)
        line = {
            "name": f"frechet_{name}_n{n}_d{DIMENSION}",
            "ours_s": round(ours_s, 4),
            "other_s": round(theirs_s, 2),
            "ratio": round(theirs_s / ours_s, 1),
            "equal_to": abs(ours - other) / scale,
            "note": f"pytorch-fid 0.3.0; difference in units of tr(S1 + S2); value {ours:.6f}",
        }
        print(json.dumps(line), flush=True)


def main() -> None:
    """Runs all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[236, 1000, 5000])
    for n in parser.parse_args().sizes:
        compare(n)


if __name__ == "__main__":
    main()
