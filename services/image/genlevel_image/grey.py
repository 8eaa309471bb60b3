"""One number for every pixel: grey pictures of 1, 8 or 16 bits, and arrays of floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import read_npy, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_image.pictures import MAX_PIXELS, MAX_SIDE, load, open_image

ROUNDING = 1e-6
"""How far beyond 0..1 a float may lie; it is moved to the border."""

_SIXTEEN = ("I;16", "I;16B", "I;16L", "I")


@dataclass(frozen=True)
class Grey:
    """Values of shape (height, width), as they were stored: whole numbers, or floats. `peak` is what stands for one."""

    values: NDArray[Any]
    peak: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.values.shape[1], self.values.shape[0]

    def shares(self, dtype: Any = np.float64) -> NDArray[Any]:
        """The values in 0..1."""
        return np.divide(self.values, self.peak, dtype=dtype) if self.peak != 1.0 else self.values.astype(dtype)


def read_grey(blob: Blob, what: str, array: str) -> Grey:
    """A grey picture, or an array of floats of any range.

    Args:
        what: such as `a matte`, for messages.
        array: name of the array in an archive that holds several.

    Raises:
        SampleError: what `open_image` and `arrays` raise, WRONG_TYPE, WRONG_SHAPE or IMAGE_TOO_LARGE.
    """
    name = blob.name or what
    grey = Grey(_read_array(blob, name, array), 1.0) if blob.suffix in (".npy", ".npz") else _read_picture(blob, name, what)
    if not grey.values.size:
        raise SampleError("WRONG_SHAPE", f"{name} has no pixel", remedy="give at least one pixel")
    return grey


def read_shares(blob: Blob, what: str, array: str) -> Grey:
    """A grey picture, or an array of floats in 0..1.

    Raises:
        SampleError: also NOT_FINITE or OUT_OF_RANGE.
    """
    grey = read_grey(blob, what, array)
    if grey.values.dtype.kind != "f":
        return grey
    low, high = float(grey.values.min()), float(grey.values.max())
    name = blob.name or what
    if not np.isfinite([low, high]).all():
        raise SampleError("NOT_FINITE", f"{name} holds NaN or infinity", remedy="give finite values from 0 to 1")
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise SampleError("OUT_OF_RANGE", f"{name} holds values from {low:.6g} to {high:.6g}", remedy="scale them to 0..1; they are never rescaled here")
    return Grey(np.clip(grey.values, 0.0, 1.0), 1.0)


def same_size(prediction: tuple[int, int], reference: tuple[int, int]) -> None:
    """Refuses a prediction of another size than its reference.

    Raises:
        SampleError: SIZE_MISMATCH.
    """
    if prediction != reference:
        message = "the prediction is {} x {} pixels, the reference {} x {}".format(*prediction, *reference)
        raise SampleError("SIZE_MISMATCH", message, remedy="give the size of the reference; nothing is resized", side="prediction")


def _read_picture(blob: Blob, name: str, what: str) -> Grey:
    with open_image(blob.read(), name) as image:
        pixels = load(image, name)
        mode, form = image.mode, image.format
    if mode == "1":
        return Grey(pixels.astype(np.uint8), 1.0)
    if mode == "L":
        return Grey(pixels, 255.0)
    if mode in _SIXTEEN:
        if int(pixels.min()) < 0 or int(pixels.max()) > 65_535:
            raise SampleError("WRONG_TYPE", f"{name} holds values outside 0..65535", remedy="save it with 8 or 16 bits")
        return Grey(pixels.astype(np.uint16), 65_535.0)
    if mode == "F":
        return Grey(pixels, 1.0)
    if mode == "RGB" and form != "JPEG" and not np.ptp(pixels, axis=2).any():
        return Grey(np.ascontiguousarray(pixels[:, :, 0]), 255.0)  # grey written to all three channels
    raise SampleError("WRONG_TYPE", f"{name} has the channels {mode}, and {what} has one", remedy="save one grey channel of 8 or 16 bits")


def _read_array(blob: Blob, name: str, wanted: str) -> NDArray[Any]:
    limit = 8 * MAX_PIXELS
    if blob.suffix == ".npy":
        values = read_npy(blob.read(), name, limit)
    else:
        found = read_npz(blob.read(), (wanted,), name, limit)
        if wanted not in found:
            raise SampleError("WRONG_SHAPE", f"{name} has no array {wanted}", remedy=f"save one array, or name it {wanted}")
        values = found[wanted]
    if values.dtype.kind not in "fb":
        raise SampleError("WRONG_TYPE", f"{name} holds {values.dtype}", remedy="save floats, or a grey PNG")
    if values.ndim != 2:
        raise SampleError("WRONG_SHAPE", f"{name} has shape {values.shape}", remedy="save shape (height, width)")
    if values.size > MAX_PIXELS or max(values.shape) > MAX_SIDE:
        raise SampleError("IMAGE_TOO_LARGE", f"{name} has shape {values.shape}", remedy=f"stay below {MAX_SIDE} a side and {MAX_PIXELS} in all")
    return values.astype(np.uint8) if values.dtype.kind == "b" else values
