"""Which frames a sampling takes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel_evaluator.errors import SampleError
from genlevel_video.sampling import Sampling


@given(st.integers(1, 64), st.integers(1, 5000))
def test_middles_are_those_of_whole_intervals(count: int, frames: int) -> None:
    found = Sampling("middle", count).places(frames, 0.0)
    assert len(found) == count
    parts = min(count, frames)
    # Derivation: cut into intervals of whole frames as near to even as can be, take the middle of each, the earlier of two.
    edges = [int(edge) for edge in np.floor_divide(np.arange(parts + 1) * frames, parts)]
    middles = [range(start, end)[(end - start - 1) // 2] for start, end in pairwise(edges)]
    assert found == middles + [middles[-1]] * (count - parts)
    assert found == sorted(found)
    assert 0 <= found[0] <= found[-1] < frames


@pytest.mark.parametrize(
    ("sampling", "frames", "fps", "expected"),
    [
        (Sampling("all"), 3, 0.0, [0, 1, 2]),
        (Sampling("first", 2), 5, 0.0, [0, 1]),
        (Sampling("first", 4), 2, 0.0, [0, 1, 1, 1]),
        (Sampling("middle", 1), 5, 0.0, [2]),
        (Sampling("middle", 4), 3, 0.0, [0, 1, 2, 2]),
        (Sampling("every", 8), 10, 30.0, [0, 4, 8]),
        (Sampling("every", 8), 3, 4.0, [0, 1, 2]),  # slower than asked for: every frame, never a step of 0
        (Sampling("every", 2), 1, 60.0, [0]),
    ],
)
def test_places(sampling: Sampling, frames: int, fps: float, expected: list[int]) -> None:
    assert sampling.places(frames, fps) == expected


def test_a_rate_is_needed_only_by_the_rule_that_counts_in_seconds() -> None:
    with pytest.raises(SampleError, match="no frame rate") as caught:
        Sampling("every", 8).places(10, 0.0)
    assert caught.value.code == "NO_FRAME_RATE"
    assert "fps" in caught.value.remedy


@pytest.mark.parametrize(("rule", "count"), [("all", 3), ("first", 0), ("middle", -1), ("every", 0)])
def test_a_sampling_that_means_nothing_is_refused(rule: str, count: int) -> None:
    with pytest.raises(ValueError, match="count"):
        Sampling(rule, count)  # type: ignore[arg-type]


def test_each_sampling_has_its_own_words() -> None:
    samplings = [Sampling("all"), Sampling("first", 16), Sampling("first", 8), Sampling("middle", 8), Sampling("every", 8)]
    assert len({str(one) for one in samplings}) == len({one.text for one in samplings}) == 5
