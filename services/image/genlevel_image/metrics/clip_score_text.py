"""CLIP score of pictures and texts: how well a generated picture fits its caption.

    clip_score_text = mean over pictures of 100 cos(v(picture), v(caption)), v the projected vector of CLIP ViT-B/32

    Direction   higher is better
    Range       [-100, 100]
    Unit        cosine x100
    Pooling     sample: the mean over pictures; a missing picture is 0
    Sample      prediction: a picture; references: captions, and pictures of which only the ceiling is made. Of several captions the
                mean counts, or the best with captions=best
    State       rows (score, ceiling, a unit vector of each side), keyed by sample
    Undefined   no sample has a caption: no_reference
    Source      Hessel et al. 2021, arXiv 2104.08718, without its factor 2.5, its clipping at zero and its prefix; Radford et al. 2021,
                arXiv 2103.00020; ConSE: Norouzi et al. 2013, arXiv 1312.5650
    Checked with  open_clip 3.3.0 and transformers 5.23 with the same weights, torchmetrics' CLIPScore 1.9
    Differs from  torchmetrics clips the mean at zero; Hessel's program puts "A photo depicts" before captions. Captions are cut
                to 77 places: the start mark, the first 75 pieces, the end mark. The default network is ConSE, a stand-in of real
                weights that can be had offline: not CLIP, on another scale, blind to what is in no class of ImageNet.
                `backbone=clip-vit-b-32` is the one of the literature.

Beside it: shuffled_pairs, the mean score of every picture with the captions of all other samples; reference_pairs, that of the true
pictures among the references with their own captions.

    >>> from genlevel_evaluator.alignment import unit
    >>> round(100.0 * float(unit([3.0, 4.0]) @ unit([4.0, 3.0])), 9)
    96.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator import alignment
from genlevel_evaluator.metric import Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows

_WIDTH = 512


@dataclass(frozen=True)
class ClipTextParameters(Parameters):
    """Parameters of the CLIP score of pictures and texts.

    Attributes:
        backbone: `clip-vit-b-32` is the network of the literature (OpenAI's weights); `conse-lite0-minilm` is another method with other
            weights, and its values are not comparable with published ones.
        preset: how CLIP's pictures are resized to 224: `pil` with antialiasing, as CLIP was trained; `tensor` without.
        captions: whether several captions of a picture count by their mean or by the best.
    """

    backbone: Literal["conse-lite0-minilm", "clip-vit-b-32"] = "conse-lite0-minilm"
    preset: Literal["pil", "tensor"] = "pil"
    captions: Literal["mean", "best"] = "mean"

    def __post_init__(self) -> None:
        alignment.check_preset(self.backbone, self.preset)


def network(parameters: ClipTextParameters) -> str:
    """Name of the network with its preprocessing."""
    return f"{parameters.backbone}.{parameters.preset}"


def observe(sample: Sample, parameters: ClipTextParameters) -> Row:
    """The cosine of the picture and its captions."""
    name = network(parameters)
    picture = alignment.unit(sample.features[name, "prediction"])
    vectors = [alignment.unit(sample.features[name, alignment.side_of(place)]) for place in range(len(sample.references))]
    used, ceiling = alignment.against_captions(picture, vectors, sample.references, parameters.captions, "picture")
    return alignment.row(100.0 * float(picture @ used), ceiling, picture, used, _WIDTH)


def missing(sample: Sample, parameters: ClipTextParameters) -> Row:
    """No picture fits no caption."""
    del sample, parameters
    return alignment.missing_row(_WIDTH)


def score(rows: Rows, parameters: ClipTextParameters) -> Score:
    """Mean over pictures."""
    return alignment.scored(rows, alignment.companions(rows), parameters.backbone, otherwise="conse_not_clip")


METRIC = alignment.metric(
    id="clip_score_text", version=1, input_kind="image_text", pooling="sample", parameters=ClipTextParameters, columns=alignment.columns(_WIDTH),
    observe=observe, score=score, missing=missing, backbones=lambda parameters: (network(parameters),), reads=("reference",),
)  # fmt: skip
