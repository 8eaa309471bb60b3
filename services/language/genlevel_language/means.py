"""Values that are the mean of one number a sample, in percent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.states import Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean

LARGEST_ERROR = 1e150
"""Largest error of a sample: a hundred million of its square still fit floating point."""


def percent(rows: Rows, name: str) -> float:
    """100 times the mean of a column."""
    return 100.0 * math.fsum(rows.column(name)) / len(rows)


def percent_interval(rows: Rows, name: str) -> Interval | None:
    """Bootstrap interval of that mean."""
    return bootstrap_mean(rows.keys, rows.column(name), scale=100.0)


def percents(name: str) -> Callable[[Rows, Any], NDArray[np.float64]]:
    """What gives 100 times a column, one value a sample."""
    return lambda rows, _: 100.0 * rows.column(name)


def total(values: Iterable[float]) -> float:
    """Exact sum; infinite where it does not fit."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf


def refuse_beyond(error: float, prediction: Sequence[float]) -> None:
    """Refuse an error whose square, summed over a task, would leave floating point: one answer would make the task's value infinite.

    Raises:
        SampleError: of the prediction where it is that far from 0, else of the reference.
    """
    if not error <= LARGEST_ERROR:
        side = "prediction" if max(map(abs, prediction)) > LARGEST_ERROR / 2 else "reference"
        message = f"an error above {LARGEST_ERROR:g} cannot be summed"
        raise SampleError("TOO_LARGE", message, remedy="give numbers on the scale of the task", side=side)
