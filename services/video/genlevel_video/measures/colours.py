"""Colourfulness of a picture, from the spread and the mean of its opponent colours.

    M = sqrt(var rg + var yb) + 0.3 sqrt(mean rg ^2 + mean yb ^2),   rg = R - G, yb = (R + G) / 2 - B

0 is grey; people called pictures of 15 slightly, of 45 averagely, of 82 highly and of 109 extremely colourful.

Source: Hasler and Süsstrunk 2003, Measuring colourfulness in natural images.

    >>> round(colourfulness(np.array([[[200, 0, 0], [0, 200, 0]]], dtype=np.uint8)), 6)
    230.0
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def colourfulness(pixels: NDArray[np.uint8]) -> float:
    """M of a picture, RGB of 8 bits."""
    red, green, blue = (pixels[..., place].astype(np.float64) for place in range(3))
    opponents = (red - green, (red + green) / 2 - blue)
    spread = np.hypot(*(one.std() for one in opponents))
    middle = np.hypot(*(one.mean() for one in opponents))
    return float(spread + 0.3 * middle)
