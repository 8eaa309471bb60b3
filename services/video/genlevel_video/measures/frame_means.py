"""Values of frames, pooled over the frames of all clips or over clips.

Over frames a long clip counts more than a short one. A missing clip has no frames: it lowers the mean by the share of clips that are missing, so
that leaving out bad clips never pays. A clip whose frames give no value, such as one of a single frame where neighbours are compared, is left out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Score
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap, bootstrap_mean

COLUMNS = {"total": Column("f8"), "values": Column("i8"), "there": Column("u1")}
LEFT_OUT = "clips_without_value"


def row(values: NDArray[np.float64]) -> Row:
    """The row of a clip out of one value a frame, in the unit of the metric; none at all is allowed."""
    return {"total": math.fsum(values), "values": len(values), "there": 1}


def missing_row() -> Row:
    """A clip that is not there."""
    return {"total": 0.0, "values": 0, "there": 0}


def too_short(known: bool, needed: str) -> list[SampleError]:
    """The remark on a clip without a value, so that somebody knows which one is left out.

    >>> [remark.message for remark in too_short(False, "two frames")], too_short(True, "two frames")
    (['the clip is too short and is left out: it needs two frames'], [])
    """
    if known:
        return []
    return [SampleError("CLIP_TOO_SHORT", f"the clip is too short and is left out: it needs {needed}", remedy="give a longer clip", side="prediction")]


def over_frames(rows: Rows) -> float | None:
    """Mean over the frames of all clips, less the share of missing clips; None where no clip has a value."""
    found = _over_frames(_contributions(rows).sum(axis=0)[None], math.fsum(rows.column("total")))[0]
    return None if np.isnan(found) else float(found)


def frames_interval(rows: Rows) -> Interval | None:
    """Bootstrap over clips of `over_frames`."""
    return bootstrap(rows.keys, _contributions(rows), lambda totals: _over_frames(totals, totals[:, 0]))


def _contributions(rows: Rows) -> NDArray[np.float64]:
    values = rows.column("values").astype(np.float64)
    return np.column_stack([rows.column("total"), values, values > 0, rows.column("there") == 0])


def _over_frames(totals: NDArray[np.float64], total: NDArray[np.float64] | float) -> NDArray[np.float64]:
    _, values, used, missing = totals.T
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = total / values * used / (used + missing)
    return np.asarray(np.where(values > 0, pooled, np.where(missing > 0, 0.0, np.nan)))


def of_clips(rows: Rows) -> NDArray[np.float64]:
    """The mean over the frames of each clip: 0 of a missing one, NaN of one without a value."""
    values = rows.column("values")
    with np.errstate(invalid="ignore", divide="ignore"):
        means = rows.column("total") / values
    return np.asarray(np.where(values > 0, means, np.where(rows.column("there") > 0, np.nan, 0.0)))


def over_clips(rows: Rows) -> float | None:
    """Mean of the means of clips; None where no clip has one."""
    means = of_clips(rows)
    means = means[~np.isnan(means)]
    return math.fsum(means) / len(means) if len(means) else None


def clips_interval(rows: Rows) -> Interval | None:
    """Bootstrap over clips of `over_clips`."""
    means = of_clips(rows)
    known = ~np.isnan(means)
    return bootstrap_mean(rows.keys.take(np.flatnonzero(known)), means[known])


def scored(value: float | None, rows: Rows, companions: dict[str, float], warnings: tuple[str, ...]) -> Score:
    """The score, with what there is of clips and values; `too_few_samples` where no clip has a value."""
    found = {"clips": float(rows.column("there").sum()), "values": float(rows.column("values").sum())}
    left_out = (LEFT_OUT,) if value is not None and np.any((rows.column("there") > 0) & (rows.column("values") == 0)) else ()
    return Score(value, "" if value is not None else "too_few_samples", found | companions, (*warnings, *left_out))
