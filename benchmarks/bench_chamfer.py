"""Nearest neighbours of two point clouds, both ways: ours against Open3D, SciPy and torch in chunks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.nearest import distances

Points = NDArray[np.float64]
Both = tuple[Points, Points]
SIZES = (1_000, 10_000, 100_000, 1_000_000)
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


def main() -> None:
    """Prints one line of JSON a comparison."""
    tools: dict[str, Callable[[Points, Points], Both]] = {"open3d": by_open3d, "scipy": by_scipy, "torch": by_torch}
    for count in SIZES:
        for shape in (sphere, cube):
            a, b = shape(count, 1), shape(count, 2)
            repeats = 5 if count < 1_000_000 else 1
            ours_s, ours = best(lambda a=a, b=b: distances(a, b), repeats)  # type: ignore[misc]
            for name, tool in tools.items():
                if name == "torch" and count > TORCH_MOST:
                    continue
                other_s, other = best(lambda tool=tool, a=a, b=b: tool(a, b), repeats)  # type: ignore[misc]
                gap = max(float(np.abs(x - y).max()) for x, y in zip(ours, other, strict=True))
                print(json.dumps({
                    "name": f"chamfer {shape.__name__} {count} against {name}", "ours_s": round(ours_s, 5), "other_s": round(other_s, 5),
                    "ratio": round(other_s / ours_s, 2), "equal_to": gap, "note": "both ways, float64; ratio above 1: ours is faster",
                }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
