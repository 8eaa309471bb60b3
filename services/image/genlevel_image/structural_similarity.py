"""Structural similarity of grey planes over the levels of a pyramid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the five levels, finest first (Wang, Simoncelli and Bovik 2003)."""

_WINDOW, _SIGMA = 11, 1.5
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
SMALLEST = _WINDOW * 2**4
"""Shortest side whose fifth level by halves still holds one window."""


def ssim_map(first: Plane, second: Plane) -> tuple[Plane, Plane]:
    """SSIM at every pixel, and its contrast-structure part alone, of values in 0..1; pixels beyond the border repeat the last."""
    import cv2

    def blurred(plane: Plane) -> Plane:
        return np.asarray(cv2.GaussianBlur(plane, (_WINDOW, _WINDOW), _SIGMA, borderType=cv2.BORDER_REPLICATE))

    mean_1, mean_2 = blurred(first), blurred(second)
    product = mean_1 * mean_2
    squares = mean_1 * mean_1 + mean_2 * mean_2
    spread = blurred(first * first + second * second) - squares
    contrast = (2 * (blurred(first * second) - product) + _CONTRAST) / (spread + _CONTRAST)
    return contrast * (2 * product + _LUMINANCE) / (squares + _LUMINANCE), contrast


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
        levels.append(float(ssim_map(first, second)[0].mean()))
    return math.fsum(weight * value for weight, value in zip(WEIGHTS, levels, strict=True))


def product(first: Plane, second: Plane) -> float:
    """Product over five levels of the contrast-structure part, and of the whole SSIM at the coarsest, each to the power of its weight.

    Windows lie wholly inside; levels are means of two by two pixels, an odd last row or column falls away; negative parts count as 0.
    """
    value, edge = 1.0, _WINDOW // 2
    for level, weight in enumerate(WEIGHTS):
        if level:
            first, second = _halved(first), _halved(second)
        whole, contrast = ssim_map(first, second)
        part = (whole if level == len(WEIGHTS) - 1 else contrast)[edge:-edge, edge:-edge]
        value *= max(float(part.mean()), 0.0) ** weight
    return value



def _halved(plane: Plane) -> Plane:
    height, width = (side // 2 * 2 for side in plane.shape)
    even = plane[:height, :width]
    return np.asarray((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4)
