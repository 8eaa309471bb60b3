"""One number for every pixel: grey pictures of 1, 8 or 16 bits, and arrays of floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.channels import read_channels
from genlevel_evaluator.pixels.pictures import SIXTEEN_MODES
from genlevel_evaluator.pixels.planes import read_array

ROUNDING = 1e-6
"""How far beyond 0..1 a float may lie; it is moved to the border."""


@dataclass(frozen=True)
class Grey:
    """Values of shape (height, width), as they were stored: whole numbers, or floats.

    Attributes:
        peak: what stands for one.
        wide: whether the file could hold more than 16 bits without sign, so that `peak` is not its largest value.
        lossy: whether its form changes values.
    """

    values: NDArray[Any]
    peak: float
    wide: bool = False
    lossy: bool = False

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
        SampleError: what `read_channels` and `read_array` raise, or WRONG_TYPE.
    """
    name = blob.name or what
    return Grey(_floats(read_array(blob, name, array), name), 1.0) if blob.suffix in (".npy", ".npz") else _read_picture(blob, name, what)


def read_shares(blob: Blob, what: str, array: str) -> Grey:
    """A grey picture, or an array of floats in 0..1.

    Raises:
        SampleError: also NOT_FINITE or OUT_OF_RANGE.
    """
    grey = read_grey(blob, what, array)
    name = blob.name or what
    if grey.wide:
        raise SampleError("WRONG_TYPE", f"{name} holds signed whole numbers, or of 32 bits", remedy="save it with 8 or 16 bits, without sign")
    if grey.values.dtype.kind != "f":
        return grey
    low, high = float(grey.values.min()), float(grey.values.max())
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
    read = read_channels(blob, name)
    values = read.one()
    if values is None:
        raise SampleError("WRONG_TYPE", f"{name} has the channels {read.mode}, and {what} has one", remedy="save one grey channel of 8 or 16 bits")
    if read.mode == "1":
        return Grey(values.astype(np.uint8), 1.0)
    if values.dtype.kind == "f":
        return Grey(values, 1.0)
    if read.mode in ("I", *SIXTEEN_MODES) or values.dtype.itemsize == 2:
        if int(values.min()) < 0 or int(values.max()) > 65_535:
            raise SampleError("WRONG_TYPE", f"{name} holds values outside 0..65535", remedy="save it with 8 or 16 bits")
        return Grey(values.astype(np.uint16), 65_535.0, wide=read.mode == "I")
    return Grey(values, 255.0, lossy=read.lossy)


def _floats(values: NDArray[Any], name: str) -> NDArray[Any]:
    if values.dtype.kind not in "fb":
        raise SampleError("WRONG_TYPE", f"{name} holds {values.dtype}", remedy="save floats, or a grey PNG")
    return values.astype(np.uint8) if values.dtype.kind == "b" else values
