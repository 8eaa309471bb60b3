"""Cosines of clips and their prompts, for the metrics that only differ in what the prompts ask for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator import alignment
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows

WIDTH = 768
SOTA_BACKBONE = "viclip-l-14"
NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True)
class ClipTextParameters(Parameters):
    """Parameters of cosines of clips and prompts.

    Attributes:
        backbone: `viclip-l-14` is the network of the literature; `conse-frames` is another method, of real weights that can be had
            offline, on another scale.
    """

    backbone: Literal["conse-frames", "viclip-l-14"] = "conse-frames"


def cosine_row(sample: Sample, backbone: str) -> Row:
    """100 times the cosine of a clip and its prompt; of several prompts the mean."""
    clip = alignment.unit(sample.features[backbone, "prediction"])
    prompts = [
        alignment.unit(sample.features[backbone, alignment.side_of(place)]) for place, value in enumerate(sample.references) if isinstance(value, Caption)
    ]
    if not prompts:
        raise SampleError("NO_CAPTION", "the sample has no prompt", remedy="give the text that the clip is to show as a reference", side="reference")
    mean = np.mean(prompts, axis=0)
    return alignment.row(100.0 * float(clip @ mean), math.nan, clip, mean, WIDTH)


def score(rows: Rows, parameters: ClipTextParameters) -> Score:
    """Mean over clips, with what it would be by chance."""
    return alignment.scored(rows, alignment.companions(rows), parameters.backbone, otherwise=NOT_COMPARABLE, literature=SOTA_BACKBONE)


def missing(sample: Sample, parameters: ClipTextParameters) -> Row:
    """A missing clip shows no prompt."""
    del sample, parameters
    return alignment.missing_row(WIDTH)


def metric(identifier: str, observe: Callable[[Sample, ClipTextParameters], Row]) -> Metric[ClipTextParameters]:
    """The metric of that name."""
    return alignment.metric(
        id=identifier, version=1, input_kind="video_text", pooling="sample", parameters=ClipTextParameters, columns=alignment.columns(WIDTH),
        observe=observe, score=score, missing=missing, backbones=lambda parameters: (parameters.backbone,), reads=("reference",),
    )  # fmt: skip
