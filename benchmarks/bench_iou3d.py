"""Oriented overlap of 10,000 pairs of boxes in space: ours against shapely, which runs in `.oracles/nuscenes` (`make oracles`)."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import numpy as np

from genlevel_three_d.scenes.box_overlap import Boxes, ground_intersection, iou_3d

ROOT = Path(__file__).resolve().parents[1]
PAIRS = 10_000
_SHAPELY = """
import json, sys, time
import numpy as np
from shapely import affinity, geometry
first, second = np.array(json.load(sys.stdin))
def shape(box):
    x, y, _, width, length, _, yaw = box
    return affinity.translate(affinity.rotate(geometry.box(-length / 2, -width / 2, length / 2, width / 2), yaw, (0, 0), use_radians=True), x, y)
started = time.perf_counter()
areas = [shape(one).intersection(shape(other)).area for one, other in zip(first, second)]
print(json.dumps([time.perf_counter() - started, areas]))
"""
"""One pair after another, as evaluations that use shapely do; the height is left to the reader."""


def boxes(seed: int) -> Boxes:
    """Boxes near one another, of which most pairs overlap."""
    random = np.random.default_rng(seed)
    return np.column_stack([random.uniform(-1.5, 1.5, (PAIRS, 3)), random.uniform(0.5, 5, (PAIRS, 3)), random.uniform(-np.pi, np.pi, PAIRS)])


def main() -> None:
    """Prints one line of JSON."""
    first, second = boxes(0), boxes(1)
    python = ROOT / ".oracles" / "nuscenes" / "bin" / "python"
    done = subprocess.run([python, "-c", _SHAPELY], input=json.dumps([first.tolist(), second.tolist()]), capture_output=True, text=True, check=True)
    theirs, areas = json.loads(done.stdout)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        iou_3d(first, second)
        times.append(time.perf_counter() - started)
    off = float(np.abs(ground_intersection(first, second) - areas).max())
    assert off < 1e-9, off
    print(json.dumps({
        "name": f"oriented 3D IoU, {PAIRS} pairs", "ours_s": round(min(times), 4), "other_s": round(theirs, 3), "ratio": round(theirs / min(times), 1), "equal_to": off,
        "note": f"other: shapely 2.0, areas on the ground alone; {np.mean(np.array(areas) > 0):.0%} of the pairs overlap",
    }))  # fmt: skip


if __name__ == "__main__":
    main()
