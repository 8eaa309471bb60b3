"""Triangles to samples: exact coverage in whole numbers, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.render.camera import GRID, SUB, Projected
from genlevel_three_d.render.spans import DepthBuffer, first_centre, last_centre, pieces, repeated

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_FACES = 1 << 18
"""Faces worked on at once."""


@dataclass(frozen=True)
class Edges:
    """Edge functions `a x + b y + c` of faces, each of shape (faces, 3); the one opposite a corner. All are at least 0 inside.

    Attributes:
        a: step along x.
        b: step along y.
        c: at the origin.
        area: their sum anywhere: twice the area.
    """

    a: Integers
    b: Integers
    c: Integers
    area: Integers

    @classmethod
    def of(cls, x: Integers, y: Integers) -> Edges:
        """Of the corners, shape (faces, 3)."""
        following, last = [1, 2, 0], [2, 0, 1]
        a, b = y[:, following] - y[:, last], x[:, last] - x[:, following]
        c = x[:, following] * y[:, last] - x[:, last] * y[:, following]
        area = c[:, 0] + c[:, 1] + c[:, 2]
        sign = np.where(area < 0, -1, 1)[:, None]
        return cls(a * sign, b * sign, c * sign, np.abs(area))

    def take(self, faces: Integers) -> Edges:
        """Those of some faces."""
        return Edges(self.a[faces], self.b[faces], self.c[faces], self.area[faces])

    def at(self, places: Integers, faces: Integers) -> Integers:
        """Values at samples of some faces, shape (samples, 3)."""
        x, y = centres(places)
        return self.a[faces] * x[:, None] + self.b[faces] * y[:, None] + self.c[faces]


def centres(places: Integers) -> tuple[Integers, Integers]:
    """Positions of the centres of samples, in steps."""
    return places % GRID * SUB + SUB // 2, places // GRID * SUB + SUB // 2


def draw(buffer: DepthBuffer, seen: Projected, faces: Integers) -> None:
    """Offers every sample of every face to the buffer."""
    for start in range(0, len(faces), _FACES):
        part = faces[start : start + _FACES]
        x, y = seen.x[part], seen.y[part]
        top, bottom = first_centre(y.min(axis=1)), last_centre(y.max(axis=1))
        left, right = first_centre(x.min(axis=1)), last_centre(x.max(axis=1))
        own = np.flatnonzero((top <= bottom) & (left <= right))
        edges = Edges.of(x[own], y[own])
        flat = edges.area > 0
        own, edges = own[flat], edges.take(np.flatnonzero(flat))
        rows = bottom[own] - top[own] + 1
        for some in pieces(rows):
            _rows(buffer, edges.take(np.arange(len(own))[some]), seen.depth[part[own[some]]], top[own[some]], rows[some], start + own[some])


def _rows(buffer: DepthBuffer, edges: Edges, depth: Integers, top: Integers, rows: Integers, item: Integers) -> None:
    face, row = repeated(rows)
    row = row + top[face]
    left, right = _interval(edges, face, row * SUB + SUB // 2)
    counts = np.maximum(right - left + 1, 0)
    # The depth is linear in the picture: one plane a face, from the corners' depths.
    plane = tuple((part * depth).sum(axis=1) for part in (edges.a, edges.b, edges.c))
    for some in pieces(counts):
        span, column = repeated(counts[some])
        owner, line = face[some][span], row[some][span]
        column = column + left[some][span]
        value = plane[0][owner] * (column * SUB + SUB // 2) + plane[1][owner] * (line * SUB + SUB // 2) + plane[2][owner]
        buffer.write(line * GRID + column, (value / edges.area[owner]).astype(np.int64), item[owner])


def _interval(edges: Edges, face: Integers, y: Integers) -> tuple[Integers, Integers]:
    """First and last sample of a row that lie in a face."""
    left, right = np.zeros(len(face), dtype=np.int64), np.full(len(face), GRID - 1, dtype=np.int64)
    for corner in range(3):
        a = edges.a[face, corner]
        rest = edges.b[face, corner] * y + edges.c[face, corner]
        # a x + rest >= 0 bounds x from below where a > 0, from above where a < 0.
        bound = np.where(a > 0, -(rest // np.maximum(a, 1)), rest // np.maximum(-a, 1))
        left = np.where(a > 0, np.maximum(left, first_centre(bound)), left)
        right = np.where(a < 0, np.minimum(right, last_centre(bound)), right)
        right = np.where((a == 0) & (rest < 0), -1, right)
    return left, right
