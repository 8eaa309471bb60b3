"""Pictures of shapes: views a second of our renderer, for meshes and clouds of growing size, and a ring of views with its features' preprocessing.

Open3D's and pyrender's renderers need OpenGL, and so a display, a GPU or Mesa, whose bytes differ from one version to the next; there is no
program to hold this one against. trimesh's ray caster without Embree is shown for scale.
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
    """Seconds a view of trimesh's own ray caster, extrapolated from one row of samples in sixteen."""
    mesh = trimesh.Trimesh(scene.points, scene.faces, process=False)
    side = np.linspace(-camera.HALF_WIDTH, camera.HALF_WIDTH, camera.GRID)
    x, y = np.meshgrid(side, side[::16])
    rays = np.stack([x.ravel(), y.ravel(), -np.ones(x.size)], axis=1)
    start = time.perf_counter()
    mesh.ray.intersects_first(np.tile([0.0, 0.0, camera.DISTANCE], (len(rays), 1)), rays)
    return 16 * (time.perf_counter() - start)


def main() -> None:
    """Prints one line of JSON a shape."""
    scenes = {f"mesh of {20 * 4**levels} faces": mesh_of(levels) for levels in (2, 4, 6, 7)}
    scenes |= {f"cloud of {count} points": cloud_of(count) for count in (1_000, 16_000, 100_000, 1_000_000)}
    for name, scene in scenes.items():
        one, two = seconds(scene, 1), seconds(scene, 2)
        line = {"name": f"renders, {name}", "ours_s": round(one, 4), "views_a_second": round(camera.VIEWS / one, 1), "views_a_second_two_threads": round(camera.VIEWS / two, 1)}
        if scene.faces is not None and len(scene.faces) < 10_000:
            other = camera.VIEWS * by_rays(scene)
            line |= {"other_s": round(other, 2), "ratio": round(other / one, 1), "note": "other: trimesh's rays; ours draws a ring of 8 views with 4 samples a pixel"}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
