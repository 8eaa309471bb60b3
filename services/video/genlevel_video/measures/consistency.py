"""How alike the frames of a clip stay: each frame after the first against the one before and against the first.

    value of frame i >= 1 = 100 (max(0, cos(v_i, v_i-1)) + max(0, cos(v_i, v_0))) / 2

    >>> steady(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])).tolist()
    [100.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_video.measures import frame_means, movement

NOT_COMPARABLE = "not_comparable"
COLUMNS = frame_means.COLUMNS | movement.COLUMNS


def units(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Rows in 64 bits at length one; a row of zeros stays so."""
    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(wide / np.where(lengths == 0.0, 1.0, lengths))


def neighbours(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Cosine of each frame and the one before."""
    rows = units(vectors)
    return np.asarray(np.clip(np.einsum("ij,ij->i", rows[1:], rows[:-1]), -1.0, 1.0))


def steady(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Values of all frames but the first, in percent."""
    before = neighbours(vectors)
    first = np.clip(units(vectors)[1:] @ units(vectors[:1])[0], -1.0, 1.0)
    return np.asarray(50.0 * (np.maximum(before, 0.0) + np.maximum(first, 0.0)))


def row_of(sample: Sample, network: str) -> Row:
    """The row of a clip."""
    return {**frame_means.row(steady(sample.features[network, "prediction"])), **movement.row(sample)}


def missing(sample: Sample, parameters: Parameters) -> Row:
    """Nothing stays as it is in a missing clip."""
    del sample, parameters
    return {**frame_means.missing_row(), **movement.MISSING}


def score_of(rows: Rows, reference: bool) -> Score:
    """Mean over the frames of all clips; `reference` says whether the network is that of the literature."""
    return frame_means.scored(frame_means.over_frames(rows), rows, movement.companions(rows), () if reference else (NOT_COMPARABLE,))


def metric(reference: str, network: Callable[[Any], str], **own: Any) -> Metric[Any]:
    """A metric of this kind; `reference` is the backbone of the literature, `network` names that of the parameters with its preprocessing."""
    return Metric(
        input_kind="video_alone", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus", columns=COLUMNS,
        score=lambda rows, parameters: score_of(rows, parameters.backbone == reference), missing=missing,
        interval=lambda rows, _: frame_means.frames_interval(rows), samples=lambda rows, _: frame_means.of_clips(rows),
        backbones=lambda parameters: (network(parameters),), companion_backbones=lambda _: (movement.NETWORK,), reference_free=True, reads=(),
        remarks=lambda _, row, __: frame_means.too_short(row["values"] > 0, "two frames"), **own,
    )  # fmt: skip
