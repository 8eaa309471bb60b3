"""Background consistency: how alike the frames of a clip look as scenes.

    value of frame i >= 1 = 100 (max(0, cos(v_i, v_i-1)) + max(0, cos(v_i, v_0))) / 2,   v the vector of a frame

Direction   higher is better; a still clip has 100
Range       [0, 100]
Unit        percent
Pooling     corpus: over the frames of all clips, as VBench does on one GPU; a missing clip lowers the mean by its share of the clips
Sample      prediction: a clip; there is no reference
State       rows (sum, frames, whether it is there, whether it moves), keyed by sample
Undefined   no clip of two frames or more: too_few_samples; a clip of one frame is left out, with the warning clips_without_value
Companions  dynamic_degree, percent of clips in which something moves (DIS flow); clips; values, the frames that count
Backbones   clip-vit-b-32: the pictures' half of OpenAI's CLIP, the network of VBench. efficientnet-lite0: the pooled features of
            EfficientNet-Lite0, which are never negative, a stand-in of real weights; its values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; Radford et al. 2021, arXiv 2103.00020
Checked with  transformers 5.23's CLIP with the same seeded weights, torchvision's resizing; derivation
Differs from  VBench on several GPUs takes the mean of the means of clips, runs CLIP in half precision on a GPU, and leaves missing clips out.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> vectors = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]], np.float32)
>>> row = observe(Sample("1", features={("efficientnet-lite0.pil", "prediction"): vectors}), BackgroundParameters())
>>> row["total"], row["values"]
(50.0, 2)
"""

from __future__ import annotations

from dataclasses import dataclass

from genlevel_evaluator.metric import Sample
from genlevel_evaluator.states import Row
from genlevel_video.measures import consistency
from genlevel_video.measures.picture_vectors import REFERENCE, ClipPictureParameters, network


@dataclass(frozen=True)
class BackgroundParameters(ClipPictureParameters):
    """Parameters of the background consistency.

    Attributes:
        backbone: what makes the vectors of frames.
        preset: how CLIP's frames are resized to 224: `tensor` without antialiasing, as VBench does; `pil` with it.
    """


def observe(sample: Sample, parameters: BackgroundParameters) -> Row:
    """How steady one clip is."""
    return consistency.row_of(sample, network(parameters))


METRIC = consistency.metric(REFERENCE, network, id="background_consistency", version=1, parameters=BackgroundParameters, observe=observe)
