"""Dynamic time warping against fastdtw 0.3.4 and the plain recurrence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genlevel_audio import alignment
from genlevel_audio.alignment import exact_path, fast_path


def _pairs() -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Half of them of small integers, so that costs tie."""
    source = np.random.default_rng(1)
    pairs = []
    for index in range(200):
        rows, columns = source.integers(1, 60, 2)
        if index % 2:
            pairs.append((source.integers(0, 3, (rows, 2)).astype(float), source.integers(0, 3, (columns, 2)).astype(float)))
        else:
            pairs.append((source.normal(size=(rows, 3)).cumsum(0), source.normal(size=(columns, 3)).cumsum(0)))
    shapes = ((500, 40), (40, 500), (3, 300), (400, 350))
    return pairs + [(source.normal(size=(r, 3)).cumsum(0), source.normal(size=(c, 3)).cumsum(0)) for r, c in shapes]


def test_the_fast_path_is_fastdtws(oracle: Callable[[str, Any], Any]) -> None:
    pairs = _pairs()
    theirs = oracle("mcd", [{"what": "path", "one": one.tolist(), "other": other.tolist()} for one, other in pairs])
    for (one, other), path in zip(pairs, theirs, strict=True):
        assert fast_path(one, other).tolist() == path


def _cheapest(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    table = np.full((len(one) + 1, len(other) + 1), np.inf)
    table[0, 0] = 0.0
    for i in range(len(one)):
        for j in range(len(other)):
            table[i + 1, j + 1] = np.linalg.norm(one[i] - other[j]) + min(table[i, j], table[i, j + 1], table[i + 1, j])
    return float(table[-1, -1])


def test_the_exact_path_is_cheapest_and_a_path() -> None:
    for one, other in _pairs()[:60]:
        path = exact_path(one, other)
        cost = np.linalg.norm(one[path[:, 0]] - other[path[:, 1]], axis=1).sum()
        assert cost == pytest.approx(_cheapest(one, other), rel=1e-12)
        steps = np.diff(path, axis=0)
        assert path[0].tolist() == [0, 0]
        assert path[-1].tolist() == [len(one) - 1, len(other) - 1]
        assert set(map(tuple, steps.tolist())) <= {(0, 1), (1, 0), (1, 1)}


def test_the_fast_path_is_never_cheaper_than_the_exact_one() -> None:
    for one, other in _pairs():
        costs = [np.linalg.norm(one[p[:, 0]] - other[p[:, 1]], axis=1).sum() for p in (fast_path(one, other), exact_path(one, other))]
        assert costs[0] >= costs[1] - 1e-9


def test_an_exact_table_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MAX_CELLS", 10)
    with pytest.raises(ValueError, match="4 x 3 frames"):
        exact_path(np.zeros((4, 1)), np.zeros((3, 1)))
