"""Point sets from files: NPY, NPZ and XYZ by NumPy, PLY, OBJ, STL, OFF and GLB by trimesh, PCD by `pcd_files`."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import MAGIC_NPY, MAGIC_ZIP, read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_three_d import headers, pcd_files
from genlevel_three_d.files import obj_faces, obj_materials, ply_lists
from genlevel_three_d.shapes import PointSet

MAX_BYTES = 2 << 30
SUFFIXES = (".ply", ".obj", ".stl", ".off", ".glb", ".pcd", ".npz", ".npy", ".xyz")
_MAGIC = (
    (b"ply", ".ply"), (b"glTF", ".glb"), (b"OFF", ".off"), (b"# .PCD", ".pcd"), (b"VERSION", ".pcd"),
    (MAGIC_NPY, ".npy"), (MAGIC_ZIP, ".npz"), (b"solid", ".stl"),
)  # fmt: skip


T = TypeVar("T")


def read(blob: Blob) -> PointSet:
    """The point set of a file; coordinates are not checked yet."""
    data, suffix, name = opened(blob)
    if suffix in (".npy", ".npz"):
        points, faces = _arrays(data, name)
    else:
        points, faces = parsed(data, suffix, name, lambda: _READERS[suffix](data) if suffix in _READERS else _by_trimesh(data, suffix, name))
    return PointSet(points, faces, blob.sha256)


def opened(blob: Blob) -> tuple[bytes, str, str]:
    """The bytes of a file of a size that can be read, its suffix, and what to call it."""
    name = blob.name or "the point set"
    size = len(blob.data) if blob.data is not None else os.path.getsize(blob.path or "")
    if size > MAX_BYTES:
        raise SampleError(
            "MEDIA_TOO_LARGE", f"{name} has {size} bytes, at most {MAX_BYTES} are read", remedy="give a thinned cloud"
        )
    if blob.path is not None:
        with blob.path.open("rb") as file:
            headers.check_beginning(file.read(pcd_files.HEAD), blob.suffix, name)
    data = blob.read()
    suffix = blob.suffix or next((known for magic, known in _MAGIC if data.startswith(magic)), "")
    if suffix not in SUFFIXES:
        raise SampleError(
            "UNKNOWN_FORMAT", f"{name}: no reader for {suffix or 'a file without suffix'}", remedy=f"use {', '.join(SUFFIXES)}"
        )
    return data, suffix, name


def _arrays(data: bytes, name: str) -> tuple[Any, Any]:
    if not data.startswith(MAGIC_ZIP):
        return read_npy(data, name, MAX_BYTES), None
    found = read_npz(data, ("points", "vertices", "faces"), name, MAX_BYTES)
    if "points" not in found and "vertices" not in found:
        raise SampleError("NOT_3D_DATA", f"{name} has neither 'points' nor 'vertices'", remedy="save the cloud under 'points'")
    return (found["points"], None) if "points" in found else (found["vertices"], found.get("faces"))


def parsed(data: bytes, suffix: str, name: str, parse: Callable[[], T]) -> T:
    """What `parse` gives for a file whose header was checked; the first of it, or its `points`, are counted."""
    announced = headers.check(data, suffix, name)
    try:
        found = parse()
    except (MemoryError, SampleError):
        raise
    except Exception as error:  # trimesh raises whatever its parsing ran into
        raise SampleError(
            "NOT_3D_DATA", f"{name} cannot be read as {suffix[1:].upper()} ({type(error).__name__})", remedy="save it again, its faces as triangles"
        ) from None
    points = found[0] if isinstance(found, tuple) else getattr(found, "points", ())
    if suffix in (".ply", ".off", ".pcd") and announced is not None and len(points) != announced:
        raise SampleError(
            "MEDIA_TRUNCATED",
            f"{name} announces {announced} points and holds {len(points)} whole ones",
            remedy="copy the file again",
        )
    return found


def xyz(data: bytes) -> NDArray[Any]:
    """Text, a point a line; what follows the three coordinates (colours, normals) is left out."""
    return np.loadtxt(io.BytesIO(data), usecols=(0, 1, 2), ndmin=2) if data.strip() else np.zeros((0, 3))


def placed(data: bytes, suffix: str, name: str, materials: bool = False, material: bytes | None = None) -> Iterator[tuple[NDArray[Any], Any]]:
    """The parts of a file that have points, and those points where the scene puts them."""
    import trimesh

    # process=False keeps the vertices as they are; the resolver, if any, knows one file that is in hand.
    options: dict[str, Any] = {"process": False}
    if suffix == ".obj":
        options |= {"skip_materials": material is None, "maintain_order": True}
        data = obj_faces.counted(data.replace(b"\t", b" "), name)  # trimesh knows a vertex by `v` and a blank
    elif suffix == ".ply":
        data = ply_lists.even(data, name)
    elif suffix == ".glb" and not materials:
        options |= {"skip_materials": True}
    scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], resolver=None if material is None else obj_materials.resolver(material), **options)
    for node in scene.graph.nodes_geometry:
        matrix, geometry = scene.graph[node]
        part = scene.geometry[geometry]
        if len(getattr(part, "vertices", ())):
            yield _moved(np.asarray(part.vertices), np.asarray(matrix)), part


def _moved(points: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """Elementwise, since matrix products differ in the last bit from one processor to the next."""
    if np.array_equal(matrix, np.eye(4)):
        return points
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    return np.column_stack([row[0] * x + row[1] * y + row[2] * z + row[3] for row in matrix[:3]])


def _by_trimesh(data: bytes, suffix: str, name: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    clouds: list[NDArray[Any]] = []
    meshes: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for points, part in placed(data, suffix, name):
        faces = getattr(part, "faces", None)
        if faces is not None and len(faces):
            meshes.append((points, np.asarray(faces)))
        else:
            clouds.append(points)
    if not meshes:
        return (np.concatenate(clouds) if clouds else np.zeros((0, 3))), None
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in meshes[:-1]])
    joined = np.concatenate([faces + start for (_, faces), start in zip(meshes, starts, strict=True)])
    return np.concatenate([vertices for vertices, _ in meshes]), joined


_READERS: dict[str, Callable[[bytes], tuple[NDArray[Any], None]]] = {
    ".pcd": lambda data: (pcd_files.read(data)[0], None), ".xyz": lambda data: (xyz(data), None),
}  # fmt: skip
