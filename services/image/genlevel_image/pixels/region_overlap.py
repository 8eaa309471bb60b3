"""Overlap per region: how much of each connected anomalous region is found, against false alarms (Bergmann et al. 2019).

Every region weighs the same, however large. Scores are kept in the bins of `score_histograms`, region by region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlevel_image.pixels import score_histograms as histograms
from genlevel_image.pixels.score_histograms import Packed

_ONES = (1 << 40) - 1


def packed_regions(bins: NDArray[np.int64], mask: NDArray[np.bool_]) -> tuple[Packed, NDArray[np.int64]]:
    """The histogram of each region, one after another, and the number of entries of each. Regions touch by sides or corners.

    >>> mask = np.array([[True, False, True], [True, False, False]])
    >>> entries, lengths = packed_regions(np.array([[7, 1, 5], [7, 1, 1]]), mask)
    >>> (entries >> 40).tolist(), (entries & _ONES).tolist(), lengths.tolist()
    ([7, 5], [2, 1], [1, 1])
    """
    import cv2

    number, places = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    region = np.asarray(places)[mask].astype(np.int64) - 1
    codes, counts = np.unique(region * (histograms.BINS + 2) + bins[mask], return_counts=True)
    lengths = np.bincount(codes // (histograms.BINS + 2), minlength=number - 1)
    return (codes % (histograms.BINS + 2) << 40) + counts, lengths.astype(np.int64)


def overlap_area(regions: Packed, lengths: NDArray[np.int64], normal: Packed, limit: float) -> float | None:
    """Area under the mean overlap of regions up to a share of false alarms, as a share of that limit; None without a region or a normal pixel.

    Args:
        regions: entries of all regions, in a fixed order.
        lengths: entries of each region.
        normal: entries of the normal pixels.
        limit: largest share of normal pixels above the threshold.
    """
    alarms = histograms.totals(normal)
    if not len(lengths) or not alarms.sum():
        return None
    place = np.repeat(np.arange(len(lengths)), lengths)
    pixels = (regions & _ONES).astype(np.float64)
    shares = pixels / np.bincount(place, weights=pixels)[place]
    found = np.bincount(regions >> 40, weights=shares, minlength=histograms.BINS + 2) / len(lengths)
    # From the highest threshold down; the first bin is never found.
    overlap = np.concatenate([[0.0], np.cumsum(found[:0:-1])])
    rate = np.concatenate([[0.0], np.cumsum(alarms[:0:-1]) / alarms.sum()])
    inside = rate <= limit
    last = int(inside.sum())
    area = float(np.trapezoid(overlap[inside], rate[inside]))
    if last < len(rate):
        step = limit - rate[last - 1]
        slope = (overlap[last] - overlap[last - 1]) / (rate[last] - rate[last - 1])
        area += float(step * (overlap[last - 1] + slope * step / 2))
    return area / limit
