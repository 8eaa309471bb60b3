"""Imaging quality: how free of blur, noise and bad exposure the frames of a clip are.

    value of a clip = mean over its frames of MUSIQ's score, trained on SPAQ; a longer side above 512 is shrunk to 512

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     sequence: over the frames of a clip, then over clips; a missing clip is 0
Sample      prediction: a clip; there is no reference
State       rows (sum, frames, whether it is there, mean of what the network gave), keyed by sample
Undefined   no clip: no_reference
Companions  musiq, the mean before it is cut to 0..100, or niqe, the mean distance where that is the method; clips; values, the frames
Backbones   musiq-spaq: MUSIQ with the weights the literature uses. niqe: NIQE of real statistics of photographs, of which 0 is best, as
            100 exp(-NIQE / 10); it knows blur and noise, not content, and its values carry the warning `not_comparable`
Source      Ke et al. 2021, arXiv 2108.05997; Huang et al. 2024 (VBench), arXiv 2311.17982;
            NIQE: Mittal et al. 2013, IEEE Signal Processing Letters 20(3)
Checked with  pyiqa 0.1.16's MUSIQ with the same seeded weights; sk-video 1.1.10's NIQE
Differs from  VBench on several GPUs divides by 100 twice. The benchmark's row of scenes says MUSIQ, and its code scores how often
            a captioner finds the scene: the label is followed.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> row = observe(Sample("1", features={("musiq-spaq", "prediction"): np.array([[60.0], [70.0]])}), ImagingParameters(backbone="musiq-spaq"))
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
class ImagingParameters(Parameters):
    """Parameters of the quality by MUSIQ with SPAQ's weights.

    Attributes:
        backbone: what scores a frame.
    """

    backbone: Literal["niqe", "musiq-spaq"] = "niqe"


def network(parameters: ImagingParameters) -> str:
    """Name of the network with its preprocessing: NIQE too looks at frames of at most 512 pixels."""
    return "niqe.512" if parameters.backbone == "niqe" else parameters.backbone


def observe(sample: Sample, parameters: ImagingParameters) -> Row:
    """Quality of the frames of one clip."""
    return frame_quality.rated(sample, network(parameters))


METRIC = frame_quality.metric(
    {"musiq-spaq": "musiq", "niqe": "niqe"}, network, id="imaging_quality", version=1, unit="percent", parameters=ImagingParameters, observe=observe,
)  # fmt: skip
