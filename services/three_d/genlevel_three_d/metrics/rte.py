"""Relative translation error: drift of a trajectory per distance travelled, over segments of 100 to 800 m.

    rte = 100 * mean over segments of |t(inv(inv(P_a) P_b) inv(Q_a) Q_b)| / length

P are the predicted and Q the reference poses; a is every tenth frame, and b the first frame whose travelled distance along
the reference exceeds that of a by more than the length, for lengths of 100, 200, ... 800 m.

Direction   lower is better
Range       [0, inf)
Unit        percent of distance
Pooling     corpus: all segments of all sequences alike; `pooling=sequence` takes the mean of the sequences' values
Sample      prediction and reference, each a camera-to-world pose a frame, frame by frame
State       rows keyed by sequence: sums and counts for each length, frame errors, absolute errors
Undefined   no segment of 100 m in any sequence: degenerate_geometry
Companions  rotation_deg_per_100m; translation_100m ... translation_800m (percent); ate_se3 and ate_sim3 (metres, root mean
            square after alignment, mean over sequences); rpe_translation (metres) and rpe_rotation (degrees), root mean
            square over neighbouring frames; segments; sequences
Source      KITTI odometry benchmark (Geiger, Lenz and Urtasun 2012); ATE and RPE of Sturm et al. 2012
Checked with  a plain port of the devkit's formula, in loops; evo 1.38 for ATE and RPE
Differs from  evo_rpe pairs frames in another way and does not give the KITTI number. The devkit keeps its segment errors in
            float32, so it differs in the seventh digit.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_three_d.shapes import Trajectory
>>> walk = np.tile(np.eye(4), (301, 1, 1))
>>> walk[:, 0, 3] = np.arange(301)
>>> longer = walk.copy()
>>> longer[:, 0, 3] *= 1.01
>>> row = observe(Sample("1", Trajectory(longer, np.arange(301)), (Trajectory(walk, np.arange(301)),)), RteParameters())
>>> float(np.round(100 * row["translation"][0] / row["segments"][0], 9))  # 101 m is the first distance above 100 m
1.01
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap, bootstrap_mean
from genlevel_three_d.odometry import LENGTHS, absolute_error, frame_errors, segment_errors
from genlevel_three_d.shapes import Trajectory


@dataclass(frozen=True)
class RteParameters(Parameters):
    """Parameters of the relative translation error.

    Attributes:
        pooling: `corpus` weighs every segment alike, `sequence` every sequence.
    """

    pooling: Literal["corpus", "sequence"] = "corpus"


def observe(sample: Sample, parameters: RteParameters) -> Row:
    """Sums of one sequence."""
    del parameters
    prediction: Trajectory = sample.prediction
    reference: Trajectory = sample.reference
    _check_frames(prediction, reference)
    translation, rotation, segments = segment_errors(prediction.poses, reference.poses)
    frame_translation, frame_rotation, frames = frame_errors(prediction.poses, reference.poses)
    return {
        "translation": translation,
        "rotation": rotation,
        "segments": segments,
        "frame_translation": frame_translation,
        "frame_rotation": frame_rotation,
        "frames": frames,
        "ate_se3": absolute_error(prediction.poses, reference.poses, scale=False),
        "ate_sim3": absolute_error(prediction.poses, reference.poses, scale=True),
    }


def _check_frames(prediction: Trajectory, reference: Trajectory) -> None:
    if len(prediction.frames) != len(reference.frames):
        raise SampleError(
            "LENGTH_MISMATCH",
            f"the prediction has {len(prediction.frames)} poses, the reference {len(reference.frames)}",
            remedy="give one pose for every frame of the reference",
            side="prediction",
        )
    if not np.array_equal(prediction.frames, reference.frames):
        raise SampleError(
            "FRAME_MISMATCH",
            "prediction and reference number their frames differently",
            remedy="number the frames as the reference does",
            side="prediction",
        )


def score(rows: Rows, parameters: RteParameters) -> Score:
    """Mean over segments, or over sequences."""
    translation, segments = rows.column("translation"), rows.column("segments")
    companions = _companions(rows)
    warnings = ("trajectory_under_100_m",) if (segments.sum(axis=1) == 0).any() else ()
    total = int(segments.sum())
    if not total:
        return Score(None, "degenerate_geometry", companions, warnings)
    if parameters.pooling == "sequence":
        values = _of_sequences(rows)
        return Score(math.fsum(values) / len(values), companions=companions, warnings=warnings)
    return Score(100.0 * math.fsum(translation.ravel()) / total, companions=companions, warnings=warnings)


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """Value of each sequence, in percent; NaN where it has no segment."""
    counts = rows.column("segments").sum(axis=1)
    sums = np.array([math.fsum(row) for row in rows.column("translation")])
    return np.asarray(np.divide(100.0 * sums, counts, out=np.full(len(rows), np.nan), where=counts > 0))


def _of_sequences(rows: Rows) -> NDArray[np.float64]:
    values = samples(rows, None)
    return np.asarray(values[~np.isnan(values)])


def _companions(rows: Rows) -> dict[str, float]:
    translation, rotation, segments = rows.column("translation"), rows.column("rotation"), rows.column("segments")
    total, frames = int(segments.sum()), int(rows.column("frames").sum())
    found: dict[str, float] = {}
    if total:
        found["rotation_deg_per_100m"] = 100.0 * math.degrees(math.fsum(rotation.ravel()) / total)
    for index, length in enumerate(LENGTHS):
        if count := int(segments[:, index].sum()):
            found[f"translation_{length:.0f}m"] = 100.0 * math.fsum(translation[:, index]) / count
    for name in ("ate_se3", "ate_sim3"):
        found[name] = math.fsum(rows.column(name)) / len(rows)
    if frames:
        found["rpe_translation"] = math.sqrt(math.fsum(rows.column("frame_translation")) / frames)
        found["rpe_rotation"] = math.degrees(math.sqrt(math.fsum(rows.column("frame_rotation")) / frames))
    return {**found, "segments": float(total), "sequences": float(len(rows))}


def interval(rows: Rows, parameters: RteParameters) -> Interval | None:
    """Bootstrap over sequences: segments of one sequence overlap, so they are no independent draws."""
    counts = rows.column("segments").sum(axis=1)
    keys = [key for key, count in zip(rows.keys, counts, strict=True) if count]
    if parameters.pooling == "sequence":
        return bootstrap_mean(keys, _of_sequences(rows))
    sums = np.array([math.fsum(row) for row in rows.column("translation")])
    table = np.column_stack([sums, counts])[counts > 0]
    return bootstrap(keys, table, lambda totals: 100.0 * totals[:, 0] / totals[:, 1])


METRIC = Metric(
    id="rte", version=1, input_kind="trajectory", unit="percent of distance", higher_is_better=False, value_range=(0.0, math.inf),
    pooling="corpus", parameters=RteParameters,
    columns={
        "translation": Column("f8", (len(LENGTHS),)),
        "rotation": Column("f8", (len(LENGTHS),)),
        "segments": Column("i8", (len(LENGTHS),)),
        "frame_translation": Column("f8"),
        "frame_rotation": Column("f8"),
        "frames": Column("i8"),
        "ate_se3": Column("f8"),
        "ate_sim3": Column("f8"),
    },
    observe=observe, score=score, interval=interval, samples=samples,
)  # fmt: skip
