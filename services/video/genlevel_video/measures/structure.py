"""Structure, enhanced alignment and weighted F of a saliency map against a mask.

All but the weighted F are sums over the values that pixels have; they come from one table: how often each value occurs in each quarter of the picture,
inside and outside the mask. Structure: Fan et al., ICCV 2017. Alignment: Fan et al., IJCAI 2018. Weighted F: Margolin et al., CVPR 2014.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Mask = NDArray[np.bool_]

EPS = float(np.spacing(1))
_LUMINANCE, _CONTRAST = 1e-4, 9e-4
"""Constants of the public scorer's similarity."""


@dataclass(frozen=True)
class Table:
    """A map and a mask, counted.

    Attributes:
        levels: the values of the map, in 0..1.
        counts: pixels of each, shape (quarters, 2, levels): outside and inside the mask; quarters are left and right above, left and right below.
        areas: pixels of each quarter.
    """

    levels: Plane
    counts: NDArray[np.int64]
    areas: NDArray[np.int64]

    @property
    def outside_inside(self) -> NDArray[np.int64]:
        """Pixels of each level outside and inside the mask."""
        return np.asarray(self.counts.sum(axis=0))


def table(values: NDArray[Any], peak: float, mask: Mask, stretched: bool, centre: int = 1) -> Table:
    """Counts of a map against a mask.

    Args:
        values: of the map, as they are stored.
        peak: which of them stands for 1.
        mask: the truth.
        stretched: whether the map's own range becomes 0..1.
        centre: added to the rounded centroid of the mask, where quarters meet.
    """
    if values.dtype == np.uint8:
        levels, index = np.arange(256.0), values
    else:
        levels, index = np.unique(values, return_inverse=True)
        levels, index = levels.astype(np.float64), index.reshape(values.shape)
    size = len(levels)
    codes = index + mask * np.uint16(size) if size <= 256 else index + mask * np.int64(size)
    row, column = _centroid(mask, centre)
    quarters = [codes[:row, :column], codes[:row, column:], codes[row:, :column], codes[row:, column:]]
    counts = np.stack([np.bincount(quarter.ravel(), minlength=2 * size).reshape(2, size) for quarter in quarters])
    seen = np.flatnonzero(counts.any(axis=(0, 1)))
    levels, counts = levels[seen], counts[:, :, seen]
    levels = levels / peak  # first, as the toolbox does: thresholds cut where its roundings fall
    if stretched and levels[-1] > levels[0]:
        levels = (levels - levels[0]) / (levels[-1] - levels[0])
    return Table(np.asarray(levels, dtype=np.float64), counts, counts.sum(axis=(1, 2)))


def _centroid(mask: Mask, centre: int) -> tuple[int, int]:
    total = int(mask.sum())
    if not total:
        return mask.shape[0] // 2, mask.shape[1] // 2
    row, column = (int((mask.sum(axis=1 - axis) * np.arange(mask.shape[axis])).sum()) / total for axis in (0, 1))
    return int(np.round(row)) + centre, int(np.round(column)) + centre


def structure(found: Table, published: bool = True) -> float:
    """Structure measure: half of objects, half of quarters, in 0..1.

    >>> mask = np.eye(4) > 0
    >>> round(structure(table(mask * np.uint8(255), 255.0, mask, True)), 6)
    1.0
    """
    outside, inside = found.outside_inside
    area, white = int(found.areas.sum()), int(inside.sum())
    if white in (0, area):
        mean = _mean(found.levels, outside + inside)
        return mean if white else 1.0 - mean
    share = white / area
    likeness = _object if published else _object_upstream
    objects = share * likeness(found.levels, inside) + (1 - share) * likeness(1.0 - found.levels, outside)
    similar = _similarity if published else _similarity_upstream
    regions = [similar(found.levels, part) * size / area for part, size in zip(found.counts, found.areas, strict=True) if size]
    return max(0.0, 0.5 * objects + 0.5 * float(np.sum(regions)))


def _mean(levels: Plane, counts: NDArray[np.int64]) -> float:
    return float(levels @ counts) / int(counts.sum())


def _spread(levels: Plane, counts: NDArray[np.int64], mean: float) -> float:
    """Sum of squares about the mean; nothing where one value occurs, whatever rounding made of its mean."""
    return float(np.square(levels - mean) @ counts) if np.count_nonzero(counts) > 1 else 0.0


def _object(levels: Plane, counts: NDArray[np.int64]) -> float:
    number, mean = int(counts.sum()), _mean(levels, counts)
    deviation = math.sqrt(_spread(levels, counts, mean) / (number - 1)) if number > 1 else 0.0
    return 2 * mean / (mean * mean + 1 + deviation + EPS)


def _object_upstream(levels: Plane, counts: NDArray[np.int64]) -> float:
    mean = _mean(levels, counts)
    return 2 * mean / (mean * mean + 1 + math.sqrt(_spread(levels, counts, mean) / int(counts.sum())) + 1e-8)


def _moments(levels: Plane, part: NDArray[np.int64]) -> tuple[float, float, float, float, float]:
    """Means of map and mask, and sums of their squares and products about them."""
    counts = part.sum(axis=0)
    number, white = int(counts.sum()), int(part[1].sum())
    x, y = _mean(levels, counts), white / number
    spread = _spread(levels, counts, x)
    both = float((levels - x) @ part[1]) if spread and 0 < white < number else 0.0
    return x, y, spread, white * (number - white) / number, both


def _similarity(levels: Plane, part: NDArray[np.int64]) -> float:
    x, y, spread_x, spread_y, both = _moments(levels, part)
    below = int(part.sum()) - 1 + EPS
    above = 4 * x * y * both / below
    rest = (x * x + y * y) * (spread_x + spread_y) / below
    return above / (rest + EPS) if above else float(rest == 0)


def _similarity_upstream(levels: Plane, part: NDArray[np.int64]) -> float:
    x, y, spread_x, spread_y, both = _moments(levels, part)
    number = int(part.sum())
    light = (2 * x * y + _LUMINANCE) / (x * x + y * y + _LUMINANCE)
    return light * (2 * both / number + _CONTRAST) / ((spread_x + spread_y) / number + _CONTRAST)


def absolute_error(found: Table) -> float:
    """Mean absolute error."""
    outside, inside = found.outside_inside
    return (float(found.levels @ outside) + float((1.0 - found.levels) @ inside)) / int(found.areas.sum())


def alignment(found: Table) -> float:
    """Enhanced-alignment measure: its mean over the 256 thresholds of an 8-bit map."""
    area = int(found.areas.sum())
    bins = (found.levels * 255).astype(np.int64)
    outside, inside = (np.cumsum(np.bincount(bins, weights=part, minlength=256)[::-1]) for part in found.outside_inside)
    above, white = outside + inside, float(inside[-1])
    if white in (0, area):
        matched = above if white else area - above
    else:
        own, true = above / area, white / area
        parts = [(inside, 1 - own, 1 - true), (outside, 1 - own, -true), (white - inside, -own, 1 - true), (area - above - white + inside, -own, -true)]
        matched = np.sum([((2 * a * b / (a * a + b * b + EPS) + 1) ** 2 / 4) * pixels for pixels, a, b in parts], axis=0)
    return float(np.mean(matched)) / max(area - 1, 1)


def weighted_f(values: Plane, mask: Mask) -> float:
    """F of a map in 0..1 in which errors weigh more far from the mask, and less where their neighbours err alike; 0 without a mask."""
    import cv2

    if not mask.any():
        return 0.0
    error = np.abs(values - mask)
    distance = np.sqrt(np.rint(np.square(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), dtype=np.float64)))
    own = error[mask]
    eased = np.minimum(_blurred(error, mask), own)
    false = float((error * (2.0 - np.exp(np.log(0.5) / 5 * distance)))[~mask].sum())
    true = len(own) - float(eased.sum())
    recall, precision = 1.0 - float(eased.mean()), true / (true + false + EPS)
    return 2 * recall * precision / (recall + precision + EPS)


def _blurred(error: Plane, mask: Mask) -> Plane:
    """The error around each pixel of the mask, where pixels outside have the error of the nearest one inside."""
    import cv2
    from scipy.ndimage import distance_transform_edt

    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = tuple(slice(max(int(places[0]) - 3, 0), int(places[-1]) + 4) for places in (rows, columns))
    inside = mask[box]
    nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    bell = np.exp(-np.square(np.arange(-3, 4)) / 50.0)
    bell /= bell.sum()
    spread = cv2.sepFilter2D(error[box][tuple(nearest)], cv2.CV_64F, bell, bell, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.asarray(spread)[inside])
