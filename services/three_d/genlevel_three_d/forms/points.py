"""Point sets, trajectories and normals, as samples give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_three_d import trajectory_files
from genlevel_three_d.headers import MAX_POINTS
from genlevel_three_d.scene import Scene
from genlevel_three_d.shapes import Normals, PointSet, Trajectory


def decode_points(content: Content, attributes: Mapping[str, Any]) -> PointSet:
    """A point cloud or mesh from a file, or a cloud from `[[x, y, z], ...]`."""
    del attributes
    if content.media is not None:
        from genlevel_three_d import point_files

        found = point_files.read(content.media)
        name = content.media.name or "the point set"
        return PointSet(checked_points(found.points, name), checked_faces(found, name), found.sha256)
    if not isinstance(content.json, list):
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected a point set, got {given}", remedy="give a file or [[x, y, z], ...]")
    return PointSet(checked_points(_from_json(content.json), "the point set"))


def _from_json(value: list[Any]) -> NDArray[np.float64]:
    try:
        return np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise SampleError(
            "WRONG_SHAPE", "the point set is not a list of [x, y, z]", remedy="give three numbers a point"
        ) from None


def checked_points(points: NDArray[Any], name: str) -> NDArray[np.float64]:
    if points.size == 0:
        raise SampleError("EMPTY_POINT_SET", f"{name} has no point", remedy="give at least one point")
    if points.ndim != 2 or points.shape[1] != 3:
        raise SampleError("WRONG_SHAPE", f"{name} has shape {points.shape}, not (n, 3)", remedy="give three coordinates a point")
    if len(points) > MAX_POINTS:
        raise SampleError(
            "TOO_MANY_POINTS", f"{name} has {len(points)} points, at most {MAX_POINTS} are read", remedy="give a thinned cloud"
        )
    values = np.ascontiguousarray(points, dtype=np.float64)
    if not np.isfinite(values).all():
        first = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise SampleError("NOT_FINITE", f"point {first} of {name} is NaN or infinite", remedy="remove points without coordinates")
    if np.abs(values).max() > 1e150:
        raise SampleError("NOT_FINITE", f"{name} has coordinates whose squares overflow", remedy="give coordinates below 1e150")
    return values


def checked_faces(found: PointSet | Scene, name: str) -> NDArray[np.int64] | None:
    if found.faces is None or not len(found.faces):
        return None
    faces = np.asarray(found.faces)
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise SampleError("WRONG_SHAPE", f"faces of {name} are not triples of whole numbers", remedy="triangulate the mesh")
    faces = faces.astype(np.int64)
    if faces.min() < 0 or faces.max() >= len(found.points):
        raise SampleError("BAD_FACE", f"a face of {name} names a vertex that is not there", remedy="write the mesh again")
    return faces


def decode_trajectory(content: Content, attributes: Mapping[str, Any]) -> Trajectory:
    """Camera poses from a KITTI pose file, or from a list of 3x4 matrices."""
    del attributes
    if content.media is not None:
        return trajectory_files.read(content.media)
    if not isinstance(content.json, list):
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError(
            "WRONG_TYPE", f"expected a trajectory, got {given}", remedy="give a KITTI pose file or a list of 3x4 matrices"
        )
    return trajectory_files.from_json(content.json)


def decode_normals(content: Content, attributes: Mapping[str, Any]) -> Normals:
    """Normals from a file, or from `[[x, y, z], ...]`."""
    del attributes
    from genlevel_three_d import normal_files

    if content.media is not None:
        return normal_files.read(content.media)
    if not isinstance(content.json, list):
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected normals, got {given}", remedy="give a file or [[x, y, z], ...]")
    return normal_files.checked(_from_json(content.json), "the list of normals")
