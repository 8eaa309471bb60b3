"""Shares of frames that show what was asked for: state, value and what stands beside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Score
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_video.objects.detectors import NOT_COMPARABLE

COLUMNS = {"hits": Column("i8"), "frames": Column("i8")}


def row(hits: Sequence[bool]) -> Row:
    """One clip."""
    return {"hits": sum(hits), "frames": len(hits)}


def missing_row(frames: int) -> Row:
    """A clip that is not there shows nothing."""
    return {"hits": 0, "frames": frames}


def score(rows: Rows, comparable: bool) -> Score:
    """Percent of all frames; beside it, of the clips, those with a hit in any and in every frame."""
    hits, frames = rows.column("hits"), rows.column("frames")
    return Score(
        100.0 * int(hits.sum()) / int(frames.sum()),
        companions={
            "clips_any_frame": 100.0 * np.count_nonzero(hits) / len(rows),
            "clips_every_frame": 100.0 * np.count_nonzero(hits == frames) / len(rows),
            "frames": float(frames.sum()),
        },
        warnings=() if comparable else (NOT_COMPARABLE,),
    )


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """Percent of the frames of each clip."""
    return np.asarray(100.0 * rows.column("hits") / rows.column("frames"))


def interval(rows: Rows, _: object) -> Interval | None:
    """Bootstrap over clips."""
    sums = np.column_stack([rows.column("hits"), rows.column("frames")])
    return bootstrap(rows.keys, sums, lambda totals: 100.0 * totals[:, 0] / totals[:, 1])
