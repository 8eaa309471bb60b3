"""CLIP score of two pictures: how like a generated picture is to what it was to show.

    clip_score_image = mean over pictures of 100 cos(v(picture), v(reference)), v the projected vector of CLIP ViT-B/32

    Direction   higher is better
    Range       [-100, 100]
    Unit        cosine x100
    Pooling     sample: the mean over pictures; a missing picture is 0
    Sample      prediction and references, pictures of any size; of several references the mean counts
    State       rows (score, ceiling, a unit vector of each side), keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      Radford et al. 2021, arXiv 2103.00020; the use as a score of edited pictures: Ruiz et al. 2023, arXiv 2208.12242 (CLIP-I)
    Checked with  open_clip 3.3.0 and transformers 5.23 with the same weights
    Differs from  the default network is EfficientNet-Lite0 (pooled features, never negative), a stand-in of real weights that can be had
                offline: not CLIP, and on another scale. `backbone=clip-vit-b-32` is the one of the literature.

Beside it: shuffled_pairs, the mean score of every picture with the references of all other samples; reference_pairs, that of the
references of a sample among themselves, where it has several.

    >>> from genlevel_evaluator.alignment import unit
    >>> round(100.0 * float(unit([1.0, 1.0]) @ unit([1.0, 0.0])), 4)
    70.7107
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator import alignment
from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows

_WIDTH = 1280


@dataclass(frozen=True)
class ClipImageParameters(Parameters):
    """Parameters of the CLIP score of two pictures.

    Attributes:
        backbone: `clip-vit-b-32` is the network of the literature (OpenAI's weights); `efficientnet-lite0` was trained to tell the classes
            of ImageNet apart, and its values are not comparable with published ones.
        preset: how CLIP's pictures are resized to 224: `pil` with antialiasing, as CLIP was trained; `tensor` without.
    """

    backbone: Literal["efficientnet-lite0", "clip-vit-b-32"] = "efficientnet-lite0"
    preset: Literal["pil", "tensor"] = "pil"

    def __post_init__(self) -> None:
        alignment.check_preset(self.backbone, self.preset)


def network(parameters: ClipImageParameters) -> str:
    """Name of the network with its preprocessing."""
    return f"{parameters.backbone}.{parameters.preset}"


def observe(sample: Sample, parameters: ClipImageParameters) -> Row:
    """The cosine of the picture and its references."""
    name = network(parameters)
    picture = alignment.unit(sample.features[name, "prediction"])
    references = [alignment.unit(sample.features[name, alignment.side_of(place)]) for place in range(len(sample.references))]
    mean = np.asarray(np.mean(references, axis=0))
    return alignment.row(100.0 * float(picture @ mean), alignment.among(references), picture, mean, _WIDTH)


def missing(sample: Sample, parameters: ClipImageParameters) -> Row:
    """No picture is like nothing."""
    del sample, parameters
    return alignment.missing_row(_WIDTH)


def score(rows: Rows, parameters: ClipImageParameters) -> Score:
    """Mean over pictures."""
    return alignment.scored(rows, alignment.companions(rows), parameters.backbone, otherwise="lite0_not_clip")


METRIC = alignment.metric(
    id="clip_score_image", version=1, input_kind="image", pooling="sample", parameters=ClipImageParameters, columns=alignment.columns(_WIDTH),
    observe=observe, score=score, missing=missing, backbones=lambda parameters: (network(parameters),), reads=(),
)  # fmt: skip
