"""Frechet audio distance: the distance against pytorch-fid's function (the one frechet-audio-distance 0.3.4 took over) on equal embeddings."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable

import numpy as np
from pytorch_fid.fid_score import calculate_frechet_distance

from genlevel_audio.metrics import fad
from genlevel_evaluator import states
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.statistics.frechet import frechet_distance

FILES = 1000


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
    print(json.dumps(_files()))


def _files() -> dict[str, object]:
    """1,000 recordings a side of three windows each, from state to value with all companions, and what memory that takes."""
    source = np.random.default_rng(2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parameters = fad.FadParameters(backbone="vggish")
    rows = []
    for i in range(FILES):
        found = {("vggish", side): source.normal(size=(3, 128)).astype(np.float32) for side in ("prediction", "reference")}
        rows.append((str(i), fad.observe(Sample(str(i), features=found), parameters)))
    state = states.build(fad.METRIC.columns, rows)
    start = time.perf_counter()
    ours = fad.score(state, parameters)
    seconds = time.perf_counter() - start
    sides = [np.asarray(state.features(f"{side}_features")[:, :128], dtype=np.float64) for side in ("prediction", "reference")]
    start = time.perf_counter()
    theirs = float(calculate_frechet_distance(*(part for side in sides for part in (side.mean(axis=0), np.cov(side, rowvar=False)))))
    other = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "name": "fad_1000_files", "ours_s": seconds, "other_s": other, "ratio": other / seconds,
        "equal_to": "pytorch-fid 0.3.0" if abs((ours.value or 0.0) - theirs) < 1e-6 * theirs else "DIFFERS",
        "note": f"{FILES} files a side; ours with kad, FAD-infinity, precision, recall and single files; peak {peak // 1024} MB, {(peak - before) // 1024} MB of them here",
    }


if __name__ == "__main__":
    main()
