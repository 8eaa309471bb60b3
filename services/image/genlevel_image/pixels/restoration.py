"""A picture against its reference, pixel by pixel: errors of colour and of luma in one pass, and their structural similarity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.pixels.structural_similarity import ssim
from genlevel_image.media import Picture

LUMA = np.array([65.481, 128.553, 24.966]) / 255.0
"""BT.601 luma of 0..1 colours, in 16..235 of 0..255."""
_STRIP = 1 << 15
_ROUNDING = 1e-12


def comparable(prediction: Picture, reference: Picture) -> None:
    """Refuses pictures that differ in size or depth.

    Raises:
        SampleError: SIZE_MISMATCH or DEPTH_MISMATCH.
    """
    if prediction.size != reference.size:
        raise SampleError(
            "SIZE_MISMATCH", f"the prediction is {times(prediction)} pixels, the reference {times(reference)}",
            remedy="give the picture in the size of its reference", side="prediction",
        )
    if prediction.pixels.dtype != reference.pixels.dtype:
        raise SampleError(
            "DEPTH_MISMATCH", f"the prediction has {_bits(prediction)} bits a channel, the reference {_bits(reference)}",
            remedy="save both with the same bit depth", side="prediction",
        )


def inner(picture: Picture, border: int) -> NDArray[Any]:
    """The pixels without a border.

    Raises:
        SampleError: nothing is left.
    """
    if 2 * border >= min(picture.size):
        message = f"a border of {border} leaves nothing of {times(picture)} pixels"
        raise SampleError("WRONG_SHAPE", message, remedy="use a smaller border", side="reference")
    width, height = picture.size
    return picture.pixels[border : height - border, border : width - border]


def squared_errors(first: NDArray[Any], second: NDArray[Any]) -> tuple[float, float]:
    """Mean squared error of colours, and that of their luma, which is a form in the sums of products of channel differences.

    The sums are of whole numbers and exact.

    >>> black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    >>> [round(error, 6) for error in squared_errors(black, white)]
    [65025.0, 47961.0]
    """
    height, width = first.shape[:2]
    products = np.zeros((3, 3))
    step = max(_STRIP // width, 1)
    for start in range(0, height, step):
        rows = slice(start, start + step)
        difference = np.subtract(first[rows], second[rows], dtype=np.float64).reshape(-1, 3)
        products += difference.T @ difference
    total, luma = float(np.trace(products)), float(LUMA @ products @ LUMA)
    luma = luma if luma > _ROUNDING * total else 0.0  # opposite differences of channels can cancel
    return total / (3 * height * width), luma / (height * width)


def similarity(first: NDArray[Any], second: NDArray[Any], peak: float, channel: str) -> float:
    """Mean SSIM over channels, or of the luma; NaN where a side is shorter than its window."""
    if channel == "y":
        first, second = (np.asarray(side @ LUMA.astype(np.float32), dtype=np.float32) + np.float32(16 * peak / 255) for side in (first, second))
    value = ssim(first, second, peak)
    return math.nan if value is None else value


def times(picture: Picture) -> str:
    """Width and height, in words."""
    return "{} x {}".format(*picture.size)


def _bits(picture: Picture) -> int:
    return 8 * int(picture.pixels.itemsize)
