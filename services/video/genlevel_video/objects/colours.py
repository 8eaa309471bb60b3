"""The commonest colour of a picture, in the words of the colour metric."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST = 4096
_HUES = ((15.0, "red"), (45.0, "orange"), (70.0, "yellow"), (165.0, "green"), (255.0, "blue"), (300.0, "purple"), (345.0, "pink"), (361.0, "red"))


def commonest(pixels: NDArray[np.uint8]) -> str:
    """The colour that most pixels have; of equal ones, the first by name.

    >>> commonest(np.full((4, 4, 3), (200, 20, 30), np.uint8)), commonest(np.full((1, 1, 3), 250, np.uint8))
    ('red', 'white')
    """
    flat = pixels.reshape(-1, 3)
    some = flat[:: max(1, len(flat) // _MOST)].astype(np.float64) / 255.0
    counts = Counter(_names(some).tolist())
    return str(min(counts, key=lambda name: (-counts[name], name)))


def _names(rgb: NDArray[np.float64]) -> NDArray[Any]:
    high, low = rgb.max(axis=1), rgb.min(axis=1)
    spread = high - low
    strength = np.divide(spread, high, out=np.zeros_like(high), where=high > 0)
    hue = _hue(rgb, high, spread)
    found = np.select([hue < limit for limit, _ in _HUES], [name for _, name in _HUES], default="red")
    pale_red = (found == "red") & (strength < 0.5) & (high > 0.7)
    grey = np.select([high > 0.85, high > 0.6], ["white", "silver"], default="gray")
    return np.select([high < 0.2, strength < 0.15, pale_red], [np.full(len(rgb), "black"), grey, np.full(len(rgb), "pink")], default=found)


def _hue(rgb: NDArray[np.float64], high: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees of the colour circle, red at 0."""
    red, green, blue = rgb.T
    safe = np.where(spread > 0, spread, 1.0)
    sixths = np.select([high == red, high == green], [((green - blue) / safe) % 6, (blue - red) / safe + 2], default=(red - green) / safe + 4)
    return np.asarray(60.0 * sixths)
