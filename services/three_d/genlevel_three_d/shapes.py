"""What the decoders of this evaluator give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PointSet:
    """A point cloud, or a mesh when there are faces.

    Attributes:
        points: shape (n, 3); of a mesh, its vertices.
        faces: shape (m, 3), rows of `points`; None for a cloud.
        sha256: digest of the file; empty for values given as JSON.
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int64] | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Trajectory:
    """Camera poses, one a frame.

    Attributes:
        poses: shape (n, 4, 4), from the camera of a frame to the world.
        frames: frame number of each pose.
        sha256: digest of the file; empty for values given as JSON.
    """

    poses: NDArray[np.float64]
    frames: NDArray[np.int64]
    sha256: str = ""


@dataclass(frozen=True)
class Normals:
    """A unit vector for every point of a shape.

    Attributes:
        vectors: shape (n, 3).
        sha256: digest of the file; empty for values given as JSON.
    """

    vectors: NDArray[np.float64]
    sha256: str = ""
