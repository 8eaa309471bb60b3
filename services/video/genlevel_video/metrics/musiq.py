"""MUSIQ: quality of frames as people would rate them, at their own size and without a reference.

    value of a clip = mean over its frames of MUSIQ's score, trained on KonIQ-10k; frames as they are

Direction   higher is better
Range       [0, 100]
Unit        MUSIQ 0..100
Pooling     sequence: over the frames of a clip, then over clips; a missing clip is 0
Sample      prediction: a clip; there is no reference
State       rows (sum, frames, whether it is there, mean of what the network gave), keyed by sample
Undefined   no clip: no_reference
Companions  musiq, the mean before it is cut to 0..100, or niqe, the mean distance where that is the method; clips; values, the frames
Backbones   musiq-koniq: MUSIQ with the weights the literature uses. niqe: NIQE of real statistics of photographs, of which 0 is best, as
            100 exp(-NIQE / 10); it knows blur and noise, not content, and its values carry the warning `not_comparable`
Source      Ke et al. 2021, arXiv 2108.05997; NIQE: Mittal et al. 2013, IEEE Signal Processing Letters 20(3)
Checked with  pyiqa 0.1.16's MUSIQ with the same seeded weights; sk-video 1.1.10's NIQE
Differs from  imaging_quality, which has other weights and shrinks frames. The paper's own program shrinks with a Gaussian, pyiqa and
            this bicubic without antialiasing.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> row = observe(Sample("1", features={("musiq-koniq", "prediction"): np.array([[60.0], [70.0]])}), MusiqParameters(backbone="musiq-koniq"))
>>> row["total"], row["values"]
(130.0, 2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Sample
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row
from genlevel_video.measures import frame_quality


@dataclass(frozen=True)
class MusiqParameters(Parameters):
    """Parameters of the quality by MUSIQ with KonIQ-10k's weights.

    Attributes:
        backbone: what scores a frame.
    """

    backbone: Literal["niqe", "musiq-koniq"] = "niqe"


def observe(sample: Sample, parameters: MusiqParameters) -> Row:
    """Quality of the frames of one clip."""
    return frame_quality.rated(sample, parameters.backbone)


METRIC = frame_quality.metric(
    {"musiq-koniq": "musiq", "niqe": "niqe"}, id="musiq", version=1, unit="MUSIQ 0..100", parameters=MusiqParameters, observe=observe,
)  # fmt: skip
