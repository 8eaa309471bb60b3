"""CLIP score of shapes and pictures: how like a generated shape is, from all sides, to the picture it was made from.

    clip_score_image = mean over shapes of the mean over views of 100 cos(v(view), v(picture)), v the projected vector of CLIP ViT-B/32

    Direction   higher is better
    Range       [-100, 100]
    Unit        cosine x100
    Pooling     sample: the mean over shapes; a missing shape is 0
    Sample      prediction: a mesh or a point cloud, which is rendered from a ring of 8 cameras, or pictures that were rendered elsewhere; references:
                pictures, of several the mean counts
    State       rows (score, ceiling, lowest and highest view, views, a vector of each side), keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      Radford et al. 2021, arXiv 2103.00020; the use on views of a shape: Zero-1-to-3 and One-2-3-45, Liu et al. 2023, arXiv 2306.16928
    Checked with  the score of pictures of the image evaluator over the same views; transformers 5.23 with the same weights
    Differs from  no two programs render alike: the ring, the light and the background are in the signature, and values of other renderers are not
                comparable to the last point. The default network is EfficientNet-Lite0 (pooled features, never negative), a stand-in of real
                weights that can be had offline: not CLIP, on another scale. `backbone=clip-vit-b-32` is the one of the literature.

Beside it: shuffled_pairs, the mean score of every shape with the pictures of all other samples; reference_pairs, that of the pictures of a
sample among themselves, where it has several; lowest_view and highest_view, means over shapes of their worst and best view; views, how many a shape has.

    >>> from genlevel_three_d.views import mean_view
    >>> round(100.0 * float(mean_view(np.array([[1.0, 1.0], [1.0, 0.0]])) @ np.array([1.0, 0.0])), 4)
    85.3553
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator import alignment
from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_three_d import views

_WIDTH = 1280


@dataclass(frozen=True)
class ClipImageParameters(Parameters):
    """Parameters of the CLIP score of shapes and pictures.

    Attributes:
        backbone: `clip-vit-b-32` is the network of the literature (OpenAI's weights); `efficientnet-lite0` was trained to tell the classes
            of ImageNet apart, and its values are not comparable with published ones.
        preset: how CLIP's pictures are resized to 224: `pil` with antialiasing, as CLIP was trained; `tensor` without.
        up: the axis of the files that points up.
    """

    backbone: Literal["efficientnet-lite0", "clip-vit-b-32"] = "efficientnet-lite0"
    preset: Literal["pil", "tensor"] = "pil"
    up: Literal["y", "z"] = "y"

    def __post_init__(self) -> None:
        alignment.check_preset(self.backbone, self.preset)


def network(parameters: ClipImageParameters) -> str:
    """Name of the network with its preprocessing."""
    return f"{parameters.backbone}.{parameters.preset}.up-{parameters.up}"


def observe(sample: Sample, parameters: ClipImageParameters) -> Row:
    """The mean cosine of the views and the pictures."""
    name = network(parameters)
    references = [views.mean_view(sample.features[name, alignment.side_of(place)]) for place in range(len(sample.references))]
    return views.row(sample.features[name, "prediction"], np.asarray(np.mean(references, axis=0)), alignment.among(references), _WIDTH)


def missing(sample: Sample, parameters: ClipImageParameters) -> Row:
    """No shape is like nothing."""
    del sample, parameters
    return views.missing_row(_WIDTH)


def score(rows: Rows, parameters: ClipImageParameters) -> Score:
    """Mean over shapes."""
    return alignment.scored(rows, views.companions(rows), parameters.backbone, otherwise="lite0_not_clip")


METRIC = alignment.metric(
    id="clip_score_image", version=1, input_kind="views_image", pooling="sample", parameters=ClipImageParameters, columns=views.columns(_WIDTH),
    observe=observe, score=score, missing=missing, remarks=views.remarks, backbones=lambda parameters: (network(parameters),), reads=(),
)  # fmt: skip
