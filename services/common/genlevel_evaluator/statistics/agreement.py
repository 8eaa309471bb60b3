"""Agreement of raters: Krippendorff's alpha, with ratings missing.

    alpha = 1 - D_o / D_e

    D_o  mean disagreement of two ratings of one item, each rating counted alike
    D_e  mean disagreement of any two of the ratings

Items with one rating say nothing and are left out. Disagreement is the squared difference (`interval`) or 0 and 1 (`nominal`).
1 is full agreement, 0 what chance gives, below 0 raters disagree more than by chance. Sums over pairs are written as sums over ratings,
so the cost is linear. Raters have no names here: exchanging them changes nothing.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["interval", "nominal"]


def krippendorff_alpha(item: NDArray[Any], value: NDArray[Any], level: Level) -> float | None:
    """Alpha of ratings.

    Args:
        item: number of the item each rating is of, from 0.
        value: the rating; for `nominal` any code of the category.

    Returns:
        None where no item has two ratings, or all ratings are equal: then there is nothing to agree about.

    >>> krippendorff_alpha(np.array([0, 0, 1, 1]), np.array([1.0, 1.0, 5.0, 5.0]), "interval")
    1.0
    """
    counts = np.bincount(item)
    paired = counts[item] >= 2 if len(item) else np.zeros(0, dtype=bool)
    _, item = np.unique(item[paired], return_inverse=True)
    if not len(item):
        return None
    disagreement = _interval if level == "interval" else _nominal
    observed, expected = disagreement(item, value[paired], np.bincount(item))
    return 1.0 - observed / expected if expected > 0.0 else None


def _interval(item: NDArray[Any], value: NDArray[Any], counts: NDArray[Any]) -> tuple[float, float]:
    """The squared differences of all pairs of m numbers add up to 2 m times their squared deviations from the mean."""
    total = len(value)
    within = np.bincount(item, weights=(value - (np.bincount(item, weights=value) / counts)[item]) ** 2)
    observed = math.fsum(2.0 * counts * within / (counts - 1)) / total
    expected = 2.0 * math.fsum((value - math.fsum(value) / total) ** 2) / (total - 1)
    return observed, expected


def _nominal(item: NDArray[Any], value: NDArray[Any], counts: NDArray[Any]) -> tuple[float, float]:
    """Unequal pairs of m codes are all pairs without those of one code."""
    total = len(value)
    codes, code = np.unique(value, return_inverse=True)
    _, first, alike = np.unique(item * len(codes) + code, return_index=True, return_counts=True)
    same = np.bincount(item[first], weights=alike.astype(np.float64) ** 2)
    observed = math.fsum((counts.astype(np.float64) ** 2 - same) / (counts - 1)) / total
    expected = (float(total) ** 2 - math.fsum(np.bincount(code).astype(np.float64) ** 2)) / (total - 1) / total
    return observed, expected
