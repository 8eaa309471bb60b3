"""Small random samples of the metrics of restored pictures and of maps, for the common laws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from genlevel_evaluator.engine import RawSample
from tests.image.files import encoded, file_of, photo, sample


def scaled_restorations(random: Generator, count: int) -> list[RawSample]:
    """Noisy pictures, of another size than the reference at times, grey ones, single pixels, perfect ones, missing ones."""
    samples = []
    for index in range(count):
        side = 1 if index % 6 == 5 else int(random.integers(8, 40))
        truth = photo(random, side, int(random.integers(8, 40)))
        noisy = np.clip(truth + random.normal(0, 10, truth.shape), 0, 255).astype(np.uint8)
        guess = {0: noisy[: len(noisy) // 2 + 1], 1: truth, 2: noisy[:, :, 0]}.get(index % 5, noisy)
        samples.append(sample(str(index), None if index % 7 == 3 else file_of(encoded(guess)), file_of(encoded(truth))))
    return samples


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "ms_ssim": scaled_restorations, "rmse_shadow": scaled_restorations,
}
