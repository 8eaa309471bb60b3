"""From summed counts to CodeBLEU and its parts, for any number of sums at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FOUND = frozenset({0, 1, 2, 3, 10, 11, 12, 13, 18, 20})
"""Places of the counts that say what was found in the output."""
_SMOOTH = 0.1
_FIFTHS = np.array([5.0, 1.0, 1.0, 1.0])
_PENALTY_FREE = 2.0
"""Words a sample below which the weighted part has a brevity penalty: what the published program takes for the references' lengths."""


def values(sums: Floats) -> Floats:
    """The four parts of sums of the 22 counts of `compare` and of the samples they come from; NaN for a data flow that is not there,
    and for sums of no sample."""
    found, totals, length, wanted = sums[..., :4], sums[..., 4:8], sums[..., 8], sums[..., 9]
    recalled, recallable = sums[..., 10:14] / _FIFTHS, sums[..., 14:18] / _FIFTHS
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [
                _bleu(found, totals, length, wanted),
                _bleu(recalled, recallable, length, _PENALTY_FREE * sums[..., 22]),
                sums[..., 18] / sums[..., 19],
                np.where(sums[..., 21] > 0, sums[..., 20] / sums[..., 21], np.nan),
            ],
            axis=-1,
        )


def _bleu(found: Floats, totals: Floats, length: Floats, wanted: Floats) -> Floats:
    shares = np.where(found == 0, _SMOOTH, found) / totals
    penalty = np.exp(np.minimum(0.0, 1.0 - wanted / length))
    return np.where(found[..., 0] > 0, penalty * np.exp(np.mean(np.log(shares), axis=-1)), 0.0)


def combined(each: Floats, weights: Sequence[float], as_published: bool) -> Floats:
    """CodeBLEU as a fraction, from the parts in the last dimension."""
    weight = np.broadcast_to(np.asarray(weights), each.shape)
    flow = each[..., 3]
    if as_published:
        there = np.where((flow > 0) | np.isnan(each[..., 2]), flow, 1.0)
        return np.asarray((np.concatenate([each[..., :3], there[..., None]], axis=-1) * weight).sum(axis=-1))
    weight = np.where(np.isnan(each) & (np.arange(4) == 3), 0.0, weight)
    return np.asarray((np.where(weight > 0, each, 0.0) * weight).sum(axis=-1) / weight.sum(axis=-1))
