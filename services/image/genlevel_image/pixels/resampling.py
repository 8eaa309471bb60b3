"""Resizing by definition of a metric: bicubic with antialiasing, as document and shadow benchmarks scale their pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def bicubic(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """A plane of values in 0..1 at another width and height; the kernel (a = -0.5) widens when scaling down, and the result stays in 0..1."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(image, dtype=np.float32), 0.0, 1.0)
