"""Subject consistency: how alike the frames of a clip look to a network that knows objects by their parts.

    value of frame i >= 1 = 100 (max(0, cos(v_i, v_i-1)) + max(0, cos(v_i, v_0))) / 2,   v the vector of a frame

Direction   higher is better; a still clip has 100
Range       [0, 100]
Unit        percent
Pooling     corpus: over the frames of all clips, as VBench does on one GPU; a missing clip lowers the mean by its share of the clips
Sample      prediction: a clip; there is no reference
State       rows (sum, frames, whether it is there, whether it moves), keyed by sample
Undefined   no clip of two frames or more: too_few_samples; a clip of one frame is left out, with the warning clips_without_value
Companions  dynamic_degree, percent of clips in which something moves (DIS flow); clips; values, the frames that count
Backbones   dino-vit-b-16: DINO ViT-B/16, the network of VBench. efficientnet-lite0: the pooled features of EfficientNet-Lite0, which are
            never negative, a stand-in of real weights; its values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; Caron et al. 2021, arXiv 2104.14294
Checked with  timm 1.0's ViT-B/16 with the same seeded weights, torchvision's resizing; derivation
Differs from  VBench on several GPUs takes the mean of the means of clips, and leaves missing clips out. DINOv2 is another network.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> vectors = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
>>> row = observe(Sample("1", features={("efficientnet-lite0.pil", "prediction"): vectors}), SubjectParameters())
>>> round(row["total"], 4), row["values"]
(60.0, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Sample
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row
from genlevel_video.measures import consistency

REFERENCE = "dino-vit-b-16"


@dataclass(frozen=True)
class SubjectParameters(Parameters):
    """Parameters of the subject consistency.

    Attributes:
        backbone: what makes the vectors of frames.
    """

    backbone: Literal["efficientnet-lite0", "dino-vit-b-16"] = "efficientnet-lite0"


def network(parameters: SubjectParameters) -> str:
    """Name of the network with its preprocessing."""
    return REFERENCE if parameters.backbone == REFERENCE else f"{parameters.backbone}.pil"


def observe(sample: Sample, parameters: SubjectParameters) -> Row:
    """How steady one clip is."""
    return consistency.row_of(sample, network(parameters))


METRIC = consistency.metric(REFERENCE, network, id="subject_consistency", version=1, parameters=SubjectParameters, observe=observe)
