"""Dynamic degree: the share of clips in which something really moves.

    length of a pair  = mean length of the longest 5 % of the flow vectors between two frames
    a clip is dynamic where at least max(1, round(4 n / 16)) of its pairs are longer than 6 shorter side / 256 px, n its frames
    dynamic_degree    = 100 dynamic clips / clips

Frames are taken every max(1, round(fps / 8)), n counts those, and pairs are neighbours among them.

Direction   higher is better, though it says nothing of how good a motion is
Range       [0, 100]
Unit        percent
Pooling     sample: a missing clip, or one without a frame rate, is not dynamic
Sample      prediction: a clip; there is no reference
State       rows (dynamic, pairs, pairs above the threshold, pairs needed, longest and mean length at a shorter side of 256), keyed by sample
Undefined   no clip of two frames or more: too_few_samples; a clip of one frame is left out, with the warning clips_without_value
Companions  clips; motion: mean over clips of the mean length of their pairs, in pixels of a clip of shorter side 256
Backbones   raft-things: RAFT trained on FlyingChairs and FlyingThings, 20 steps, the network of VBench. dis: OpenCV's DIS flow, no network
            and no weights; its values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; RAFT: Teed and Deng 2020; DIS: Kroeger et al. 2016
Checked with  torchvision's raft_large with the same weights; cv2.DISOpticalFlow against known affine motion of a photo; derivation
Differs from  VBench takes round(fps / 8) and round(4 n / 16) as they are: the first is 0 at 4 frames a second and below, the second at two
            frames, so that a still clip counts as dynamic there. Its newest version raises the threshold of clips below 8 frames a second,
            which the published values do not. Vectors of filled-up edges are left out.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> pairs = np.array([[9.0, 2.0, 256.0], [5.0, 1.0, 256.0]], np.float32)
>>> row = observe(Sample("1", features={("dis", "prediction"): pairs}), DynamicParameters())
>>> row["dynamic"], row["needed"], row["above"], row["mean"]
(1.0, 1, 1, 7.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion
from genlevel_video.measures import frame_means

SOTA_BACKBONE = "raft-things"
NOT_COMPARABLE = "not_comparable"
_LONG, _SIDE = 6.0, 256.0


@dataclass(frozen=True)
class DynamicParameters(Parameters):
    """Parameters of the dynamic degree.

    Attributes:
        backbone: what makes the flow.
    """

    backbone: Literal["dis", "raft-things"] = "dis"


def observe(sample: Sample, parameters: DynamicParameters) -> Row:
    """Whether one clip is dynamic."""
    return row_of(sample.features[parameters.backbone, "prediction"])


def row_of(pairs: NDArray[np.float32]) -> Row:
    """The row of a clip out of (length, mean length, shorter side) of its pairs; one of a single frame says nothing."""
    if not len(pairs):
        return dict.fromkeys(COLUMNS, 0) | dict.fromkeys(("dynamic", "longest", "mean"), math.nan)
    lengths = pairs[:, 0].astype(np.float64) * (_SIDE / pairs[:, 2])  # at a shorter side of 256
    needed = max(1, round(4 * (len(pairs) + 1) / 16))
    above = int(np.count_nonzero(lengths > _LONG))
    return {
        "dynamic": float(above >= needed), "pairs": len(pairs), "above": above, "needed": needed,
        "longest": float(lengths.max()), "mean": math.fsum(lengths) / len(lengths),
    }  # fmt: skip


def missing(sample: Sample, parameters: DynamicParameters) -> Row:
    """In a missing clip nothing moves."""
    del sample, parameters
    return dict.fromkeys(COLUMNS, 0) | {"longest": math.nan, "mean": math.nan}


def score(rows: Rows, parameters: DynamicParameters) -> Score:
    """Share of the dynamic clips."""
    warnings = () if parameters.backbone == SOTA_BACKBONE else (NOT_COMPARABLE,)
    known = _known(rows)
    if not len(known):
        return Score(None, "too_few_samples", companions(rows))
    left_out = (frame_means.LEFT_OUT,) if len(known) < len(rows) else ()
    return Score(100.0 * math.fsum(known) / len(known), companions=companions(rows), warnings=(*warnings, *left_out))


def _known(rows: Rows) -> NDArray[np.float64]:
    values = rows.column("dynamic")
    return np.asarray(values[~np.isnan(values)])


def companions(rows: Rows) -> dict[str, float]:
    """Clips that could be looked at, and how far things move in them."""
    lengths = rows.column("mean")
    lengths = lengths[~np.isnan(lengths)]
    found = {"clips": float(len(lengths))}
    return found | {"motion": math.fsum(lengths) / len(lengths)} if len(lengths) else found


def interval(rows: Rows, parameters: DynamicParameters) -> Interval | None:
    """Wilson below 30 clips, else bootstrap."""
    del parameters
    return proportion(rows.keys.take(np.flatnonzero(~np.isnan(rows.column("dynamic")))), _known(rows))


COLUMNS = {
    "dynamic": Column("f8"), "pairs": Column("i8"), "above": Column("i8"), "needed": Column("i8"), "longest": Column("f8"), "mean": Column("f8"),
}  # fmt: skip

METRIC = Metric(
    id="dynamic_degree", version=1, input_kind="video_alone", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=DynamicParameters, columns=COLUMNS, observe=observe, score=score, missing=missing, interval=interval, reference_free=True,
    samples=lambda rows, _: 100.0 * rows.column("dynamic"), backbones=lambda parameters: (parameters.backbone,), reads=(),
    remarks=lambda _, row, __: frame_means.too_short(row["pairs"] > 0, "two frames, of about eight a second"),
)  # fmt: skip
