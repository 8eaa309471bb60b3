"""Appearance style: how well the frames of a clip fit the words of a style.

    value of a frame = 100 cos(v(frame), v(style words)),   v the projected vector of CLIP ViT-B/32

Direction   higher is better
Range       [-100, 100]
Unit        cosine x100
Pooling     corpus: over the frames of all clips, as VBench does on one GPU; a missing clip lowers the mean by its share of the clips
Sample      prediction: a clip; references: the style words alone ("oil painting"), not the whole prompt; of several the mean counts
State       rows (sum, frames, whether it is there, score, mean unit vector of the frames, that of the words), keyed by sample
Undefined   no sample has style words: no_reference
Companions  shuffled_pairs, the mean score of every clip with the words of all other samples; predictions and clips, the clips that are
            there; values, their frames
Backbones   clip-vit-b-32: OpenAI's CLIP, the network of VBench. conse-lite0-minilm: ConSE, which sees what is in classes of ImageNet and
            knows nothing of styles, a stand-in of real weights; its values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; Radford et al. 2021, arXiv 2103.00020; ConSE: Norouzi et al. 2013, arXiv 1312.5650
Checked with  transformers 5.23's CLIP with the same seeded weights; derivation
Differs from  VBench's board, which rescales the value to 0..1; on several GPUs VBench takes the last frame of each clip.

>>> import numpy as np
>>> from genlevel_evaluator.captions import Caption
>>> from genlevel_evaluator.metric import Sample
>>> sides = {"prediction": np.array([[1.0, 0.0], [0.0, 1.0]], np.float32), "reference": np.array([0.6, 0.8], np.float32)}
>>> sample = Sample("1", references=(Caption("ink"),), features={("conse-lite0-minilm.pil", side): v for side, v in sides.items()})
>>> row = observe(sample, AppearanceParameters())
>>> round(row["total"], 4), row["values"]
(140.0, 2)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from genlevel_evaluator import alignment
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.states import Row, Rows
from genlevel_video.measures import frame_means
from genlevel_video.measures.consistency import NOT_COMPARABLE, units
from genlevel_video.measures.picture_vectors import REFERENCE, ClipWordsParameters, network

_WIDTH = 512


@dataclass(frozen=True)
class AppearanceParameters(ClipWordsParameters):
    """Parameters of the appearance style.

    Attributes:
        backbone: what makes the vectors of frames and words.
        preset: how CLIP's frames are resized to 224: `tensor` without antialiasing, as VBench does; `pil` with it.
    """


def observe(sample: Sample, parameters: AppearanceParameters) -> Row:
    """The cosines of the frames and the words."""
    name = network(parameters)
    frames = units(sample.features[name, "prediction"])
    words = [
        alignment.unit(sample.features[name, alignment.side_of(place)]) for place, value in enumerate(sample.references) if isinstance(value, Caption)
    ]
    if not words:
        raise SampleError("NO_CAPTION", "the sample has no style words", remedy="give the words of the style as a reference", side="reference")
    style = np.asarray(np.mean(words, axis=0))
    values = np.clip(100.0 * (frames @ style), -100.0, 100.0)
    shown = alignment.row(math.fsum(values) / len(values), math.nan, frames.mean(axis=0), style, _WIDTH)
    return {**frame_means.row(values), **shown}


def missing(sample: Sample, parameters: AppearanceParameters) -> Row:
    """A missing clip has no style."""
    del sample, parameters
    return {**frame_means.missing_row(), **alignment.missing_row(_WIDTH)}


def score(rows: Rows, parameters: AppearanceParameters) -> Score:
    """Mean over frames."""
    warnings = () if parameters.backbone == REFERENCE else (NOT_COMPARABLE,)
    return frame_means.scored(frame_means.over_frames(rows), rows, alignment.companions(rows), warnings)


METRIC = Metric(
    id="appearance_style", version=1, input_kind="video_text", unit="cosine x100", higher_is_better=True, value_range=(-100.0, 100.0), pooling="corpus",
    parameters=AppearanceParameters, columns=frame_means.COLUMNS | alignment.columns(_WIDTH), observe=observe, score=score, missing=missing,
    interval=lambda rows, _: frame_means.frames_interval(rows), samples=lambda rows, _: frame_means.of_clips(rows),
    backbones=lambda parameters: (network(parameters),), sides=alignment.every_side, reads=("reference",),
)  # fmt: skip
