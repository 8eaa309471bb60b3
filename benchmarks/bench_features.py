"""Features of pictures from files against the bare loop of the same network over tensors in memory, on the same cores; memory; the second time.

The two loops take turns, so that a busy machine hits both; the best round of each is shown. Memory at 500 and at 5,000 pictures is
that of a process of its own, from files to the state of FID. There the network's last layers alone run (LONG: the whole one), since what
waits in memory does not depend on how long the network takes. `--pictures N --rounds R` change the sizes of the first part.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.peak import peak_bytes

THREADS = 2
SIDE = 256
BATCH = 16
LONG = bool(os.environ.get("GENLEVEL_BENCH_LONG"))
COUNTS = (500, 5000)


def pictures(folder: Path, count: int, first: int = 0) -> list[Path]:
    """JPEG files with contents of their own."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.jpg" for number in range(first, first + count)]
    for number, path in enumerate(paths, start=first):
        random = np.random.default_rng(number)
        small = Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        small.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=90)
    return paths


def samples(paths: list[Path]) -> list[Any]:
    """Each file a generated picture of a set."""
    from genlevel_evaluator.engine import RawSample
    from genlevel_evaluator.kinds import Content
    from genlevel_evaluator.media import from_path
    from genlevel_evaluator.metric import Presence

    return [RawSample(path.stem, Content(media=from_path(path)), (), Presence.PREDICTION_ONLY) for path in paths]


def rounds(folder: Path, count: int, number: int) -> Iterator[tuple[float, float, float, str]]:
    """Seconds of the bare loop, of ours, and of ours again in each round, and whether their features are equal."""
    import torch

    from genlevel_evaluator.engine import Scorer
    from genlevel_evaluator.kinds import Content
    from genlevel_evaluator.media import from_path
    from genlevel_image.app import EVALUATOR
    from genlevel_image.decode import decode_image

    torch.set_num_threads(THREADS)
    scorer = Scorer.of(EVALUATOR, "fid")
    extractor: Any = EVALUATOR.extractor("inception-v3-nsfwjs.torch")
    extractor.extract([decode_image(Content(media=from_path(pictures(folder, 1, 10**9)[0])), {})])
    for turn in range(number):
        paths = pictures(folder, count, turn * count)
        tensors = torch.stack([extractor.prepare(decode_image(Content(media=from_path(path)), {})) for path in paths])
        given = samples(paths)
        begin = time.perf_counter()
        with torch.inference_mode():
            bare = torch.cat([extractor._model(tensors[start : start + BATCH]) for start in range(0, count, BATCH)]).numpy()
        middle = time.perf_counter()
        rows, _ = scorer.observe(given)
        end = time.perf_counter()
        scorer.observe(given)
        again = time.perf_counter() - end
        place = {str(key): index for index, key in enumerate(rows.keys)}
        found = np.asarray(rows.column("prediction_features")).reshape(count, -1)[[place[sample.id] for sample in given]]
        yield middle - begin, end - middle, again, f"{float(np.abs(found - bare).max()):.1g}"


def memory(count: int) -> None:
    """Prints the peak of this process after FID's state of so many pictures."""
    import torch

    from genlevel_evaluator.engine import Scorer
    from genlevel_image.app import EVALUATOR

    torch.set_num_threads(THREADS)
    extractor: Any = EVALUATOR.extractor("inception-v3-nsfwjs.torch")
    with tempfile.TemporaryDirectory() as name:
        scorer = Scorer.of(EVALUATOR, "fid")
        scorer.observe(samples(pictures(Path(name) / "first", 16)))  # the whole network once
        if not LONG:
            extractor._model = lambda batch: batch.mean(dim=(2, 3)).repeat(1, 683)[:, :2048]
        paths = pictures(Path(name) / "more", count, 16)
        begin = time.perf_counter()
        rows, _ = scorer.observe(samples(paths))
        seconds = time.perf_counter() - begin
    peak = peak_bytes()
    digest = hashlib.sha256(np.ascontiguousarray(rows.column("_flags")).tobytes()).hexdigest()[:8]
    print(json.dumps({"peak": peak, "seconds": seconds, "digest": digest}))


def second_process(folder: Path, count: int) -> None:
    """Prints the seconds for features that another process left on disk, start and imports left out."""
    from genlevel_evaluator import feature_keys
    from genlevel_evaluator.engine import Scorer
    from genlevel_image.app import EVALUATOR

    scorer = Scorer.of(EVALUATOR, "fid")
    feature_keys.torch_device()
    given = samples([folder / f"{number}.jpg" for number in range(count)])
    begin = time.perf_counter()
    scorer.observe(given)
    print(json.dumps({"seconds": time.perf_counter() - begin, "networks": len(EVALUATOR._extractors)}))


def child(*arguments: str) -> dict[str, Any]:
    """What this program says in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_features", *arguments]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    return answer


def speed(count: int, number: int) -> None:
    """The first part."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pictures"
        os.environ["GENLEVEL_FEATURE_CACHE_DIR"] = f"{name}/features"
        found = list(rounds(folder, count, number))
        bare, ours, again = (min(turn[place] for turn in found) for place in range(3))
        load = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
        print(json.dumps({
            "name": f"Inception features of {count} JPEGs of {SIDE} x {SIDE} against the bare network", "ours_s": ours, "other_s": bare, "ratio": bare / ours,
            "equal_to": found[0][3], "note": f"other: tensors in memory, batches of {BATCH}; ours / other {ours / bare:.2f}, aim at most 1.10; {load}",
        }), flush=True)
        print(json.dumps({"name": f"the same features again, {count} JPEGs", "ours_s": again, "note": "remembered in memory"}), flush=True)
        later = child("--again", str(folder), "--pictures", str(count))
        print(json.dumps({
            "name": f"the same features in a new process, {count} JPEGs", "ours_s": later["seconds"],
            "note": f"from disk; {later['networks']} networks loaded; start and imports left out",
        }), flush=True)


def main() -> None:
    """Prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int)
    parser.add_argument("--again", type=Path)
    given = parser.parse_args()
    if given.memory:
        os.environ["GENLEVEL_FEATURE_CACHE_BYTES"] = "0"
        memory(given.memory)
        return
    if given.again:
        second_process(given.again, given.pictures)
        return
    speed(given.pictures, given.rounds)
    for count in COUNTS:
        found = child("--memory", str(count))
        print(json.dumps({
            "name": f"FID's features of {count:,} JPEGs, memory", "note": f"{found['peak'] / 1e6:.0f} MB peak resident, aim under 2 GB; "
            + ("the whole network" if LONG else "16 by the whole network, the others by a stand-in for it"),
        }), flush=True)


if __name__ == "__main__":
    main()
