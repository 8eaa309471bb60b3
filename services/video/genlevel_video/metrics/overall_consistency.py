"""Overall consistency: how well clips fit prompts that ask for all kinds of things.

    overall_consistency = mean over clips of 100 cos(v(clip), v(prompt)), v the vectors of ViCLIP, of eight frames and of the text

The frames are those in the middle of eight even parts of the clip. Of several prompts the mean counts.

Direction   higher is better
Range       [-100, 100]
Unit        cosine x100
Pooling     sample: the mean over clips; a missing clip is 0
Sample      prediction: a clip; references: the prompts
State       rows (score, a unit vector of each side), keyed by sample
Undefined   no sample has a prompt: no_reference
Companions  predictions; shuffled_pairs: the mean score of every clip with the prompts of all other samples
Backbones   viclip-l-14: ViCLIP-L/14 trained on InternVid-10M-FLT, the network of VBench. conse-frames: the mean of ConSE over the frames,
            a stand-in of real weights that can be had offline: not ViCLIP, on another scale, blind to motion and to what is in no class of
            ImageNet; its values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; Wang et al. 2024 (InternVid), arXiv 2307.06942; ConSE: Norouzi et al. 2013
Checked with  transformers' CLIP layers around the same weights, for both towers; derivation
Differs from  the benchmark's SoTA of its task of materials, 51.2, is on no scale that this cosine reaches (20 to 30 is usual), so no win
            can be decided there; values made elsewhere are accepted.

>>> import numpy as np
>>> from genlevel_evaluator.captions import Caption
>>> from genlevel_evaluator.metric import Sample
>>> vectors = {("conse-frames", "prediction"): np.array([3.0, 4.0]), ("conse-frames", "reference"): np.array([4.0, 3.0])}
>>> row = observe(Sample("1", None, (Caption("a snail made of glass"),), features=vectors), clip_texts.ClipTextParameters())
>>> round(row["score"], 9)
96.0
"""

from __future__ import annotations

from genlevel_evaluator.metric import Sample
from genlevel_evaluator.states import Row
from genlevel_video.measures import clip_texts


def observe(sample: Sample, parameters: clip_texts.ClipTextParameters) -> Row:
    """The cosine of one clip and its prompt."""
    return clip_texts.cosine_row(sample, parameters.backbone)


METRIC = clip_texts.metric("overall_consistency", observe)
