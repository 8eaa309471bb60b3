"""Frechet audio distance: the distance against pytorch-fid's function (the one frechet-audio-distance 0.3.4 took over) on equal embeddings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
from pytorch_fid.fid_score import calculate_frechet_distance

from genlevel_evaluator.statistics.frechet import frechet_distance


def _best(run: Callable[[], float], repeats: int = 3) -> tuple[float, float]:
    """Shortest time and value."""
    seconds, value = float("inf"), 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        value = run()
        seconds = min(seconds, time.perf_counter() - start)
    return seconds, value


def main() -> None:
    """Prints one line of JSON for each size."""
    source = np.random.default_rng(1)
    for windows, dimensions in ((2000, 128), (2000, 512)):
        mixing = source.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
        generated, real = source.normal(size=(windows, dimensions)) @ mixing, source.normal(size=(windows, dimensions))

        def theirs(generated: np.ndarray = generated, real: np.ndarray = real) -> float:
            parts = [part for side in (generated, real) for part in (side.mean(axis=0), np.cov(side, rowvar=False))]
            return float(calculate_frechet_distance(*parts))

        ours, value = _best(lambda generated=generated, real=real: frechet_distance(generated, real))
        other, expected = _best(theirs)
        print(json.dumps({
            "name": f"fad_{dimensions}", "ours_s": ours, "other_s": other, "ratio": other / ours,
            "equal_to": "pytorch-fid 0.3.0" if abs(value - expected) < 1e-6 * expected else "DIFFERS",
            "note": f"{windows} windows a side, {dimensions} dimensions, best of three",
        }))


if __name__ == "__main__":
    main()
