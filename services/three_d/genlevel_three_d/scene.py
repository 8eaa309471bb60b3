"""A shape with its colours, as the renderer takes it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
GREY = 180
"""Of what has no colour."""


@dataclass(frozen=True)
class Scene:
    """A point cloud, or a mesh when there are faces.

    Attributes:
        points: shape (n, 3); of a mesh, its corners.
        faces: shape (m, 3); None for a cloud.
        colours: of the points, RGB, shape (n, 3), uint8; None where all are grey.
        face_colours: of the faces instead.
        corners: positions in the texture of a face's points, shape (n, 2), v upwards.
        textures: RGB pictures.
        texture_of: for each face the number of its texture, -1 for none.
        sha256: digest of the file; empty where it is not known.
        lacks: name of a material file that was not given.
    """

    points: Floats
    faces: Integers | None = None
    colours: NDArray[np.uint8] | None = None
    face_colours: NDArray[np.uint8] | None = None
    corners: Floats | None = None
    textures: list[NDArray[np.uint8]] = field(default_factory=list)
    texture_of: Integers | None = None
    sha256: str = ""
    lacks: str = ""

    @property
    def remains(self) -> str:
        """What a metric is told of it when the shape itself is let go."""
        return self.lacks

    def colours_of_points(self, points: Integers) -> Floats:
        """RGB of some points, 0 to 255."""
        if self.colours is None:
            return np.full((len(points), 3), float(GREY))
        return self.colours[points].astype(np.float64)

    def colours_of_faces(self, faces: Integers, weights: Floats) -> Floats:
        """RGB at places of some faces, given by the shares of their corners."""
        corners = self.faces[faces] if self.faces is not None else np.zeros((0, 3), dtype=np.int64)
        if self.face_colours is not None:
            base = self.face_colours[faces].astype(np.float64)
        elif self.colours is not None:
            base = _mixed(self.colours.astype(np.float64), corners, weights)
        else:
            base = np.full((len(faces), 3), float(GREY))
        if self.texture_of is None or self.corners is None:
            return base
        chosen = self.texture_of[faces]
        positions = _mixed(self.corners, corners, weights)
        for number, texture in enumerate(self.textures):
            own = np.flatnonzero(chosen == number)
            base[own] = base[own] * _texels(texture, positions[own]) / 255.0
        return base


def _mixed(values: Floats, corners: Integers, weights: Floats) -> Floats:
    first, second, third = (values[corners[:, corner]] * weights[:, corner : corner + 1] for corner in range(3))
    return np.asarray(first + second + third)


def _texels(texture: NDArray[np.uint8], positions: Floats) -> Floats:
    """The nearest texel; textures repeat."""
    height, width = texture.shape[:2]
    # Rounded to 1/65536 of a texel, so that a corner that lies on the border of two is not decided by the last bit.
    column = np.floor(np.floor(positions[:, 0] * (width * 65536.0) + 0.5) / 65536.0).astype(np.int64) % width
    row = np.floor(np.floor((1.0 - positions[:, 1]) * (height * 65536.0) + 0.5) / 65536.0).astype(np.int64) % height
    texels: Floats = texture[row, column].astype(np.float64)
    return texels
