"""NIQE: how far the statistics of a picture are from those of undistorted photographs; 0 is like them, larger is worse.

    NIQE = sqrt(d' ((C + P) / 2)^-1 d),   d = mean of the features of the picture's patches - mean of those of photographs

C and P are the covariances of both. Luma is divided by its local deviation; a patch of 96 x 96 gives 18 numbers, half the size 18 more: shape
and scale of the values, and shape, mean and scales of their products with four neighbours. The model of photographs that sk-video ships was
made with the left scale of diagonal products in place of the right one too, so both are one number here and 32 of 36 features count.

A picture of fewer than 192 pixels on its shorter side is enlarged to 192 first: two patches either way are the fewest that have a covariance
worth the name.

Source: Mittal et al. 2013, IEEE Signal Processing Letters 20(3). Checked with sk-video 1.1.10.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PATCH = 96
SMALLEST = 2 * PATCH
_KEPT = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16]
"""Of 18 features; the others repeat the one before."""
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))


class Model:
    """Mean and covariance of the features of undistorted photographs."""

    def __init__(self, path: Path) -> None:
        from scipy.io import loadmat

        found = loadmat(str(path))
        kept = [*_KEPT, *(18 + place for place in _KEPT)]
        self.mean = np.asarray(found["pop_mu"], dtype=np.float64).ravel()[kept]
        self.covariance = np.asarray(found["pop_cov"], dtype=np.float64)[np.ix_(kept, kept)]

    def distance(self, pixels: NDArray[np.uint8]) -> float:
        """NIQE of a picture, RGB of shape (height, width, 3)."""
        found = features(luma(pixels))
        difference = found.mean(axis=0) - self.mean
        covariance = (self.covariance + np.cov(found.T)) / 2
        return float(np.sqrt(max(0.0, difference @ np.linalg.solve(covariance, difference))))


def luma(pixels: NDArray[np.uint8]) -> Array:
    """BT.601 luma in whole steps of 0..255, of at least 192 pixels either way."""
    from PIL import Image

    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST:
        factor = SMALLEST / min(height, width)
        size = (max(SMALLEST, round(width * factor)), max(SMALLEST, round(height * factor)))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    weights = np.array([0.299, 0.587, 0.114])
    return np.asarray(np.round(pixels @ weights))


def features(grey: Array) -> Array:
    """32 features of each whole patch of 96 x 96, shape (patches, 32)."""
    from PIL import Image

    rows, columns = (side // PATCH for side in grey.shape)
    grey = grey[: rows * PATCH, : columns * PATCH]
    half = Image.fromarray(grey.astype(np.float32)).resize((columns * PATCH // 2, rows * PATCH // 2), Image.Resampling.BICUBIC)
    levels = [_patches(normalised(picture), rows, columns) for picture in (grey, np.asarray(half, dtype=np.float64))]
    return np.hstack([_features(level) for level in levels])


def normalised(grey: Array) -> Array:
    """Luma less its local mean, over its local deviation and one; a Gaussian window of 7 with sigma 7/6, zeros around."""
    from scipy.ndimage import correlate1d

    window = np.exp(-0.5 * (np.arange(-3, 4) / (7 / 6)) ** 2)
    window /= window.sum()

    def local(values: Array) -> Array:
        found: Array = correlate1d(correlate1d(values, window, 0, mode="constant"), window, 1, mode="constant")
        return found

    mean = local(grey)
    return np.asarray((grey - mean) / (np.sqrt(np.abs(local(grey**2) - mean**2)) + 1.0))


def _patches(values: Array, rows: int, columns: int) -> Array:
    side = values.shape[0] // rows
    return values.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows * columns, side, side)


def _features(patches: Array) -> Array:
    """16 numbers of each patch."""
    shape, _, left, right = _fitted(patches)
    found = [shape, (left + right) / 2]
    for place, shift in enumerate(_SHIFTS):
        shape, mean, left, right = _fitted(patches * np.roll(patches, shift, axis=(1, 2)))
        found += [shape, mean, left] + ([right] if place < 2 else [])
    return np.stack(found, axis=1)


def _fitted(patches: Array) -> tuple[Array, Array, Array, Array]:
    """Shape, mean, left and right scale of an asymmetric generalised Gaussian by moments, for each patch."""
    from scipy.special import gamma

    values = patches.reshape(len(patches), -1)
    squares = values**2
    below = values < 0
    less = below.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(less > 0, np.sqrt((squares * below).sum(axis=1) / less), 0.0)
        right = np.where(less < values.shape[1], np.sqrt((squares * ~below).sum(axis=1) / (values.shape[1] - less)), 0.0)
        ratio = left / right
        spread = np.abs(values).mean(axis=1) ** 2 / squares.mean(axis=1)
        wanted = spread * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shape = _nearest_shape(wanted)
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    left, right = scale * left, scale * right
    return shape, (right - left) * gamma(2 / shape) / gamma(1 / shape), left, right


@functools.cache
def _shapes() -> tuple[Any, Any]:
    """Shapes 0.2 to 10 by thousandths, and the ratio of moments of each, which rises with the shape."""
    from scipy.special import gamma

    shapes = np.arange(0.2, 10, 0.001)
    return shapes, gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))


def _nearest_shape(ratios: Array) -> Array:
    """The shape whose ratio is nearest; the smallest where a patch is flat and has none."""
    shapes, known = _shapes()
    defined = np.isfinite(ratios)
    above = np.clip(np.searchsorted(known, np.where(defined, ratios, 0.0)), 1, len(known) - 1)
    nearest = np.where(np.abs(known[above - 1] - ratios) <= np.abs(known[above] - ratios), above - 1, above)
    return np.asarray(shapes[np.where(defined, nearest, 0)])
