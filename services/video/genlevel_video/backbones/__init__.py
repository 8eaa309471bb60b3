"""Networks of the video evaluator, by name. Nothing heavy is imported before one of them is built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from genlevel_evaluator.backbones import Backbone, Extractor
from genlevel_video.backbones.finders import FINDERS
from genlevel_video.backbones.motion import MOTION
from genlevel_video.backbones.quality import QUALITY


def _i3d() -> Extractor:
    from genlevel_video.backbones.i3d import build

    return build()


def _r3d_18() -> Extractor:
    from genlevel_video.backbones.r3d_18 import build

    return build()


def _together(extractors: Sequence[Any], values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    from genlevel_video.frames import together

    return together(extractors, values)


_NETWORKS = FINDERS | MOTION | QUALITY | {
    "i3d": Backbone(
        "i3d",
        "i3d-kinetics-400",
        "frames 0..15, last repeated; 224x224 bilinear half-pixel; [-1,1]; logits, mean over time",
        _i3d,
        batch=4,
    ),
    "r3d_18": Backbone(
        "r3d_18",
        "r3d-18",
        "frames 0..15, last repeated; 224x224 bilinear Pillow; Kinetics mean and deviation; pooled 512",
        _r3d_18,
        batch=4,
    ),
}

BACKBONES = {name: replace(backbone, together=_together) for name, backbone in _NETWORKS.items()}
"""All of them share the decoding of a clip."""
