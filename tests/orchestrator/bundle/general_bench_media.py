"""Tiny media for the makers of General-Bench folders."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8


def png(pixels: NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def npy(values: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def flat(value: int, dtype: Any = np.uint8, side: int = SIDE) -> NDArray[Any]:
    return np.full((side, side), value, dtype)


def halves(left: int, right: int, dtype: Any = np.uint8) -> NDArray[Any]:
    return np.repeat(np.array([left, right], dtype), SIDE // 2)[None].repeat(SIDE, axis=0)


def colour(i: int, shift: int = 0) -> NDArray[np.uint8]:
    """A picture whose values lie between 40 and 160 before they are shifted."""
    return (np.random.default_rng(i).integers(40, 160, (SIDE, SIDE, 3)) + shift).astype(np.uint8)
