"""Strengths of systems from choices among them: Bradley and Terry for pairs, Luce's rule for more options.

    P(choose i among S) = strength_i / sum over S of strength_j

and the sign test of choices between two. The most likely strengths, by the minorise-maximise steps of Hunter (2004). They exist only where the systems hang together: between any
two parts of them each must have been chosen over the other at least once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 20_000
_TOLERANCE = 1e-11


def strengths(offered: NDArray[np.bool_], chosen: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Strengths that add up to one.

    Args:
        offered: shape (sets, systems), which systems each set of options holds.
        chosen: the same shape, how often each was chosen from it; a tie is shared out among the options.

    Returns:
        None where there is no most likely answer, or the steps do not come to rest.

    >>> strengths(np.array([[True, True]]), np.array([[3.0, 1.0]])).round(9).tolist()
    [0.75, 0.25]
    """
    if not _connected(offered, chosen):
        return None
    wins, votes = chosen.sum(axis=0), chosen.sum(axis=1)
    member = offered.astype(np.float64)
    strength = np.full(offered.shape[1], 1.0 / offered.shape[1])
    for _ in range(_STEPS):
        following = wins / (member.T @ (votes / (member @ strength)))
        following /= following.sum()
        if np.max(np.abs(following - strength) / strength) < _TOLERANCE:
            return np.asarray(following)
        strength = following
    return None


def _connected(offered: NDArray[np.bool_], chosen: NDArray[np.float64]) -> bool:
    """Whether from every system a way leads to every other, each step from one that was chosen to one it was chosen over."""
    beats = ((chosen > 0).T.astype(np.int64) @ offered.astype(np.int64)) > 0
    reach = beats | np.eye(len(beats), dtype=bool)
    for _ in range(max(1, len(beats).bit_length())):
        reach = (reach.astype(np.int64) @ reach.astype(np.int64)) > 0
    return bool(reach.all())


def sign_test(wins: int, decided: int) -> float:
    """Exact two-sided probability of a split of decided votes at least as uneven, were both systems equally good.

    >>> sign_test(5, 5)
    0.0625
    """
    from scipy.special import bdtr

    return min(1.0, 2.0 * float(bdtr(min(wins, decided - wins), decided, 0.5))) if decided else 1.0
