"""A human motion: HumanML3D's 263 values a frame."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import MAGIC_ZIP, read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type, parse_json

WIDTH = 263
SHORTEST, LONGEST = 4, 196
"""Frames of a motion that the evaluator of the data set takes; what follows is left out."""
MAX_FRAMES = 100_000
_MAX_BYTES = 1 << 28
_LARGEST = 1e6


@dataclass(frozen=True)
class Motion:
    """Rows of 263 values, a multiple of four of them, with the digest of the file; empty for values given as JSON."""

    values: NDArray[np.float32]
    sha256: str = ""


def decode_motion(content: Content, attributes: Mapping[str, Any]) -> Motion:
    """A .npy or .npz file, or a list of rows."""
    del attributes
    if content.media is not None:
        name = content.media.name or "the motion"
        size = len(content.media.data) if content.media.data is not None else os.path.getsize(content.media.path or "")
        if size > _MAX_BYTES:
            raise SampleError("MEDIA_TOO_LARGE", f"{name} has {size} bytes, at most {_MAX_BYTES} are read", remedy="give one motion")
        data = content.media.read()
        if not data.startswith(MAGIC_ZIP):
            return Motion(_checked(read_npy(data, name, _MAX_BYTES), name), content.media.sha256)
        found = read_npz(data, ("motion",), name, _MAX_BYTES)
        if "motion" not in found:
            raise SampleError("NOT_A_MOTION", f"{name} has several arrays and none called 'motion'", remedy="save one array")
        return Motion(_checked(found["motion"], name), content.media.sha256)
    value = parse_json(content.text) if content.text is not None else content.json
    if not isinstance(value, list):
        raise SampleError("WRONG_TYPE", f"expected a motion, got {json_type(value)}", remedy="give a .npy file or a list of rows")
    try:
        rows = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise SampleError("WRONG_SHAPE", "the motion is not a list of rows of 263 numbers", remedy="see docs/formats.md") from None
    return Motion(_checked(rows, "the motion"))


def _checked(values: NDArray[Any], name: str) -> NDArray[np.float32]:
    if values.ndim != 2 or values.shape[1] != WIDTH:
        raise SampleError(
            "WRONG_SHAPE", f"{name} has shape {values.shape}, not (frames, {WIDTH})", remedy="give HumanML3D's values; KIT's 251 belong to another evaluator"
        )
    if not SHORTEST <= len(values) <= MAX_FRAMES:
        raise SampleError("BAD_LENGTH", f"{name} has {len(values)} frames, from {SHORTEST} to {MAX_FRAMES} are read", remedy="give a motion at 20 frames a second")
    rows = np.asarray(values, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise SampleError("NOT_FINITE", f"frame {int(np.argmin(np.isfinite(rows).all(axis=1)))} of {name} is NaN or infinite", remedy="give finite values")
    if np.abs(rows).max() > _LARGEST:
        raise SampleError("NOT_A_MOTION", f"{name} has values above {_LARGEST:g}", remedy="give values before they are normalised, in metres and radians")
    kept = min(len(rows), LONGEST) // 4 * 4
    return np.ascontiguousarray(rows[:kept], dtype=np.float32)
