"""Quality of frames by themselves, as a mean over the frames of each clip and over clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_video.measures import frame_means
from genlevel_video.measures.consistency import NOT_COMPARABLE

COLUMNS = frame_means.COLUMNS | {"raw": Column("f8")}
NIQE, NIQE_SCALE = "niqe", 10.0


def of_niqe(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """NIQE, of which 0 is best, on a scale of 100 at best to 0: 100 exp(-NIQE / 10).

    >>> of_niqe(np.array([0.0, 10.0])).round(2).tolist()
    [100.0, 36.79]
    """
    return np.asarray(100.0 * np.exp(-distances / NIQE_SCALE))


def raw(sample: Sample, network: str) -> NDArray[np.float64]:
    """What the network gives every frame of a clip."""
    return np.asarray(sample.features[network, "prediction"], dtype=np.float64).reshape(-1)


def row_of(values: NDArray[np.float64], given: NDArray[np.float64]) -> Row:
    """The row of a clip: values of its frames in 0..100, and the mean of what was given for them."""
    return {**frame_means.row(np.clip(values, 0.0, 100.0)), "raw": math.fsum(given) / len(given)}


def rated(sample: Sample, network: str) -> Row:
    """The row of a clip whose frames MUSIQ scored, or NIQE."""
    given = raw(sample, network)
    return row_of(of_niqe(given) if network.startswith(NIQE) else given, given)


def missing(sample: Sample, parameters: Parameters) -> Row:
    """A missing clip has no quality."""
    del sample, parameters
    return {**frame_means.missing_row(), "raw": math.nan}


def score_of(rows: Rows, reference: bool, name: str) -> Score:
    """Mean over clips, with that of what the network gave under `name`; `reference` says whether it is the network of the literature."""
    given = rows.column("raw")
    given = given[~np.isnan(given)]
    beside = {name: math.fsum(given) / len(given)} if len(given) else {}
    return frame_means.scored(frame_means.over_clips(rows), rows, beside, () if reference else (NOT_COMPARABLE,))


def metric(names: Mapping[str, str], network: Callable[[Any], str] = lambda parameters: str(parameters.backbone), **own: Any) -> Metric[Any]:
    """A metric of this kind.

    Args:
        names: of the mean of what each backbone gave; the first backbone is that of the literature.
        network: names that of the parameters with its preprocessing.
        own: what it does not share, see `Metric`.
    """
    reference = next(iter(names))
    return Metric(
        input_kind="video_alone", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence", columns=COLUMNS, missing=missing,
        score=lambda rows, parameters: score_of(rows, parameters.backbone == reference, names[parameters.backbone]),
        interval=lambda rows, _: frame_means.clips_interval(rows), samples=lambda rows, _: frame_means.of_clips(rows),
        backbones=lambda parameters: (network(parameters),), reference_free=True, reads=(), **own,
    )  # fmt: skip
