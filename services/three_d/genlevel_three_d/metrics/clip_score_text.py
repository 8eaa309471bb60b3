"""CLIP score of shapes and texts: how well a generated shape fits its caption, seen from all sides.

    clip_score_text = mean over shapes of the mean over views of 100 cos(v(view), v(caption)), v the projected vector of CLIP ViT-B/32

    Direction   higher is better
    Range       [-100, 100]
    Unit        cosine x100
    Pooling     sample: the mean over shapes; a missing shape is 0
    Sample      prediction: a mesh or a point cloud, which is rendered from a ring of 8 cameras, or pictures that were rendered elsewhere; references:
                captions, and true shapes of which only the ceiling is made. Of several captions the mean counts, or the best with captions=best
    State       rows (score, ceiling, lowest and highest view, views, a vector of each side), keyed by sample
    Undefined   no sample has a caption: no_reference
    Source      Hessel et al. 2021, arXiv 2104.08718, without its factor 2.5, its clipping at zero and its prefix; its use on renderings: DreamFusion,
                Poole et al. 2022, arXiv 2209.14988; ConSE: Norouzi et al. 2013, arXiv 1312.5650
    Checked with  the score of pictures of the image evaluator over the same views; transformers 5.23 with the same weights
    Differs from  no two programs render alike: the ring, the light and the background are in the signature, and values of other renderers are not
                comparable to the last point. The default network is ConSE, a stand-in of real weights that can be had offline: not CLIP, on
                another scale. `backbone=clip-vit-b-32` is the one of the literature. Pictures that are given are taken as they are.

Beside it: shuffled_pairs, the mean score of every shape with the captions of all other samples; reference_pairs, that of the true shapes
among the references with their own captions; lowest_view and highest_view, means over shapes of their worst and best view; views, how many a shape has.

    >>> import numpy as np
    >>> from genlevel_three_d.views import mean_view
    >>> mean_view(np.array([[2.0, 0.0], [0.0, 3.0]])).tolist()
    [0.5, 0.5]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator import alignment
from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_three_d import views

_WIDTH = 512


@dataclass(frozen=True)
class ClipTextParameters(Parameters):
    """Parameters of the CLIP score of shapes and texts.

    Attributes:
        backbone: `clip-vit-b-32` is the network of the literature (OpenAI's weights); `conse-lite0-minilm` is another method with other
            weights, and its values are not comparable with published ones.
        preset: how CLIP's pictures are resized to 224: `pil` with antialiasing, as CLIP was trained; `tensor` without.
        captions: whether several captions of a shape count by their mean or by the best.
        up: the axis of the files that points up.
    """

    backbone: Literal["conse-lite0-minilm", "clip-vit-b-32"] = "conse-lite0-minilm"
    preset: Literal["pil", "tensor"] = "pil"
    captions: Literal["mean", "best"] = "mean"
    up: Literal["y", "z"] = "y"

    def __post_init__(self) -> None:
        alignment.check_preset(self.backbone, self.preset)


def network(parameters: ClipTextParameters) -> str:
    """Name of the network with its preprocessing."""
    return f"{parameters.backbone}.{parameters.preset}.up-{parameters.up}"


def observe(sample: Sample, parameters: ClipTextParameters) -> Row:
    """The mean cosine of the views and the captions."""
    name = network(parameters)
    pictures = sample.features[name, "prediction"]
    vectors = [views.mean_view(sample.features[name, alignment.side_of(place)]) for place in range(len(sample.references))]
    used, ceiling = alignment.against_captions(views.mean_view(pictures), vectors, sample.references, parameters.captions, "shape")
    return views.row(pictures, used, ceiling, _WIDTH)


def missing(sample: Sample, parameters: ClipTextParameters) -> Row:
    """No shape fits no caption."""
    del sample, parameters
    return views.missing_row(_WIDTH)


def score(rows: Rows, parameters: ClipTextParameters) -> Score:
    """Mean over shapes."""
    return alignment.scored(rows, views.companions(rows), parameters.backbone, otherwise="conse_not_clip")


METRIC = alignment.metric(
    id="clip_score_text", version=1, input_kind="views", pooling="sample", parameters=ClipTextParameters, columns=views.columns(_WIDTH),
    observe=observe, score=score, missing=missing, remarks=views.remarks, backbones=lambda parameters: (network(parameters),), reads=("reference",),
)  # fmt: skip
