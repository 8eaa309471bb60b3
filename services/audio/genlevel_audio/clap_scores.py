"""What clap_score and clap_style_score share: a recording against texts, with the recordings that may stand beside the texts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_audio.descriptions import Source, Truth
from genlevel_evaluator import alignment
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean

Vector = NDArray[np.float64]
WIDTH = 512


@dataclass(frozen=True)
class ClapParameters(Parameters):
    """Parameters of the CLAP scores.

    Attributes:
        backbone: `clap` is the network of the literature (LAION's 630k-audioset-best); `examples-aisfx-minilm` is another method with other
            weights, and its values are not comparable with published ones.
        captions: whether several texts of a recording count by their mean or by the best.
    """

    backbone: Literal["examples-aisfx-minilm", "clap"] = "examples-aisfx-minilm"
    captions: Literal["mean", "best"] = "mean"


COLUMNS = {**alignment.columns(WIDTH), "content": Column("f8"), "source_score": Column("f8")}


def sides(sample: Sample) -> Mapping[str, Any]:
    """What the network looks at: the prediction, texts, and the recordings among the references."""
    shown = (value if isinstance(value, Caption) else value.audio for value in sample.references)
    return {"prediction": sample.prediction} | {alignment.side_of(place): value for place, value in enumerate(shown)}


def heard(windows: Any) -> Vector:
    """The vector of a recording: the mean of its windows' unit vectors, at length one.

    >>> heard([[1.0, 0.0], [0.0, 1.0]]).round(4).tolist()
    [0.7071, 0.7071]
    """
    return alignment.unit(np.mean([alignment.unit(window) for window in np.atleast_2d(windows)], axis=0))


def observe(sample: Sample, parameters: ClapParameters) -> Row:
    """The cosine of the recording and its texts."""
    name = parameters.backbone
    own = heard(sample.features[name, "prediction"])
    vectors = [(value, heard(sample.features[name, alignment.side_of(place)])) for place, value in enumerate(sample.references)]
    texts = [vector for value, vector in vectors if isinstance(value, Caption)]
    if not texts:
        raise SampleError("NO_CAPTION", "the sample has no text", remedy="give what is to be heard in words as a reference", side="reference")
    used = _used(own, texts, parameters)
    true = [100.0 * float(vector @ _used(vector, texts, parameters)) for value, vector in vectors if isinstance(value, Truth)]
    sources = [vector for value, vector in vectors if isinstance(value, Source)]
    return {
        **alignment.row(100.0 * float(own @ used), _mean(true), own, used, WIDTH),
        "content": _mean([100.0 * float(own @ source) for source in sources]),
        "source_score": _mean([100.0 * float(source @ _used(source, texts, parameters)) for source in sources]),
    }


def _used(own: Vector, texts: list[Vector], parameters: ClapParameters) -> Vector:
    """What stands for the texts: the vector of the best, or the mean of all, whose product is the mean of their cosines."""
    if parameters.captions == "best":
        return max(texts, key=lambda text: float(own @ text))
    return np.asarray(np.mean(texts, axis=0))


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def missing(sample: Sample, parameters: ClapParameters) -> Row:
    """No recording fits no text."""
    del sample, parameters
    return {**alignment.missing_row(WIDTH), "content": math.nan, "source_score": math.nan}


def score(rows: Rows, parameters: ClapParameters) -> Score:
    """Mean over recordings."""
    values = rows.column("score")
    companions = alignment.companions(rows)
    for column, name in (("content", "content_preservation"), ("source_score", "source_text")):
        known = rows.column(column)[~np.isnan(rows.column(column))]
        if len(known):
            companions[name] = math.fsum(known) / len(known)
    warnings = () if parameters.backbone == "clap" else ("examples_not_clap",)
    return Score(math.fsum(values) / len(values), companions=companions, warnings=warnings)


def interval(rows: Rows, parameters: ClapParameters) -> Interval | None:
    """Bootstrap over recordings."""
    del parameters
    return bootstrap_mean(rows.keys, rows.column("score"))
