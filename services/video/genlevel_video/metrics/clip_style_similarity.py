"""CLIP style similarity: how like the frames of a clip are to the picture whose style they were to take.

    value of a clip = mean over frames and style pictures of 100 cos(v(frame), v(picture)),   v the projected vector of CLIP ViT-B/32

Direction   higher is better
Range       [-100, 100]
Unit        cosine x100
Pooling     sequence: the mean over clips; a missing clip is 0
Sample      prediction: a clip; references: pictures of the style, of which the mean counts
State       rows (score, ceiling, mean unit vector of the frames, that of the references), keyed by sample
Undefined   no sample has a reference: no_reference
Companions  shuffled_pairs, the mean score of every clip with the pictures of all other samples; reference_pairs, that of the style pictures
            of a sample among themselves, where it has several; predictions, the clips that are there
Backbones   clip-vit-b-32: the pictures' half of OpenAI's CLIP. efficientnet-lite0: pooled features of EfficientNet-Lite0, which are never
            negative, a stand-in of real weights; its values carry the warning `not_comparable`
Source      Radford et al. 2021, arXiv 2103.00020; the use as a score of style: StyleCrafter, Liu et al. 2023, arXiv 2312.00330
Checked with  transformers 5.23's CLIP with the same seeded weights; derivation
Differs from  the similarity of frames and a text, which shares the name CLIP score.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> sides = {"prediction": np.array([[1.0, 0.0], [0.0, 1.0]], np.float32), "reference": np.array([2.0, 0.0], np.float32)}
>>> row = observe(Sample("1", references=(None,), features={("efficientnet-lite0.pil", side): v for side, v in sides.items()}), StyleParameters())
>>> row["score"]
50.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator import alignment
from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.states import Row, Rows
from genlevel_video.measures.consistency import NOT_COMPARABLE, units
from genlevel_video.measures.picture_vectors import ClipPictureParameters, network

_WIDTH = 1280


@dataclass(frozen=True)
class StyleParameters(ClipPictureParameters):
    """Parameters of the CLIP style similarity.

    Attributes:
        backbone: what makes the vectors of frames and pictures.
        preset: how CLIP's frames and pictures are resized to 224: `pil` with antialiasing, as CLIP was trained; `tensor` without.
    """

    preset: Literal["tensor", "pil"] = "pil"


def observe(sample: Sample, parameters: StyleParameters) -> Row:
    """The mean cosine of the frames and the pictures."""
    name = network(parameters)
    clip = units(sample.features[name, "prediction"]).mean(axis=0)
    pictures = [alignment.unit(sample.features[name, alignment.side_of(place)]) for place in range(len(sample.references))]
    style = np.asarray(np.mean(pictures, axis=0))
    score = float(np.clip(100.0 * (clip @ style), -100.0, 100.0))
    return alignment.row(score, alignment.among(pictures), clip, style, _WIDTH)


def missing(sample: Sample, parameters: StyleParameters) -> Row:
    """A missing clip has no style."""
    del sample, parameters
    return alignment.missing_row(_WIDTH)


def score(rows: Rows, parameters: StyleParameters) -> Score:
    """Mean over clips."""
    return alignment.scored(rows, alignment.companions(rows), parameters.backbone, otherwise=NOT_COMPARABLE)


METRIC = alignment.metric(
    id="clip_style_similarity", version=1, input_kind="video_image", pooling="sequence", parameters=StyleParameters, columns=alignment.columns(_WIDTH),
    observe=observe, score=score, missing=missing, backbones=lambda parameters: (network(parameters),), reads=(),
)  # fmt: skip
