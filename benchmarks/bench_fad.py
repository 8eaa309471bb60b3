"""Frechet audio distance: the distance against pytorch-fid's function (the one frechet-audio-distance 0.3.4 took over) on equal embeddings."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from pytorch_fid.fid_score import calculate_frechet_distance

from benchmarks.peak import peak_bytes
from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import decode
from genlevel_audio.metrics import fad
from genlevel_evaluator import media, states
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.statistics.frechet import frechet_distance

FILES, CHUNK = 1000, 100


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES, help="recordings that are written, decoded and scored, 4 or more")
    files = parser.parse_args().files
    source = np.random.default_rng(1)
    for windows, dimensions in ((2000, 128), (2000, 512)):
        mixing = source.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
        generated, real = source.normal(size=(windows, dimensions)) @ mixing, source.normal(size=(windows, dimensions))

        ours, value = _best(lambda generated=generated, real=real: frechet_distance(generated, real))
        other, expected = _best(lambda generated=generated, real=real: _theirs((generated, real)))
        print(json.dumps({
            "name": f"fad_{dimensions}", "ours_s": ours, "other_s": other, "ratio": other / ours,
            "equal_to": "pytorch-fid 0.3.0" if abs(value - expected) < 1e-6 * expected else "DIFFERS",
            "note": f"{windows} windows a side, {dimensions} dimensions, best of three",
        }))
    print(json.dumps(_files()))
    print(json.dumps(_from_files(max(files, 4))))


def _theirs(sides: Sequence[np.ndarray]) -> float:
    """pytorch-fid's function, means and covariances included."""
    return float(calculate_frechet_distance(*(part for side in sides for part in (side.mean(axis=0, dtype=np.float64), np.cov(side, rowvar=False, dtype=np.float64)))))


def _files() -> dict[str, object]:
    """1,000 recordings a side of three windows each, from state to value, and what time and memory all companions take."""
    source = np.random.default_rng(2)
    before = peak_bytes() // 1024
    parameters = fad.FadParameters(backbone="vggish")
    rows = []
    for i in range(FILES):
        found = {("vggish", side): source.normal(size=(3, 128)).astype(np.float32) for side in ("prediction", "reference")}
        rows.append((str(i), fad.observe(Sample(str(i), features=found), parameters)))
    state = states.build(fad.METRIC.columns, rows)

    def sides() -> list[np.ndarray]:
        return [state.features(f"{side}_features")[:, :128] for side in ("prediction", "reference")]

    seconds, ours = _best(lambda: frechet_distance(*sides()))
    other, theirs = _best(lambda: _theirs(sides()))
    start = time.perf_counter()
    scored = fad.score(state, parameters).value or 0.0
    whole = time.perf_counter() - start
    peak = peak_bytes() // 1024
    return {
        "name": "fad_1000_files", "ours_s": seconds, "other_s": other, "ratio": other / seconds,
        "equal_to": "pytorch-fid 0.3.0" if abs(ours - theirs) < 1e-6 * theirs and ours == scored else "DIFFERS",
        "note": f"{FILES} files a side of three windows, from embeddings to value; {whole:.2f} s with kad, FAD-infinity, precision, recall and single files, "
        f"which the other has not; peak {peak // 1024} MB, {(peak - before) // 1024} MB of them here",
    }


def _sound(seed: int) -> np.ndarray:
    """Half a second of chirps and noise."""
    source = np.random.default_rng(seed)
    times = np.arange(22_050) / 44_100
    pitch = source.uniform(100, 2000) * np.exp(times * source.normal())
    return np.asarray(0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / 44_100) + source.uniform(0, 0.1) * source.normal(size=len(times)))


def _from_files(files: int) -> dict[str, object]:
    """Files from decoding to value; the first of them against a plain loop over the same network and pytorch-fid's function."""
    os.environ["GENLEVEL_FEATURE_CACHE_BYTES"] = "0"  # embeddings of an earlier run would cost nothing
    scorer, extractor = Scorer.of(EVALUATOR, "fad"), EVALUATOR.extractor("aisfx")
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{i}.wav") for i in range(files)]
        for i, path in enumerate(paths):
            soundfile.write(path, _sound(i), 44_100)
        pairs = list(zip(paths[::2], paths[1::2], strict=False))
        scorer.observe([RawSample("0", Content(media=media.from_path(paths[0])), (Content(media=media.from_path(paths[1])),))])  # warm
        start, parts = time.perf_counter(), []
        for first in range(0, len(pairs), CHUNK):
            contents = [[Content(media=media.from_path(path)) for path in pair] for pair in pairs[first : first + CHUNK]]
            parts.append(scorer.observe([RawSample(str(first + i), own, (true,)) for i, (own, true) in enumerate(contents)])[0])
            peak = peak_bytes() // (1 << 20)
            print(f"fad_from_files: {first + len(contents)} pairs, {time.perf_counter() - start:.0f} s, peak {peak} MB", file=sys.stderr)
            if not first:
                ours = scorer.finalize(parts[0]).value or 0.0
                seconds = time.perf_counter() - start
        scorer.finalize(states.combine(parts))
        whole, peak = time.perf_counter() - start, peak_bytes() // (1 << 20)
        start = time.perf_counter()
        sides = [np.concatenate([np.atleast_2d(extractor.extract([decode(media.from_path(path))])[0]) for path in side]) for side in zip(*pairs[:CHUNK], strict=True)]
        theirs = _theirs(sides)
        other = time.perf_counter() - start
    return {
        "name": "fad_from_files", "ours_s": seconds, "other_s": other, "ratio": other / seconds,
        "equal_to": "pytorch-fid 0.3.0" if abs(ours - theirs) < 1e-4 * abs(theirs) else f"DIFFERS {ours} {theirs}",
        "note": f"{2 * len(pairs[:CHUNK])} files of 0.5 s through aiSFX, from disk to value; ours with all companions; {2 * len(pairs)} files in {whole:.0f} s, peak {peak} MB",
    }


if __name__ == "__main__":
    main()
