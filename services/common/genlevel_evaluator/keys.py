"""Order of sample keys: by value when all keys are integers, else by code point."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")


def order(keys: Sequence[str]) -> NDArray[np.int64]:
    """Positions that sort `keys`.

    >>> order(["10", "9"]).tolist()
    [1, 0]
    >>> order(["10", "9", "a"]).tolist()
    [0, 1, 2]
    """
    if all(_INTEGER.match(key) for key in keys):
        return np.argsort(np.array([int(key) for key in keys], dtype=np.int64), kind="stable")
    # numpy's fixed-width strings drop trailing NULs, so Python compares.
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
