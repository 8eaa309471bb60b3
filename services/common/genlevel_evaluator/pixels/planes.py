"""Arrays of one number for every pixel, from .npy and .npz files."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from genlevel_evaluator.arrays import read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.pictures import MAX_PIXELS, MAX_SIDE, bytes_of

_LARGEST = 8 * MAX_PIXELS
"""Bytes of the largest array: eight a pixel."""


def read_array(blob: Blob, name: str, wanted: str) -> NDArray[Any]:
    """Numbers of any type, shape (height, width).

    Args:
        blob: the file.
        name: of the file, for messages.
        wanted: name of the array in an archive that holds several.

    Raises:
        SampleError: what `arrays` raises, MEDIA_TOO_LARGE, WRONG_SHAPE or IMAGE_TOO_LARGE.
    """
    data = bytes_of(blob, name)
    if blob.suffix == ".npy":
        values = read_npy(data, name, _LARGEST)
    else:
        found = read_npz(data, (wanted,), name, _LARGEST)
        if wanted not in found:
            raise SampleError("WRONG_SHAPE", f"{name} has no array {wanted}", remedy=f"save one array, or name it {wanted}")
        values = found[wanted]
    if values.ndim != 2 or not values.size:
        raise SampleError("WRONG_SHAPE", f"{name} has shape {values.shape}", remedy="save shape (height, width), of at least one pixel")
    if values.size > MAX_PIXELS or max(values.shape) > MAX_SIDE:
        raise SampleError("IMAGE_TOO_LARGE", f"{name} has shape {values.shape}", remedy=f"stay below {MAX_SIDE} a side and {MAX_PIXELS} in all")
    return values
