"""CIELAB of sRGB colours."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

White = Literal["d50", "d65"]

# Linear sRGB to XYZ: IEC 61966-2-1, and the same adapted to D50 by Bradford's matrix, as colour profiles have it.
_MATRIX = {
    "d65": np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]),
    "d50": np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]),
}
_WHITE = {"d65": np.array([0.95047, 1.0, 1.08883]), "d50": np.array([0.9642199, 1.0, 0.82521])}


def lab(colours: NDArray[np.float64], white: White = "d50") -> NDArray[np.float64]:
    """L, a, b of sRGB colours in 0..1, in the last axis; L is 0..100.

    >>> lab(np.ones((1, 3))).round(1).tolist()[0][0]
    100.0
    """
    linear = np.where(colours <= 0.04045, colours / 12.92, ((np.maximum(colours, 0.04045) + 0.055) / 1.055) ** 2.4)
    ratio = (linear @ _MATRIX[white].T) / _WHITE[white]
    x, y, z = np.moveaxis(np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
