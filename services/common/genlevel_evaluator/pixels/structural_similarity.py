"""Structural similarity of pictures: at one scale, and of grey planes over the levels of a pyramid.

Maps are made in strips of rows, so that large pictures need no more memory than small ones and a strip stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the five levels, finest first (Wang, Simoncelli and Bovik 2003)."""

WINDOW, _SIGMA = 11, 1.5
_EDGE = WINDOW // 2
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
_STRIP = 1 << 16
"""Pixels of a strip, about."""
SMALLEST = WINDOW * 2**4
"""Shortest side whose fifth level by halves still holds one window."""


def ssim_map(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """SSIM at every pixel, and its contrast-structure part alone, of values in 0..1; pixels beyond the border repeat the last.

    Planes, or pictures with their channels in the last axis, in the precision they have.
    """
    mean_1, mean_2 = _blurred(first), _blurred(second)
    product = mean_1 * mean_2
    mean_1 *= mean_1
    mean_2 *= mean_2
    squares = np.add(mean_1, mean_2, out=mean_1)
    spread = first * first
    spread += second * second
    spread = _blurred(spread)
    spread -= squares
    spread += _CONTRAST
    contrast = _blurred(first * second)
    contrast -= product
    contrast *= 2
    contrast += _CONTRAST
    contrast /= spread
    product *= 2
    product += _LUMINANCE
    squares += _LUMINANCE
    product /= squares
    product *= contrast
    return product, contrast


def ssim(first: NDArray[Any], second: NDArray[Any], peak: float) -> float | None:
    """Mean SSIM of two pictures over channels and windows that lie wholly inside, in single precision; None where no window fits.

    >>> ramp = np.arange(0, 144, dtype=np.uint8).reshape(12, 12)
    >>> round(ssim(ramp, ramp, 255.0), 6), ssim(ramp[:9], ramp[:9], 255.0)
    (1.0, None)
    """
    if min(first.shape[:2]) < WINDOW:
        return None
    total = 0.0
    for start, stop in _strips(first.shape[0] - 2 * _EDGE, first.shape[1]):
        rows = slice(start, stop + 2 * _EDGE)
        ours, theirs = (np.divide(side[rows], np.float32(peak), dtype=np.float32) for side in (first, second))
        inner = ssim_map(ours, theirs)[0][_EDGE:-_EDGE, _EDGE:-_EDGE]
        total += float(inner.sum(dtype=np.float64))
    windows = (first.shape[0] - 2 * _EDGE) * (first.shape[1] - 2 * _EDGE)
    return total / float(windows * np.prod(first.shape[2:]))


def arithmetic(first: Plane, second: Plane) -> float:
    """Weighted sum of the mean SSIM of five levels; each level is blurred by (1, 4, 6, 4, 1) / 16 and every other pixel kept.

    >>> same = np.linspace(0, 1, 400).reshape(20, 20)
    >>> round(arithmetic(same, same), 4) == round(sum(WEIGHTS), 4)
    True
    """
    import cv2

    levels = []
    for level in range(len(WEIGHTS)):
        if level:
            first, second = (np.asarray(cv2.pyrDown(plane)) for plane in (first, second))
        levels.append(_means(first, second, 0)[0])
    return math.fsum(weight * value for weight, value in zip(WEIGHTS, levels, strict=True))


def product(first: Plane, second: Plane) -> float:
    """Product over five levels of the contrast-structure part, and of the whole SSIM at the coarsest, each to the power of its weight.

    Windows lie wholly inside; levels are means of two by two pixels, an odd last row or column falls away; negative parts count as 0.
    """
    value = 1.0
    for level, weight in enumerate(WEIGHTS):
        if level:
            first, second = _halved(first), _halved(second)
        whole, contrast = _means(first, second, _EDGE)
        value *= max(whole if level == len(WEIGHTS) - 1 else contrast, 0.0) ** weight
    return value


def _means(first: Plane, second: Plane, edge: int) -> tuple[float, float]:
    """Mean of SSIM and of its contrast-structure part over all pixels but an edge of that width."""
    height, width = first.shape
    sums = []
    for start, stop in _strips(height - 2 * edge, width):
        top, bottom = max(start + edge - _EDGE, 0), min(stop + edge + _EDGE, height)
        maps = ssim_map(first[top:bottom], second[top:bottom])
        inner = slice(start + edge - top, stop + edge - top), slice(edge, width - edge)
        sums.append([float(each[inner].sum()) for each in maps])
    whole, contrast = (math.fsum(column) / ((height - 2 * edge) * (width - 2 * edge)) for column in zip(*sums, strict=True))
    return whole, contrast


def _blurred(values: NDArray[Any]) -> NDArray[Any]:
    import cv2

    return np.asarray(cv2.GaussianBlur(values, (WINDOW, WINDOW), _SIGMA, borderType=cv2.BORDER_REPLICATE))


def _strips(rows: int, width: int) -> Iterator[tuple[int, int]]:
    """First row and the one past the last of each strip."""
    step = max(_STRIP // width, WINDOW)
    for start in range(0, rows, step):
        yield start, min(start + step, rows)


def _halved(plane: Plane) -> Plane:
    height, width = (side // 2 * 2 for side in plane.shape)
    even = plane[:height, :width]
    return np.asarray((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4)
