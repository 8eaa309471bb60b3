"""Aesthetic quality: how much people would like the frames of a clip, by a linear predictor on CLIP.

    value of a clip = mean over its frames of 10 (w . v(frame) + b),   v the vector of CLIP ViT-L/14 at length one

The predictor gives about 1 to 10, so the value is about 10 to 100; it is cut to 0..100.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     sequence: over the frames of a clip, then over clips; a missing clip is 0
Sample      prediction: a clip; there is no reference
State       rows (sum, frames, whether it is there, mean of what was given for its frames), keyed by sample
Undefined   no clip: no_reference
Companions  aesthetic, the mean of the predictor, or colourfulness, the mean of M where that is the method; clips; values, the frames
Backbones   laion-aesthetic: CLIP ViT-L/14 with LAION's linear head, the network of VBench. colourfulness: 100 M / 109, at most 100, M the
            colourfulness of Hasler and Suesstrunk, of which 109 is "extremely": one thing people like pictures for, and a stand-in that has
            nothing else in common with the predictor; its values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; LAION's aesthetic predictor, sa_0_4_vit_l_14_linear; Hasler and Suesstrunk 2003
Checked with  open_clip 3.3.0's ViT-L/14 with the same seeded weights; scikit-image's colours and derivation
Differs from  the predictor's own scale of 1 to 10, and the "improved" predictor, which is a network of several layers.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> sample = Sample("1", features={("laion-aesthetic", "prediction"): np.array([[5.5], [6.5]])})
>>> row = observe(sample, AestheticParameters(backbone="laion-aesthetic"))
>>> row["total"], row["values"], row["raw"]
(120.0, 2, 6.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Sample
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row
from genlevel_video.measures import frame_quality

REFERENCE = "laion-aesthetic"
MOST_COLOURFUL = 109.0


@dataclass(frozen=True)
class AestheticParameters(Parameters):
    """Parameters of the aesthetic quality.

    Attributes:
        backbone: what scores a frame.
    """

    backbone: Literal["colourfulness", "laion-aesthetic"] = "colourfulness"


def observe(sample: Sample, parameters: AestheticParameters) -> Row:
    """Quality of the frames of one clip."""
    given = frame_quality.raw(sample, parameters.backbone)
    return frame_quality.row_of(given * (10.0 if parameters.backbone == REFERENCE else 100.0 / MOST_COLOURFUL), given)


METRIC = frame_quality.metric(
    {REFERENCE: "aesthetic", "colourfulness": "colourfulness"},
    id="aesthetic_quality", version=1, unit="percent", parameters=AestheticParameters, observe=observe,
)  # fmt: skip
