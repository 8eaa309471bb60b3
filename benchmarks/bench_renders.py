"""Pictures of shapes: views a second of our renderer, for meshes and clouds of growing size, on one and two threads.

Open3D's and pyrender's renderers need OpenGL, and so a display, a GPU or Mesa, whose bytes differ from one version to the next. For scale there is
Open3D's ray caster (Embree): what is met by the same rays, without colours, light or the mean of the samples.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import trimesh

from genlevel_three_d.render import camera
from genlevel_three_d.render.pictures import ring
from genlevel_three_d.scene import Scene


def mesh_of(levels: int) -> Scene:
    """A ball of 20 * 4 ** levels faces, with colours."""
    ball = trimesh.creation.icosphere(levels)
    points = np.asarray(ball.vertices, dtype=np.float64)
    return Scene(points, np.asarray(ball.faces, dtype=np.int64), np.floor(127.5 * (points + 1.0)).astype(np.uint8))


def cloud_of(count: int) -> Scene:
    """Points on a ball."""
    points = np.random.default_rng(1).normal(size=(count, 3))
    return Scene(points / np.linalg.norm(points, axis=1)[:, None])


def seconds(scene: Scene, threads: int) -> float:
    """Of a ring, with as many at once as there are threads."""
    ring(scene)
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(ring, [scene] * (2 * threads)))
    return (time.perf_counter() - start) / (2 * threads)


def by_rays(scene: Scene) -> float:
    """Seconds of Open3D's ray caster for as many rays as a ring has samples."""
    import open3d

    caster = open3d.t.geometry.RaycastingScene()
    caster.add_triangles(open3d.core.Tensor(scene.points.astype(np.float32)), open3d.core.Tensor(scene.faces.astype(np.uint32)))  # type: ignore[union-attr]
    side = np.linspace(-camera.HALF_WIDTH, camera.HALF_WIDTH, camera.GRID, dtype=np.float32)
    x, y = np.meshgrid(side, side)
    eye = np.broadcast_to(np.float32([0, 0, camera.DISTANCE]), (x.size, 3))
    rays = open3d.core.Tensor(np.concatenate([eye, np.stack([x.ravel(), y.ravel(), -np.ones(x.size, np.float32)], axis=1)], axis=1))
    caster.cast_rays(rays)
    start = time.perf_counter()
    for _ in range(camera.VIEWS):
        caster.cast_rays(rays)
    return time.perf_counter() - start


def main() -> None:
    """Prints one line of JSON a shape."""
    scenes = {f"mesh of {20 * 4**levels} faces": mesh_of(levels) for levels in (2, 4, 6, 7)}
    scenes |= {f"cloud of {count} points": cloud_of(count) for count in (1_000, 16_000, 100_000, 1_000_000)}
    for name, scene in scenes.items():
        one, two = seconds(scene, 1), seconds(scene, 2)
        note = f"{camera.VIEWS / one:.1f} views a second, {camera.VIEWS / two:.1f} in two threads; a ring of 8 views of 224 x 224 of 4 samples"
        line: dict[str, object] = {"name": f"renders, {name}", "ours_s": round(one, 4), "note": note}
        if scene.faces is not None:
            other = by_rays(scene)
            line |= {"other_s": round(other, 4), "ratio": round(other / one, 2), "note": f"{note}; other: Open3D's rays alone, on all cores"}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
