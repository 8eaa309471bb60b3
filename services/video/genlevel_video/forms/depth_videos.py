"""Depth of every frame of a clip, from .npz and .npy files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from genlevel_evaluator.arrays import LIMIT_BYTES, read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob

NAMES = ("disparity", "depth")


@dataclass(frozen=True)
class DepthVideo:
    """Numbers as they were stored, shape (frames, height, width)."""

    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.values.shape[2], self.values.shape[1]


def decode_depth(content: Content, attributes: Mapping[str, Any]) -> DepthVideo:
    """An array of floats for each frame."""
    del attributes
    if content.media is None:
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected depths of a clip, got {given}", remedy="give the path of a .npz or .npy file")
    name = content.media.name or "the depths"
    values = _array(content.media, name)
    if values.ndim == 4 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 3 or not values.size or values.dtype.kind not in "fiu":
        message = f"{name} holds {values.dtype} of shape {values.shape}"
        raise SampleError("WRONG_SHAPE", message, remedy="save numbers of shape (frames, height, width)")
    return DepthVideo(values)


def _array(blob: Blob, name: str) -> NDArray[Any]:
    if blob.suffix not in (".npz", ".npy"):
        raise SampleError("UNKNOWN_FORMAT", f"{name}: depths are not read from {blob.suffix or 'a file without suffix'}", remedy="save a .npz or .npy file")
    size = len(blob.data) if blob.data is not None else os.path.getsize(blob.path or "")
    if size > LIMIT_BYTES:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has {size} bytes, at most {LIMIT_BYTES} are read", remedy="cut the clip, or save float16")
    data = blob.read()
    if blob.suffix == ".npy":
        return read_npy(data, name)
    found = read_npz(data, NAMES, name)
    if len(found) != 1:
        what = "no array disparity or depth" if not found else "both disparity and depth"
        raise SampleError("WRONG_SHAPE", f"{name} has {what}", remedy="save one array, and say what it is by prediction_space")
    return next(iter(found.values()))
