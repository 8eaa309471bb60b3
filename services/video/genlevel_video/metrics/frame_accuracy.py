"""Frame accuracy of an edited clip: the share of frames that fit what was asked for better than what they showed before.

    a frame is right where cos(v(frame), v(target prompt)) > cos(v(frame), v(source prompt)),   v the projected vector of CLIP ViT-B/32
    frame_accuracy = 100 right frames / frames

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     corpus: over the frames of all clips; a missing clip lowers the share by its part of the clips
Sample      prediction: the edited clip; references: target prompts, of which the mean counts; attribute `source_prompt`: what the clip showed
State       rows (100 x right frames, frames, whether it is there, cosines of neighbours and their number, mean margin), keyed by sample
Undefined   no sample has both prompts: no_reference
Companions  frame_consistency, the mean cosine of neighbouring frames x100, over the frames of all clips; margin, the mean over clips of the
            mean difference of both cosines x100; clips; values, the frames
Backbones   clip-vit-b-32: OpenAI's CLIP. conse-lite0-minilm: ConSE, blind to what is in no class of ImageNet, a stand-in of real weights;
            its values carry the warning `not_comparable`
Source      Qi et al. 2023 (FateZero), arXiv 2303.09535; Radford et al. 2021, arXiv 2103.00020
Checked with  open_clip 3.3.0 and transformers 5.23 with the same seeded weights; derivation
Differs from  a tie is no hit. The consistency beside it is not the share of right frames: an unedited clip has a high one.

>>> import numpy as np
>>> from genlevel_evaluator.captions import Caption
>>> from genlevel_evaluator.metric import Sample
>>> frames = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
>>> sides = {"prediction": frames, "reference": np.array([1.0, 0.0], np.float32), "source": np.array([0.0, 1.0], np.float32)}
>>> sample = Sample("1", references=(Caption("a cat"),), features={("conse-lite0-minilm.pil", side): v for side, v in sides.items()})
>>> row = observe(sample, FrameParameters())
>>> row["total"], row["values"]
(100.0, 3)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from genlevel_evaluator import alignment
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_video.measures import frame_means
from genlevel_video.measures.consistency import NOT_COMPARABLE, neighbours, units
from genlevel_video.measures.picture_vectors import REFERENCE, ClipWordsParameters, network


@dataclass(frozen=True)
class FrameParameters(ClipWordsParameters):
    """Parameters of the frame accuracy.

    Attributes:
        backbone: what makes the vectors of frames and prompts.
        preset: how CLIP's frames are resized to 224: `pil` with antialiasing, as CLIP was trained; `tensor` without.
    """

    preset: Literal["tensor", "pil"] = "pil"


def sides(sample: Sample) -> Mapping[str, Any]:
    """The clip, what it was to show, and what it showed before."""
    source = sample.attributes.get("source_prompt")
    known = {"source": Caption(source)} if isinstance(source, str) and source.strip() else {}
    return {**alignment.every_side(sample), **known}


def observe(sample: Sample, parameters: FrameParameters) -> Row:
    """How many frames of one clip are right."""
    name = network(parameters)
    targets = [
        alignment.unit(sample.features[name, alignment.side_of(place)]) for place, value in enumerate(sample.references) if isinstance(value, Caption)
    ]
    if not targets:
        raise SampleError("NO_CAPTION", "the sample has no target prompt", remedy="give what the edited clip is to show as a reference", side="reference")
    if (name, "source") not in sample.features:
        raise SampleError(
            "NO_SOURCE_PROMPT", "the sample has no attribute source_prompt", remedy="give what the clip showed before the edit, as a text", side="reference"
        )
    frames = sample.features[name, "prediction"]
    margins = units(frames) @ (np.mean(targets, axis=0) - alignment.unit(sample.features[name, "source"]))
    alike = neighbours(frames)
    return {
        **frame_means.row(100.0 * (margins > 0.0)), "alike": math.fsum(alike), "pairs": len(alike), "margin": 100.0 * math.fsum(margins) / len(margins),
    }  # fmt: skip


def missing(sample: Sample, parameters: FrameParameters) -> Row:
    """No frame of a missing clip is right."""
    del sample, parameters
    return {**frame_means.missing_row(), "alike": 0.0, "pairs": 0, "margin": math.nan}


def score(rows: Rows, parameters: FrameParameters) -> Score:
    """Share of the frames."""
    warnings = () if parameters.backbone == REFERENCE else (NOT_COMPARABLE,)
    return frame_means.scored(frame_means.over_frames(rows), rows, _companions(rows), warnings)


def _companions(rows: Rows) -> dict[str, float]:
    pairs, margins = int(rows.column("pairs").sum()), rows.column("margin")
    margins = margins[~np.isnan(margins)]
    found = {"frame_consistency": 100.0 * math.fsum(rows.column("alike")) / pairs} if pairs else {}
    return found | ({"margin": math.fsum(margins) / len(margins)} if len(margins) else {})


METRIC = Metric(
    id="frame_accuracy", version=1, input_kind="video_text", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=FrameParameters, columns=frame_means.COLUMNS | {"alike": Column("f8"), "pairs": Column("i8"), "margin": Column("f8")}, observe=observe,
    score=score, missing=missing, interval=lambda rows, _: frame_means.frames_interval(rows), samples=lambda rows, _: frame_means.of_clips(rows),
    backbones=lambda parameters: (network(parameters),), sides=sides, reads=("reference",),
)  # fmt: skip
