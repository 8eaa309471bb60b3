"""Arithmetic of trajectories: segment errors of the KITTI odometry benchmark, alignment, and relative errors of frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LENGTHS = (100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0)
STEP = 10

Poses = NDArray[np.float64]


def segment_errors(prediction: Poses, reference: Poses) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Sums over the segments of each length: translation error (m/m), rotation error (rad/m), number of segments.

    A segment begins at every tenth frame and ends at the first frame whose travelled distance **exceeds** that of its
    beginning by more than the length; a segment that would end behind the last frame is left out.
    """
    steps = np.linalg.norm(np.diff(reference[:, :3, 3], axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, len(reference), STEP)
    translation, rotation = np.zeros(len(LENGTHS)), np.zeros(len(LENGTHS))
    count = np.zeros(len(LENGTHS), dtype=np.int64)
    for index, length in enumerate(LENGTHS):
        ends = np.searchsorted(travelled, travelled[starts] + length, side="right")
        inside = ends < len(reference)
        errors = _between(prediction, starts[inside], ends[inside])
        wanted = _between(reference, starts[inside], ends[inside])
        error = inverse(errors) @ wanted
        translation[index] = float(np.sum(np.linalg.norm(error[:, :3, 3], axis=1) / length))
        rotation[index] = float(np.sum(angles(error) / length))
        count[index] = int(inside.sum())
    return translation, rotation, count


def frame_errors(prediction: Poses, reference: Poses) -> tuple[float, float, int]:
    """Sums of squares over neighbouring frames: relative translation (m²), relative rotation (rad²), and their number."""
    first = np.arange(len(reference) - 1)
    error = inverse(_between(reference, first, first + 1)) @ _between(prediction, first, first + 1)
    return float(np.sum(error[:, :3, 3] ** 2)), float(np.sum(angles(error) ** 2)), len(first)


def absolute_error(prediction: Poses, reference: Poses, scale: bool) -> float:
    """Root mean squared distance of positions after the best rigid motion, or similarity, of the prediction (Umeyama 1991)."""
    source, target = prediction[:, :3, 3], reference[:, :3, 3]
    source, target = source - source.mean(axis=0), target - target.mean(axis=0)
    u, values, vt = np.linalg.svd(target.T @ source / len(source))
    signs = np.array([1.0, 1.0, 1.0 if np.linalg.det(u) * np.linalg.det(vt) > 0 else -1.0])
    spread = float(np.sum(source**2)) / len(source)
    factor = float(np.sum(values * signs)) / spread if scale and spread > 0 else 1.0
    moved = factor * source @ (u * signs @ vt).T
    return float(np.sqrt(np.sum((moved - target) ** 2) / len(source)))


def angles(transforms: Poses) -> NDArray[np.float64]:
    """Rotation angle of each, in radians."""
    trace = np.trace(transforms[:, :3, :3], axis1=1, axis2=2)
    result: NDArray[np.float64] = np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0))
    return result


def inverse(transforms: Poses) -> Poses:
    """Inverse of each 4x4 matrix; general, since rotations in files are rounded."""
    return np.asarray(np.linalg.inv(transforms), dtype=np.float64)


def _between(poses: Poses, first: NDArray[np.int64], last: NDArray[np.int64]) -> Poses:
    return inverse(poses[first]) @ poses[last]
