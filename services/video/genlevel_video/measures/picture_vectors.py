"""Parameters of metrics that hold frames against one another, against pictures or against texts by CLIP, and the names of their networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator import alignment
from genlevel_evaluator.parameters import Parameters

REFERENCE = alignment.REFERENCE


@dataclass(frozen=True)
class ClipPictureParameters(Parameters):
    """Of frames and pictures.

    Attributes:
        backbone: `clip-vit-b-32` is the network of the literature (OpenAI's weights); `efficientnet-lite0` was trained to tell the classes
            of ImageNet apart, and its values are not comparable with published ones.
        preset: how CLIP's frames are resized to 224: `tensor` without antialiasing, `pil` with it.
    """

    backbone: Literal["efficientnet-lite0", "clip-vit-b-32"] = "efficientnet-lite0"
    preset: Literal["tensor", "pil"] = "tensor"


@dataclass(frozen=True)
class ClipWordsParameters(Parameters):
    """Of frames and texts.

    Attributes:
        backbone: `clip-vit-b-32` is the network of the literature (OpenAI's weights); `conse-lite0-minilm` is another method with other
            weights, and its values are not comparable with published ones.
        preset: how CLIP's frames are resized to 224: `tensor` without antialiasing, `pil` with it.
    """

    backbone: Literal["conse-lite0-minilm", "clip-vit-b-32"] = "conse-lite0-minilm"
    preset: Literal["tensor", "pil"] = "tensor"


def network(parameters: ClipPictureParameters | ClipWordsParameters) -> str:
    """Name of the network with its preprocessing; the stand-ins know one way of resizing."""
    return f"{REFERENCE}.{parameters.preset}" if parameters.backbone == REFERENCE else f"{parameters.backbone}.pil"
