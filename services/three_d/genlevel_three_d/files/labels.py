"""One whole number a point: NumPy arrays, text of one number a line, and SemanticKITTI's binary labels."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import MAGIC_NPY, MAGIC_ZIP, read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import json_type
from genlevel_evaluator.media import Blob

MAX_POINTS = 10_000_000
MAX_BYTES = 256 << 20
_LARGEST = 1 << 40
_TEXT = frozenset(b"0123456789+-.eE \t\r\n")


def read(blob: Blob) -> NDArray[np.int64]:
    """The numbers of a file."""
    name = blob.name or "the labels"
    size = len(blob.data) if blob.data is not None else os.path.getsize(blob.path or "")
    if size > MAX_BYTES:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has {size} bytes, at most {MAX_BYTES} are read", remedy="give one cloud")
    data = blob.read()
    if data.startswith(MAGIC_NPY):
        return checked(read_npy(data, name, MAX_BYTES), name)
    if data.startswith(MAGIC_ZIP):
        found = read_npz(data, ("labels",), name, MAX_BYTES)
        if "labels" not in found:
            raise SampleError("NOT_LABELS", f"{name} has several arrays and none called 'labels'", remedy="save one array")
        return checked(found["labels"], name)
    if blob.suffix == ".label" and not frozenset(data) <= _TEXT:
        return _semantic_kitti(data, name)
    return _text(data, name)


def _semantic_kitti(data: bytes, name: str) -> NDArray[np.int64]:
    """Four bytes a point; the class is in the lower half, the instance in the upper one."""
    if len(data) % 4:
        raise SampleError("MEDIA_TRUNCATED", f"{name} is no multiple of four bytes", remedy="copy the file again")
    return checked(np.frombuffer(data, "<u4") & 0xFFFF, name)


def _text(data: bytes, name: str) -> NDArray[np.int64]:
    lines = data.split(b"\n")
    words = data.split()
    if not frozenset(data) <= _TEXT or len(words) != sum(1 for line in lines if line.strip()):
        raise SampleError("NOT_LABELS", f"{name} is not a text of one whole number a line", remedy="write one class number for every point")
    try:
        return checked(np.array(words, dtype=np.float64), name)
    except ValueError:
        raise SampleError("NOT_LABELS", f"{name} has a line that is no number", remedy="write one class number for every point") from None


def from_json(value: Any, name: str = "the list") -> NDArray[np.int64]:
    """The numbers of a JSON list."""
    if not isinstance(value, list):
        raise SampleError("WRONG_TYPE", f"expected labels, got {json_type(value)}", remedy="give a file, or a list of one whole number a point")
    if not {*map(type, value)} <= {int}:
        raise SampleError("NOT_LABELS", f"{name} holds something other than whole numbers", remedy="write one class number for every point")
    try:
        return checked(np.array(value, dtype=np.int64), name)
    except OverflowError:
        raise SampleError("NOT_LABELS", f"{name} holds a number that is too large", remedy="number the classes from 0") from None


def checked(values: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Whole numbers, 0 or more, in one row."""
    flat = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if flat.ndim != 1:
        raise SampleError("WRONG_SHAPE", f"{name} has shape {values.shape}, not (points,)", remedy="save one number a point")
    if not len(flat):
        raise SampleError("EMPTY_LABELS", f"{name} has no point", remedy="give one number a point")
    if len(flat) > MAX_POINTS:
        raise SampleError("TOO_MANY_POINTS", f"{name} has {len(flat)} points, at most {MAX_POINTS} are read", remedy="give a thinned cloud")
    if flat.dtype.kind == "f" and not (np.isfinite(flat) & (flat == np.floor(flat))).all():
        raise SampleError("NOT_LABELS", f"{name} holds numbers that are not whole", remedy="save class numbers, not scores")
    if flat.min() < 0 or flat.max() > _LARGEST:
        raise SampleError("NOT_LABELS", f"{name} holds a number below 0 or beyond 2^40", remedy="number the classes from 0")
    return flat.astype(np.int64)
