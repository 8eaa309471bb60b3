"""Temporal flickering: how little neighbouring frames differ.

    m     = mean over pairs of neighbouring frames, pixels and channels of |difference|, in 8-bit steps
    value = 100 (255 - m) / 255

Direction   higher is better, whatever the benchmark's label "L1 distance" suggests; a still clip has 100
Range       [0, 100]
Unit        percent
Pooling     sample: the mean over clips; a missing clip is 0
Sample      prediction: a clip; there is no reference
State       rows (sum of differences per value, pairs, whether it is there, whether it moves), keyed by sample
Undefined   no clip of two frames or more: too_few_samples; a clip of one frame is left out, with the warning clips_without_value
Companions  dynamic_degree, percent of clips in which something moves (DIS flow); clips; values, the pairs; filtered, clips the filter left out
Source      Huang et al. 2024 (VBench), arXiv 2311.17982
Checked with  derivation: independent uniform noise differs by (256^2 - 1) / (3 x 256) = 85.332 on average, so it scores 66.5
Differs from  VBench first leaves out clips that move (static_filter=raft-things), the public kit does not (off, the default here). Published
            values of 43 to 55 lie below what noise can score: missing clips were counted as 0. Frames are compared as they are decoded, in
            RGB of 8 bits; other conversions of colour move the third digit.

>>> import numpy as np
>>> round(value(85.332), 2), value(0.0)
(66.54, 100.0)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_video.clips import Clip
from genlevel_video.measures import frame_means, movement
from genlevel_video.measures.consistency import NOT_COMPARABLE
from genlevel_video.metrics.dynamic_degree import row_of
from genlevel_video.sampling import Sampling


@dataclass(frozen=True)
class FlickeringParameters(Parameters):
    """Parameters of the temporal flickering.

    Attributes:
        static_filter: whether only clips count in which nothing moves, and what makes the flow that says so.
    """

    static_filter: Literal["off", "dis", "raft-things"] = "off"


def value(difference: float) -> float:
    """The value of a clip out of the mean difference of neighbouring frames."""
    return 100.0 * (255.0 - difference) / 255.0


def differences(clip: Clip) -> Iterator[float]:
    """Mean absolute difference of each frame and the one before; two frames are held at a time.

    Raises:
        SampleError: what is wrong with the file; frames of a clip have one size.
    """
    before: NDArray[np.uint8] | None = None
    for frame in clip.pick(Sampling("all")):
        if before is not None:
            yield int(_apart(before, frame).sum(dtype=np.int64)) / frame.size
        before = frame


def _apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Absolute difference in 8 bits, without the detour over wider numbers."""
    return np.asarray(np.maximum(one, other) - np.minimum(one, other))


def observe(sample: Sample, parameters: FlickeringParameters) -> Row:
    """How little one clip flickers."""
    found = np.array([value(difference) for difference in differences(sample.prediction)], dtype=np.float64)
    moves = False
    if parameters.static_filter != "off":
        pairs = sample.features[parameters.static_filter, "prediction"]
        moves = len(pairs) > 0 and bool(row_of(pairs)["dynamic"])
    return {**frame_means.row(found[:0] if moves else found), **movement.row(sample), "filtered": int(moves)}


def missing(sample: Sample, parameters: FlickeringParameters) -> Row:
    """A missing clip is never steady."""
    del sample, parameters
    return {**frame_means.missing_row(), **movement.MISSING, "filtered": 0}


def score(rows: Rows, parameters: FlickeringParameters) -> Score:
    """Mean over clips."""
    filtered = {"filtered": float(rows.column("filtered").sum())} if parameters.static_filter != "off" else {}
    warnings = (NOT_COMPARABLE,) if parameters.static_filter == "dis" else ()
    return frame_means.scored(frame_means.over_clips(rows), rows, movement.companions(rows) | filtered, warnings)


def interval(rows: Rows, parameters: FlickeringParameters) -> Interval | None:
    """Bootstrap over clips."""
    del parameters
    return frame_means.clips_interval(rows)


def _filters(parameters: FlickeringParameters) -> tuple[str, ...]:
    return () if parameters.static_filter == "off" else (parameters.static_filter,)


METRIC = Metric(
    id="temporal_flickering", version=1, input_kind="video_alone", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=FlickeringParameters, columns=frame_means.COLUMNS | movement.COLUMNS | {"filtered": Column("u1")}, observe=observe, score=score,
    missing=missing, interval=interval, samples=lambda rows, _: frame_means.of_clips(rows), backbones=_filters, reference_free=True, reads=("prediction",),
    remarks=lambda _, row, __: frame_means.too_short(row["values"] > 0 or row["filtered"] > 0, "two frames"),
    companion_backbones=lambda parameters: tuple(name for name in (movement.NETWORK,) if name not in _filters(parameters)),
)  # fmt: skip
