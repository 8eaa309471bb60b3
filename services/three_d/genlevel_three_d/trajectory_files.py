"""Camera poses in the form of the KITTI odometry benchmark: a line a frame, the 12 numbers of a 3x4 matrix row by row."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_three_d.shapes import Trajectory

MAX_BYTES = 256 << 20
ROTATION_TOLERANCE = 0.01
"""Largest entry of R Rᵀ - 1 that is taken for rounding in the file."""


def read(blob: Blob) -> Trajectory:
    """A pose file. A thirteenth number in front of the others is the frame number, as some programs write it."""
    name = blob.name or "the trajectory"
    size = len(blob.data) if blob.data is not None else os.path.getsize(blob.path or "")
    if size > MAX_BYTES:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has {size} bytes, at most {MAX_BYTES} are read", remedy="give one sequence")
    try:
        lines = blob.read().decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise SampleError("NOT_A_TRAJECTORY", f"{name} is not a text file", remedy="give a KITTI pose file") from None
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise SampleError("EMPTY_TRAJECTORY", f"{name} has no pose", remedy="give a pose a frame")
    numbers = _numbers(lines, name)
    frames = numbers[:, 0] if numbers.shape[1] == 13 else np.arange(len(numbers), dtype=np.float64)
    return _checked(numbers[:, -12:].reshape(-1, 3, 4), frames, name, blob.sha256)


def _numbers(lines: list[str], name: str) -> NDArray[np.float64]:
    width = len(lines[0].split())
    rows = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if len(words) != width or width not in (12, 13):
            raise SampleError(
                "WRONG_SHAPE",
                f"line {number} of {name} has {len(words)} numbers, not 12",
                remedy="write the 3x4 matrix of a frame on a line",
            )
        try:
            rows.append([float(word) for word in words])
        except ValueError:
            raise SampleError(
                "NOT_A_TRAJECTORY", f"line {number} of {name} is not made of numbers", remedy="give a KITTI pose file"
            ) from None
    return np.array(rows)


def from_json(value: list[Any]) -> Trajectory:
    """A list of 3x4 or 4x4 matrices."""
    if not value:
        raise SampleError("EMPTY_TRAJECTORY", "the trajectory has no pose", remedy="give a pose a frame")
    try:
        poses = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise SampleError("WRONG_SHAPE", "the trajectory is not a list of 3x4 matrices", remedy="see docs/formats.md") from None
    if poses.ndim != 3 or poses.shape[1:] not in ((3, 4), (4, 4)):
        raise SampleError("WRONG_SHAPE", f"the trajectory has shape {poses.shape}, not (n, 3, 4)", remedy="see docs/formats.md")
    return _checked(poses[:, :3], np.arange(len(poses), dtype=np.float64), "the trajectory", "")


def _checked(poses: NDArray[np.float64], frames: NDArray[np.float64], name: str, sha256: str) -> Trajectory:
    finite = np.isfinite(poses).all(axis=(1, 2)) & np.isfinite(frames)
    if not finite.all():
        raise SampleError(
            "NOT_FINITE", f"pose {int(np.argmin(finite))} of {name} is NaN or infinite", remedy="give a pose a frame"
        )
    if np.abs(poses).max() > 1e9:
        raise SampleError("NOT_A_TRAJECTORY", f"{name} has numbers above 1e9", remedy="give translations in metres")
    if (frames != np.floor(frames)).any() or (np.diff(frames) <= 0).any():
        first = int(np.argmax(np.diff(frames, prepend=-np.inf) <= 0))
        raise SampleError(
            "UNSORTED", f"frame numbers of {name} do not rise at pose {first}", remedy="sort the poses by frame, each once"
        )
    rotations = poses[:, :, :3]
    fault = np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    bad = (fault > ROTATION_TOLERANCE) | (np.linalg.det(rotations) < 0)
    if bad.any():
        raise SampleError(
            "NOT_A_ROTATION",
            f"pose {int(np.argmax(bad))} of {name} has no rotation in its first three columns",
            remedy="write camera-to-world matrices without scale",
        )
    full = np.zeros((len(poses), 4, 4))
    full[:, :3] = poses
    full[:, 3, 3] = 1.0
    return Trajectory(full, frames.astype(np.int64), sha256)
