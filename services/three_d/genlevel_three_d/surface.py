"""Points drawn from the surface of a mesh, and the frame a shape is normalised to."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_three_d.shapes import PointSet

Normalisation = Literal["none", "unit_cube", "unit_sphere"]


Floats = NDArray[np.float64]


def cloud(shape: PointSet, count: int, seed: int, side: str) -> Floats:
    """The points of a cloud, or `count` points of a mesh, uniform by area; see `sampled`."""
    return sampled(shape, count, seed, side)[0]


def sampled(shape: PointSet, count: int, seed: int, side: str) -> tuple[Floats, NDArray[np.int64] | None]:
    """The same, and the face of each point; None for a cloud.

    Raises:
        SampleError: DEGENERATE_GEOMETRY, the faces have no area.
    """
    if shape.faces is None:
        return shape.points, None
    corners = shape.points[shape.faces]
    edges = corners[:, 1:] - corners[:, :1]
    # Divided by the longest edge first: squares of tiny or huge edges would leave the range of float64.
    longest = float(np.abs(edges).max())
    areas = np.linalg.norm(np.cross(edges[:, 0] / (longest or 1.0), edges[:, 1] / (longest or 1.0)), axis=1)
    ends = np.cumsum(areas)
    if longest == 0.0 or not ends[-1] > 0.0:
        raise SampleError(
            "DEGENERATE_GEOMETRY", f"the faces of the {side} have no area", remedy="give a mesh with a surface", side=side
        )
    random = np.random.default_rng(seed).random((3, count))
    # side="right" never picks a face without area, whose end equals the end before it.
    chosen = np.minimum(np.searchsorted(ends, random[0] * ends[-1], side="right"), np.flatnonzero(areas)[-1])
    u, v = random[1], random[2]
    outside = u + v > 1.0
    weights = np.stack([np.where(outside, 1.0 - u, u), np.where(outside, 1.0 - v, v)], axis=1)
    points: Floats = corners[chosen, 0] + np.einsum("nk,nkd->nd", weights, edges[chosen])
    return points, chosen


def normals(shape: PointSet, faces: NDArray[np.int64]) -> Floats:
    """Unit normals of some faces; zero for one without area."""
    corners = shape.points[shape.faces[faces]] if shape.faces is not None else np.zeros((0, 3, 3))
    edges = corners[:, 1:] - corners[:, :1]
    edges = edges / np.maximum(np.abs(edges).max(axis=(1, 2), initial=0.0), np.finfo(np.float64).tiny)[:, None, None]
    crosses = np.cross(edges[:, 0], edges[:, 1])
    lengths = np.linalg.norm(crosses, axis=1)
    result: Floats = crosses / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    return result


def extent(points: Floats) -> float:
    """Longest edge of the box around points."""
    return float((points.max(axis=0) - points.min(axis=0)).max())


def frame(reference: NDArray[np.float64], normalisation: Normalisation) -> tuple[NDArray[np.float64], float]:
    """Centre and size of the reference. Both sides are moved by the same frame, so an error of size or place still counts.

    Raises:
        SampleError: DEGENERATE_GEOMETRY, all points are one.
    """
    if normalisation == "none":
        return np.zeros(3), 1.0
    low, high = reference.min(axis=0), reference.max(axis=0)
    centre = low + (high - low) / 2.0
    if normalisation == "unit_cube":
        size = float((high - low).max())
    else:
        size = float(np.linalg.norm(reference - centre, axis=1).max())
    if size == 0.0:
        raise SampleError(
            "DEGENERATE_GEOMETRY",
            f"the reference is a single place, {normalisation} cannot be applied",
            remedy="use normalisation=none",
            side="reference",
        )
    return centre, size
