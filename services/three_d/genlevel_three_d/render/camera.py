"""The camera ring, and where a shape lies in a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.scene import GREY

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SIDE = 224
"""Width and height of a picture: what CLIP looks at."""
SAMPLES = 2
"""Samples a pixel along each axis."""
GRID = SIDE * SAMPLES
SUB = 256
"""Steps within a sample, in which corners are rounded."""
DEPTHS = 1 << 24
DISTANCE = 2.75
"""From the centre of the shape, whose farthest point is at 1."""
HALF_WIDTH = 0.4
"""Of the picture at distance 1: a field of view of 43.6 degrees, in which the ball of radius 1 fits."""
ELEVATION = (0.9396926207859084, 0.3420201433256687)
"""Cosine and sine of 20 degrees."""
_HALF = 0.7071067811865476
AZIMUTHS = ((1.0, 0.0), (_HALF, _HALF), (0.0, 1.0), (-_HALF, _HALF), (-1.0, 0.0), (-_HALF, -_HALF), (0.0, -1.0), (_HALF, -_HALF))
"""Cosine and sine of 0, 45, ... 315 degrees. At 0 the camera looks at the front, from +z; it goes round by way of +x."""
VIEWS = len(AZIMUTHS)
UPS = ("y", "z")
"""Axes that may point up in a file: y in GLB, z in scans and in what Blender writes. Where z is up, the front looks towards -y."""
BALLS = (1.6, 0.004, 0.05)
"""Radius of a ball that stands for a point: this over the square root of their number, at least, at most."""
DESCRIPTION = (
    f"{VIEWS} views 45 degrees apart, elevation 20 degrees, distance {DISTANCE} radii, field of view 43.6 degrees, {SIDE} x {SIDE}, {SAMPLES * SAMPLES} samples a pixel, "
    "white background, light at the camera from above right, ambient 0.4, diffuse 0.6, two-sided flat shading, box centred, farthest point at 1, "
    f"points as balls of radius {BALLS[0]} / sqrt(n) from {BALLS[1]} to {BALLS[2]}, grey {GREY} without colours"
)
"""What of the renderer decides the pictures; part of the signature."""


@dataclass(frozen=True)
class Projected:
    """Points as a camera sees them.

    Attributes:
        x: in steps from the left.
        y: in steps from the top.
        depth: larger is nearer: `DEPTHS` divided by the distance along the view.
        distance: along the view.
    """

    x: Integers
    y: Integers
    depth: Integers
    distance: Floats


def normalised(points: Floats, up: str) -> Floats:
    """Moved and scaled so that the box is centred and the farthest point is at 1; y is up afterwards.

    >>> normalised(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 4.0]]), "z").tolist()
    [[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]
    """
    low, high = points.min(axis=0), points.max(axis=0)
    moved = points - (low + (high - low) / 2.0)
    largest = float(np.abs(moved).max())  # squares of tiny or huge coordinates would leave the range of numbers
    if largest > 0.0:
        moved = moved / largest
        moved = moved / np.sqrt((moved[:, 0] * moved[:, 0] + moved[:, 1] * moved[:, 1] + moved[:, 2] * moved[:, 2]).max())
    if up == "z":
        moved = np.column_stack([moved[:, 0], moved[:, 2], 0.0 - moved[:, 1]])
    return np.ascontiguousarray(moved)


def turned(points: Floats, view: int) -> Floats:
    """Points in the frame of a camera: right, up, and towards it; the centre stays the origin."""
    (cosine, sine), (level, rise) = AZIMUTHS[view], ELEVATION
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    right = x * cosine - z * sine
    ahead = x * sine + z * cosine
    return np.column_stack([right, y * level - ahead * rise, y * rise + ahead * level])


def project(points: Floats) -> Projected:
    """Where points in the frame of the camera lie in its picture."""
    distance = DISTANCE - points[:, 2]
    scale = (GRID * SUB / 2.0 / HALF_WIDTH) / distance
    middle = GRID * SUB / 2.0
    return Projected(
        np.floor(middle + points[:, 0] * scale + 0.5).astype(np.int64),
        np.floor(middle - points[:, 1] * scale + 0.5).astype(np.int64),
        np.floor(DEPTHS / distance).astype(np.int64),
        distance,
    )
