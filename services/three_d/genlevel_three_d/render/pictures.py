"""Pictures of a shape from all views of the ring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.render import balls, camera, triangles
from genlevel_three_d.render.camera import GRID, SAMPLES, SIDE, VIEWS
from genlevel_three_d.render.spans import DepthBuffer
from genlevel_three_d.scene import Scene

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_AMBIENT, _DIFFUSE = 0.4, 0.6
_LIGHT = (0.2672612419124244, 0.5345224838248488, 0.8017837257372732)
"""Where the light comes from, in the frame of the camera: (1, 2, 3) at length 1."""


def ring(scene: Scene, up: str = "y") -> NDArray[np.uint8]:
    """All views, shape (views, side, side, 3).

    Raises:
        SampleError: TOO_COMPLEX, the shape hides itself too many times over.
    """
    kept, faces = scene.points, scene.faces
    if faces is not None:  # corners of no face are not seen, and must not shrink what is
        used = np.zeros(len(kept), dtype=np.bool_)
        used[faces.reshape(-1)] = True
        kept = np.where(used[:, None], kept, kept[int(np.argmax(used))])
    points = camera.normalised(kept, up)
    return np.stack([_view(scene, camera.turned(points, view)) for view in range(VIEWS)])


def _view(scene: Scene, points: Floats) -> NDArray[np.uint8]:
    seen = camera.project(points)
    buffer = DepthBuffer()
    grid = np.full((GRID * GRID, 3), 255, dtype=np.uint8)
    if scene.faces is None:
        ball = balls.radius(len(points))
        balls.draw(buffer, seen, ball)
        places, owner = buffer.visible()
        light = _light(*balls.bulge(seen, balls.sizes(seen, ball), owner, places))
        colours = scene.colours_of_points(owner)
    else:
        triangles.draw(buffer, seen, scene.faces)
        places, owner = buffer.visible()
        shown, of_sample = _distinct(owner, len(scene.faces))
        light = _light(*_facing(points, scene.faces[shown]))[of_sample]
        colours = scene.colours_of_faces(owner, _weights(seen, scene.faces[shown], of_sample, places))
    grid[places] = np.floor(np.minimum(colours * light[:, None], 255.0) + 0.5).astype(np.uint8)
    table = grid.reshape(SIDE, SAMPLES, SIDE, SAMPLES, 3).astype(np.uint16)
    total = table[:, 0, :, 0] + table[:, 0, :, 1] + table[:, 1, :, 0] + table[:, 1, :, 1]
    return np.asarray((total + 2) // 4, dtype=np.uint8)


def _distinct(owner: Integers, count: int) -> tuple[Integers, Integers]:
    """The faces that are seen, and for each sample its place among them."""
    there = np.zeros(count, dtype=np.bool_)
    there[owner] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[owner]


def _light(right: Floats, up: Floats, towards: Floats) -> Floats:
    lit: Floats = right * _LIGHT[0] + up * _LIGHT[1] + towards * _LIGHT[2]
    return _AMBIENT + _DIFFUSE * np.maximum(lit, 0.0)


def _facing(points: Floats, faces: Integers) -> tuple[Floats, Floats, Floats]:
    """Unit normals of faces, on the side that the camera sees."""
    first, second, third = (points[faces[:, corner]] for corner in range(3))
    u, v = second - first, third - first
    normal = (
        u[:, 1] * v[:, 2] - u[:, 2] * v[:, 1],
        u[:, 2] * v[:, 0] - u[:, 0] * v[:, 2],
        u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0],
    )
    view = (0.0 - first[:, 0], 0.0 - first[:, 1], camera.DISTANCE - first[:, 2])
    side = normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2]
    length = np.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2])
    factor = np.where(side < 0, -1.0, 1.0) / np.where(length > 0, length, 1.0)
    return normal[0] * factor, normal[1] * factor, normal[2] * factor


def _weights(seen: camera.Projected, faces: Integers, of_sample: Integers, places: Integers) -> Floats:
    """Share of each corner at a sample, in the shape and not in the picture (perspective divided out), shape (samples, 3)."""
    edges = triangles.Edges.of(seen.x[faces], seen.y[faces])
    shares = edges.at(places, of_sample) * (1.0 / seen.distance[faces])[of_sample]
    total = shares[:, 0] + shares[:, 1] + shares[:, 2]
    result: Floats = shares / total[:, None]
    return result
