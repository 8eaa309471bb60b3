"""Shapes: real models of the sources, and points on them."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from demo import sources

Points = NDArray[np.float64]
MODELS = {
    "rabbit": ("gradio", "gradio/media_assets/models3d/Bunny.obj"),
    "duck": ("gradio", "gradio/media_assets/models3d/Duck.glb"),
    "face": ("gradio", "gradio/media_assets/models3d/face.obj"),
    "statue": ("gradio", "gradio/media_assets/models3d/sofia.stl"),
    "monkey": ("kivy-examples", "kivy-examples/3Drendering/monkey.obj"),
    "airplane": ("pyvista", "pyvista/examples/airplane.ply"),
    "ant": ("pyvista", "pyvista/examples/ant.ply"),
    "nut": ("pyvista", "pyvista/examples/nut.ply"),
}


@functools.cache
def model(name: str) -> tuple[Points, NDArray[Any]]:
    """Return vertices and faces of a model, its middle at the origin, inside the unit ball."""
    package, member = MODELS[name]
    kind = member.rsplit(".", 1)[1]
    content: Any = io.BytesIO(sources.read(package, member))
    if kind == "obj":
        # Materials live in other files; only the shape is wanted.
        text = content.getvalue().decode()
        content = io.StringIO("\n".join(line for line in text.split("\n") if not line.startswith(("mtllib", "usemtl"))))
    loaded = trimesh.load(content, file_type=kind, force="mesh", process=False)
    vertices = np.asarray(loaded.vertices, dtype=np.float64)
    middle = (vertices.max(0) + vertices.min(0)) / 2
    return (vertices - middle) / np.linalg.norm(vertices - middle, axis=1).max(), np.asarray(loaded.faces, np.int64)


def sample(vertices: Points, faces: NDArray[Any], count: int, generator: np.random.Generator) -> Points:
    """Return points spread evenly by area over a mesh."""
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = corners[generator.choice(len(faces), count, p=area / area.sum())]
    first, second = np.sqrt(generator.random((count, 1))), generator.random((count, 1))
    weights = (1 - first, first * (1 - second), first * second)
    return np.asarray(sum(w * chosen[:, k] for k, w in enumerate(weights)), dtype=np.float64)


def rotation(generator: np.random.Generator, upright: bool = False) -> NDArray[np.float64]:
    """Return a random rotation, about the vertical axis only when `upright`."""
    if upright:
        angle = generator.uniform(0, 2 * np.pi)
        return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    quaternion = generator.normal(size=4)
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def descriptor(cloud: Points) -> Points:
    """Return how distances between points, and from the middle, are spread: independent of pose and size."""
    generator = np.random.default_rng(0)
    centred = cloud - cloud.mean(0)
    centred = centred / np.sqrt((centred**2).sum(1).mean())
    pairs = generator.integers(0, len(centred), (2, 4000))
    apart = np.linalg.norm(centred[pairs[0]] - centred[pairs[1]], axis=1)
    out = np.linalg.norm(centred, axis=1)
    spread = np.sqrt(np.linalg.eigvalsh(centred.T @ centred / len(centred)))
    histograms = [np.histogram(v, 24, (0, 4))[0] / len(v) for v in (apart, out)]
    return np.concatenate([*histograms, 0.5 * spread])
