"""Statistics of a motion that stand in for a network: how joints lie and move, and how much that changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genlevel_three_d.forms.motion import Motion
from genlevel_three_d.forms.motion_texts import MotionTexts

_ROTATIONS = slice(67, 193)  # after the root's 4 values and 21 joints' positions; joints' rotations in 6 numbers each
DESCRIPTION = "mean and deviation over frames of the 137 values of root, positions, velocities and contacts; deviation of the 126 of rotations"


def statistics(motion: Motion) -> NDArray[np.float32]:
    """The 400 statistics.

    >>> statistics(Motion(np.ones((4, 263), np.float32))).shape
    (400,)
    """
    values = motion.values.astype(np.float64)
    plain = np.delete(values, _ROTATIONS, axis=1)
    found: NDArray[np.float64] = np.concatenate([plain.mean(axis=0), plain.std(axis=0), values[:, _ROTATIONS].std(axis=0)])
    return found.astype(np.float32)


class KinematicExtractor:
    """Motions to statistics; there are no weights."""

    def extract(self, values: Sequence[Motion | MotionTexts]) -> list[NDArray[np.float32]]:
        """The statistics of each motion; texts have none."""
        return [statistics(value) if isinstance(value, Motion) else np.zeros((0, 0), np.float32) for value in values]
