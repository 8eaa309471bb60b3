"""Shapes whose pictures are pinned, and what they are pictures of; run as a program, one digest of all."""

from __future__ import annotations

import hashlib

import numpy as np

from genlevel_three_d.render.pictures import ring
from genlevel_three_d.scene import Scene


def rainbow(points: np.ndarray) -> np.ndarray:
    low, high = points.min(0), points.max(0)
    return np.floor(255 * (points - low) / (high - low)).astype(np.uint8)


def scenes() -> dict[str, Scene]:
    """Made without sines, whose last bit is the business of each machine."""
    grid = np.stack(np.meshgrid(*[np.arange(7) / 8.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    box = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)], dtype=float)
    faces = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]])
    texture = (np.arange(5 * 7 * 3).reshape(5, 7, 3) * 2).astype(np.uint8)
    corners = np.array([[x + 0.3 * y, 1.7 * z - y] for x, y, z in box])
    random = np.random.default_rng(5)  # PCG64: the same stream everywhere
    soup = random.random((900, 3))
    return {
        "cloud": Scene(grid, colours=rainbow(grid)),
        "box": Scene(box, faces, colours=rainbow(box)),
        "texture": Scene(box, faces, np.full((8, 3), 255, dtype=np.uint8), None, corners, [texture], np.where(np.arange(12) % 3 > 0, 0, -1)),
        "soup": Scene(soup, np.arange(900).reshape(300, 3), face_colours=random.integers(0, 256, (300, 3), dtype=np.uint8)),
    }


def digest() -> str:
    """Of all views of all scenes, with z up."""
    return hashlib.sha256(b"".join(ring(one, "z").tobytes() for one in scenes().values())).hexdigest()


if __name__ == "__main__":
    print(digest())
