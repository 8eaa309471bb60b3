"""Shapes with their colours from files: vertex and face colours, textures and base colours of GLB, colours of clouds.

Colours are taken as they stand: no transparency, no gamma, no other maps of a material. What lies outside the file is not read; an OBJ
has the colours of its vertices, and the diffuse colours of the material file that comes with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import MAGIC_ZIP, read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_three_d import headers, pcd_files, point_files
from genlevel_three_d.files import obj_materials
from genlevel_three_d.scene import GREY, Scene

MOST_TEXELS = 1 << 26
"""Of all textures of a shape: 0.2 GB."""
_ARRAYS = ("points", "vertices", "faces", "colors", "coords", "R", "G", "B")


def read(blob: Blob, material: Blob | None = None) -> Scene:
    """The shape of a file, and of an OBJ's material file; coordinates are not checked yet."""
    data, suffix, name = point_files.opened(blob)
    if suffix in (".npy", ".npz"):
        points, faces, colours = (_from_npz if data.startswith(MAGIC_ZIP) else _from_npy)(data, name)
    else:
        return point_files.parsed(data, suffix, name, lambda: _parse(data, suffix, name, blob.sha256, None if material is None else obj_materials.read(material)))
    return Scene(points, faces, _bytes(colours, len(points), name), sha256=blob.sha256)


def _from_npy(data: bytes, name: str) -> tuple[Any, Any, Any]:
    rows = read_npy(data, name, point_files.MAX_BYTES)
    return (rows[:, :3], None, rows[:, 3:]) if rows.ndim == 2 and rows.shape[1] == 6 else (rows, None, None)


def _from_npz(data: bytes, name: str) -> tuple[Any, Any, Any]:
    found = read_npz(data, _ARRAYS, name, point_files.MAX_BYTES)
    points = next((found[key] for key in ("points", "coords", "vertices") if key in found), None)
    if points is None:
        raise SampleError("NOT_3D_DATA", f"{name} has neither 'points' nor 'vertices'", remedy="save the cloud under 'points'")
    colours = found.get("colors")
    if colours is None and {"R", "G", "B"} <= found.keys():  # as Point-E saves clouds
        if len({found[key].shape for key in "RGB"}) > 1:
            raise SampleError("WRONG_SHAPE", f"{name} has R, G and B of different lengths", remedy="give red, green and blue of every point")
        colours = np.stack([found[key] for key in "RGB"], axis=-1)
    return points, None if "points" in found or "coords" in found else found.get("faces"), colours


def _bytes(colours: Any, count: int, name: str) -> NDArray[np.uint8] | None:
    """RGB of 8 bits: floats are shares of 1, whole numbers 0 to 255."""
    if colours is None or not np.size(colours):
        return None
    values = np.asarray(colours)
    if values.ndim != 2 or len(values) != count or values.shape[1] not in (3, 4):
        raise SampleError("WRONG_SHAPE", f"{name} has colours of shape {values.shape} for {count} points", remedy="give red, green and blue of every point")
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise SampleError("NOT_FINITE", f"{name} has a colour that is NaN or infinite", remedy="give colours from 0 to 1")
        values = np.floor(np.clip(values.astype(np.float64), 0.0, 1.0) * 255.0 + 0.5)
    return np.ascontiguousarray(np.clip(values[:, :3], 0, 255).astype(np.uint8))


@dataclass
class _Part:
    """One mesh of a file."""

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    colours: NDArray[np.uint8] | None = None
    face_colours: NDArray[np.uint8] | None = None
    corners: NDArray[np.float64] | None = None
    texture: NDArray[np.uint8] | None = None


def _parse(data: bytes, suffix: str, name: str, sha256: str, material: bytes | None) -> Scene:
    if suffix == ".pcd":
        points, colours = pcd_files.read(data)
        return Scene(points, None, _bytes(colours, len(points), name), sha256=sha256)
    if suffix == ".xyz":
        return Scene(point_files.xyz(data), sha256=sha256)
    if suffix == ".glb":
        headers.check_pictures(data, name)
    clouds: list[tuple[NDArray[np.float64], NDArray[np.uint8] | None]] = []
    parts: list[_Part] = []
    texels = 0
    for points, part in point_files.placed(data, suffix, name, materials=True, material=material):
        faces = getattr(part, "faces", None)
        if faces is None or not len(faces):
            clouds.append((points, _rgb(getattr(part, "colors", None), len(points))))
            continue
        one = _Part(points, np.asarray(faces, dtype=np.int64))
        texels = _look(one, part, texels)
        parts.append(one)
    if parts:
        return replace(_joined(parts, sha256), lacks=obj_materials.named(data) if suffix == ".obj" and material is None else "")
    if not clouds:
        return Scene(np.zeros((0, 3)), sha256=sha256)
    return Scene(
        np.concatenate([points for points, _ in clouds]), None, np.concatenate([_or_grey(own, len(points)) for points, own in clouds]), sha256=sha256,
    )  # fmt: skip


def _rgb(colours: Any, count: int) -> NDArray[np.uint8] | None:
    values = np.asarray(colours) if colours is not None else np.zeros(0)
    if values.dtype != np.uint8 or values.ndim != 2 or values.shape[0] != count or np.size(values) < 3 * count:
        return None
    return np.ascontiguousarray(values[:, :3])


def _look(one: _Part, part: Any, texels: int) -> int:
    """Notes the colours of a part; gives the texels so far."""
    visual = part.visual
    if visual.kind == "vertex":
        one.colours = _rgb(visual.vertex_colors, len(one.points))
    elif visual.kind == "face":
        one.face_colours = _rgb(visual.face_colors, len(one.faces))
    elif visual.kind == "texture":
        material = visual.material
        picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
        factor = getattr(material, "baseColorFactor", None)
        if factor is None and not hasattr(material, "baseColorTexture"):
            factor = getattr(material, "diffuse", None)
        uv = None if visual.uv is None else np.asarray(visual.uv, dtype=np.float64)
        if picture is not None and uv is not None and uv.shape == (len(one.points), 2):
            texels = _checked_texels(picture, texels)
            one.texture = np.asarray(picture.convert("RGB"))
            one.corners = np.where(np.isfinite(uv) & (np.abs(uv) < 1e6), uv, 0.0)
        base = _rgb(np.asarray(factor)[None], 1) if factor is not None else None
        white = np.full((1, 3), 255 if one.texture is not None else GREY, dtype=np.uint8)
        one.colours = np.repeat(white if base is None else base, len(one.points), axis=0)
    return texels


def _checked_texels(picture: Any, before: int) -> int:
    width, height = picture.size
    texels = before + int(width) * int(height)
    if texels > MOST_TEXELS:
        raise SampleError("IMAGE_TOO_LARGE", f"the textures have more than {MOST_TEXELS} pixels", remedy="scale the textures down")
    return texels


def _joined(parts: list[_Part], sha256: str) -> Scene:
    """All parts as one mesh."""
    starts = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    textures = [part.texture for part in parts if part.texture is not None]
    numbers = np.cumsum([part.texture is not None for part in parts]) - 1
    textured = [np.full(len(part.faces), number if part.texture is not None else -1) for part, number in zip(parts, numbers, strict=True)]
    by_face = any(part.face_colours is not None for part in parts)
    return Scene(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]),
        None if by_face else np.concatenate([_or_grey(part.colours, len(part.points)) for part in parts]),
        np.concatenate([_of_faces(part) for part in parts]) if by_face else None,
        np.concatenate([np.zeros((len(part.points), 2)) if part.corners is None else part.corners for part in parts]) if textures else None,
        textures,
        np.concatenate(textured).astype(np.int64) if textures else None,
        sha256,
    )


def _of_faces(part: _Part) -> NDArray[np.uint8]:
    """Colours of faces; of a part that colours its corners, those of the first."""
    if part.face_colours is not None or part.colours is None:
        return _or_grey(part.face_colours, len(part.faces))
    return part.colours[part.faces[:, 0]]


def _or_grey(colours: NDArray[np.uint8] | None, count: int) -> NDArray[np.uint8]:
    return np.full((count, 3), GREY, dtype=np.uint8) if colours is None else colours
