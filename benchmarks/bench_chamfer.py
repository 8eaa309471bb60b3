"""Nearest neighbours of two point clouds, both ways: ours against Open3D, SciPy and torch in chunks, from 1,000 to 1,000,000 points.

Beside the lines of JSON a plot of time against points, build/bench_chamfer.png, and the memory ours takes on top of the clouds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.nearest import SMALL, distances

Points = NDArray[np.float64]
Both = tuple[Points, Points]
SIZES = (1_000, 3_000, 10_000, 100_000, 1_000_000)
PLOT = Path(__file__).parents[1] / "build" / "bench_chamfer.png"
TORCH_MOST = 10_000
"""Brute force needs n² steps; more points only prove that it is slow."""


def by_open3d(a: Points, b: Points) -> Both:
    """Open3D's own C++ trees, in threads."""
    import open3d

    left, right = (open3d.geometry.PointCloud(open3d.utility.Vector3dVector(x)) for x in (a, b))
    return np.asarray(left.compute_point_cloud_distance(right)), np.asarray(right.compute_point_cloud_distance(left))


def by_scipy(a: Points, b: Points) -> Both:
    """SciPy as its manual shows it."""
    from scipy.spatial import cKDTree

    return cKDTree(b).query(a)[0], cKDTree(a).query(b)[0]


def by_torch(a: Points, b: Points) -> Both:
    """All pairs in float64, a thousand rows at a time."""
    import torch

    left, right = torch.from_numpy(a), torch.from_numpy(b)
    rows = [torch.cdist(part, right, compute_mode="donot_use_mm_for_euclid_dist") for part in left.split(1000)]
    first = torch.cat([row.min(1).values for row in rows])
    second = torch.stack([row.min(0).values for row in rows]).min(0).values
    return first.numpy(), second.numpy()


def sphere(count: int, seed: int) -> Points:
    """Points on a sphere: what scans and sampled meshes are like."""
    points = np.random.default_rng(seed).normal(size=(count, 3))
    result: Points = points / np.linalg.norm(points, axis=1)[:, None]
    return result


def cube(count: int, seed: int) -> Points:
    """Points in a cube."""
    return np.random.default_rng(seed).random((count, 3))


def best(work: Callable[[], Both], repeats: int) -> tuple[float, Both]:
    """Shortest time of a few runs, and what the last one gave."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def peak_megabytes(a: Points, b: Points) -> float:
    """Most memory our way takes besides the clouds, in a process of its own."""
    program = (
        "import sys, numpy as np; from genlevel_three_d.nearest import SMALL, distances; import scipy.spatial; from benchmarks.peak import forget_peak, peak_bytes;"
        "a, b = (np.random.default_rng(s).random((int(sys.argv[1]), 3)) for s in (1, 2)); before = forget_peak();"
        "distances(a, b); print((peak_bytes() - before) / 1e6)"
    )
    return float(subprocess.run([sys.executable, "-c", program, str(max(len(a), len(b)))], capture_output=True, text=True, check=True).stdout)


def plot(times: dict[str, dict[int, float]], path: Path) -> None:
    """Seconds against points, both in powers of ten."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5))
    for name, line in times.items():
        axes.loglog(list(line), list(line.values()), marker="o", label=name)
    axes.set_xlabel("points a side")
    axes.set_ylabel("seconds, both ways")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Prints one line of JSON a comparison."""
    tools: dict[str, Callable[[Points, Points], Both]] = {"open3d": by_open3d, "scipy": by_scipy, "torch": by_torch}
    times: dict[str, dict[int, float]] = {}
    for count in SIZES:
        for shape in (sphere, cube):
            a, b = shape(count, 1), shape(count, 2)
            repeats = 200 if count < 10_000 else 5 if count < 1_000_000 else 1
            ours_s, ours = best(lambda a=a, b=b: distances(a, b), repeats)  # type: ignore[misc]
            times.setdefault(f"ours, {shape.__name__}", {})[count] = ours_s
            for name, tool in tools.items():
                if name == "torch" and count > TORCH_MOST:
                    continue
                other_s, other = best(lambda tool=tool, a=a, b=b: tool(a, b), repeats if name != "torch" else 3)  # type: ignore[misc]
                times.setdefault(f"{name}, {shape.__name__}", {})[count] = other_s
                gap = max(float(np.abs(x - y).max()) for x, y in zip(ours, other, strict=True))
                print(json.dumps({
                    "name": f"chamfer {shape.__name__} {count} against {name}", "ours_s": round(ours_s, 6), "other_s": round(other_s, 6),
                    "ratio": round(other_s / ours_s, 2), "equal_to": gap, "note": "both ways, float64; ratio above 1: ours is faster",
                }), flush=True)  # fmt: skip
        if count > SMALL:
            print(json.dumps({"name": f"chamfer memory {count}", "note": f"peak {peak_megabytes(a, b):.0f} MB beside both clouds"}), flush=True)
    plot(times, PLOT)
    print(json.dumps({"name": "chamfer growth", "note": f"plotted in {PLOT.relative_to(PLOT.parents[1])}"}))


if __name__ == "__main__":
    main()
