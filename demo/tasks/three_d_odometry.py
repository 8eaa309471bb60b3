"""3D odometry: a laser scanner driven through a street of boxes, and scan matching."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, points, poses

Array = NDArray[np.float64]
SCANS, STEP, HEIGHT, RANGE = 44, 2.6, 1.7, 45.0


def _street(generator: np.random.Generator) -> Array:
    """Return boxes (low corner, high corner) on both sides of a road along +z, with gaps, poles and parked cars."""
    boxes = []
    for side in (-1, 1):
        z = -30.0
        while z < 190:
            depth, width, height = generator.uniform(4, 14), generator.uniform(4, 12), generator.uniform(3, 12)
            near = side * generator.uniform(7, 11)
            ends = sorted((near, near + side * width))
            boxes.append([ends[0], -HEIGHT, z, ends[1], -HEIGHT + height, z + depth])
            z += depth + generator.uniform(1.5, 7)
        for z in np.arange(-25, 190, 11) + generator.uniform(-3, 3):
            x = side * generator.uniform(4.2, 5.5)
            tall, wide = (4.0, 0.3) if generator.random() < 0.5 else (1.5, 1.8)
            boxes.append([x - wide / 2, -HEIGHT, z, x + wide / 2, -HEIGHT + tall, z + (0.3 if tall > 2 else 4.0)])
    return np.array(boxes)


def _rays() -> Array:
    """Directions of one turn of the scanner: 16 rings of 60."""
    azimuth, elevation = np.meshgrid(np.linspace(0, 2 * np.pi, 60, endpoint=False), np.radians(np.linspace(-22, 8, 16)))
    flat = np.cos(elevation)
    directions = np.stack([flat * np.sin(azimuth), np.sin(elevation), flat * np.cos(azimuth)], axis=-1)
    return directions.reshape(-1, 3)


def _scan(boxes: Array, pose: Array, generator: np.random.Generator) -> Array:
    """Return what the scanner sees from a pose, in its own frame: the nearest hit of each ray, 1.5 cm noise."""
    local = _rays()
    directions = local @ pose[:3, :3].T
    origin = pose[:3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        low = (boxes[None, :, :3] - origin) / directions[:, None]
        high = (boxes[None, :, 3:] - origin) / directions[:, None]
        enter, leave = np.minimum(low, high).max(2), np.maximum(low, high).min(2)
        distance = np.where((enter <= leave) & (enter > 0), enter, np.inf).min(1)
        ground = np.where(directions[:, 1] < 0, (-HEIGHT - origin[1]) / directions[:, 1], np.inf)
    distance = np.minimum(distance, ground)
    seen = distance < RANGE
    noisy = distance[seen] + generator.normal(0, 0.015, int(seen.sum()))
    return np.asarray(local[seen] * noisy[:, None], dtype=np.float64)


def _turn(axis: int, angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    first, second = [k for k in range(3) if k != axis]
    matrix[first, first] = matrix[second, second] = c
    sign = -1 if axis == 1 else 1
    matrix[first, second], matrix[second, first] = -sign * s, sign * s
    return matrix


def _drive(generator: np.random.Generator) -> list[Array]:
    """Return camera-style poses (x right, y up here, z forward) of a car that sways within its lane."""
    wave, phase = generator.uniform(25, 45), generator.uniform(0, 6)
    path = []
    for k in range(SCANS):
        z = STEP * k
        x = 1.2 * np.sin(z / wave + phase)
        heading = np.arctan(1.2 / wave * np.cos(z / wave + phase))
        pose = _turn(1, heading) @ _turn(0, 0.004 * np.sin(k * 1.3))
        pose[:3, 3] = (x, 0, z)
        path.append(pose)
    first = np.linalg.inv(path[0])
    return [first @ pose for pose in path]


def _normals(cloud: Array) -> Array:
    _, near = cKDTree(cloud).query(cloud, k=8)
    around = cloud[near] - cloud[near].mean(1, keepdims=True)
    _, vectors = np.linalg.eigh(np.einsum("nki,nkj->nij", around, around))
    return np.asarray(vectors[..., 0], dtype=np.float64)


def _skew_step(source: Array, target: Array, normals: Array) -> Array:
    """Return the small motion that best brings points onto the planes at their matches."""
    design = np.concatenate([np.cross(source, normals), normals], axis=1)
    gap = ((target - source) * normals).sum(1)
    weight = 1 / (1 + (gap / 0.2) ** 2)
    normal = design.T @ (design * weight[:, None]) + 1e-6 * np.eye(6)
    solution = np.linalg.solve(normal, design.T @ (gap * weight))
    angle = float(np.linalg.norm(solution[:3]))
    axis = solution[:3] / (angle or 1.0)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    motion = np.eye(4)
    motion[:3, :3] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    motion[:3, 3] = solution[3:]
    return motion


def match(source: Array, target: Array, guess: Array) -> Array:
    """Return the pose of `source` in the frame of `target`: iterated closest points, point to plane."""
    tree, normals = cKDTree(target), _normals(target)
    pose = guess.copy()
    for reach in (*[2.0] * 8, *[0.7] * 10, *[0.3] * 8):
        moved = source @ pose[:3, :3].T + pose[:3, 3]
        distance, index = tree.query(moved, distance_upper_bound=reach)
        near = np.isfinite(distance)
        if near.sum() < 30:
            break
        pose = _skew_step(moved[near], target[index[near]], normals[index[near]]) @ pose
    return pose


def fill_odometry(task: Task) -> None:
    """Each scan is matched to the one before, starting from the last motion found."""
    for number in range(8):
        generator = np.random.default_rng(900 + number)
        boxes, truth = _street(generator), _drive(generator)
        world = truth
        scans = [_scan(boxes, pose, generator) for pose in world]
        motion = np.eye(4)
        motion[2, 3] = STEP  # wheel odometry gives the first guess
        found = [np.eye(4)]
        for before, after in itertools.pairwise(scans):
            motion = match(after, before, motion)
            found.append(found[-1] @ motion)
        given = {"pointclouds": [points(scan) for scan in scans], "prompt": "Where was the scanner at each scan?"}
        task.add(given, {"trajectory": poses(truth)}, poses(found))


BUILDERS = (
    Builder(
        Recipe(
            "3D Odometry",
            "3d",
            "comprehension",
            "odometry",
            (),
            "the path the scanner was driven along (made by the recipe, no package)",
            "scan matching, point to plane",
        ),
        fill_odometry,
    ),
)
