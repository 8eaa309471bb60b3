"""The paper's functions from a raw value to a score in [0, 100], with their limits.

With T the scale of a metric and S the logistic function:

==================  ===========================================  ==============================
identity            x                                            percentages, cosines times 100
saturating          100 (2 S(T/x) - 1) = 100 tanh(T / 2x)        errors; 100 at x = 0
tanh                100 tanh(x/T)                                PSNR; 100 at infinity
complement          100 - x                                      word error rate in percent
signed_fraction     50 (x + 1)                                   MS-SSIM
rating              25 (x - 1)                                   opinion scores from 1 to 5
==================  ===========================================  ==============================

Each result is clipped to [0, 100].
"""

from __future__ import annotations

import math
from collections.abc import Callable

Mapping = Callable[[float], float]


def saturating(value: float, scale: float) -> float:
    """Map an error; 0 gives 100, and so does any error so small that T/x overflows.

    >>> saturating(0.0, 25.0)
    100.0
    """
    if value <= 0.0:
        return 100.0
    return 100.0 * math.tanh(0.5 * scale / value)


def clip(score: float) -> float:
    """Return a score limited to [0, 100]."""
    return 0.0 if score < 0.0 else min(score, 100.0)


_PLAIN: dict[str, Mapping] = {
    "identity": lambda value: value,
    "complement": lambda value: 100.0 - value,
    "signed_fraction": lambda value: 50.0 * (value + 1.0),
    "rating": lambda value: 25.0 * (value - 1.0),
}

NAMES = ("saturating", "tanh", *_PLAIN)


def mapping(name: str, scale: float = 0.0) -> Mapping:
    """Return the unclipped mapping of a name.

    Raises:
        KeyError: When the name is unknown.
    """
    if name == "saturating":
        return lambda value: saturating(value, scale)
    if name == "tanh":
        return lambda value: 100.0 * math.tanh(value / scale)
    return _PLAIN[name]
