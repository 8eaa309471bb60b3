"""Networks of motion, actions and texts, by name; torch is imported when one is built."""

from __future__ import annotations

from functools import partial

from genlevel_evaluator.backbones import Backbone, Extractor
from genlevel_video.sampling import Sampling


def _flow(name: str) -> Extractor:
    from genlevel_video.backbones import flow, raft
    from genlevel_video.frames import ClipExtractor

    return ClipExtractor(flow.FlowNetwork(flow.dis if name == "dis" else flow.RaftFlow(raft.load())))


def _interpolation() -> Extractor:
    from genlevel_video.backbones import rife
    from genlevel_video.backbones.interpolation import InterpolationNetwork, NetworkMiddle
    from genlevel_video.frames import ClipExtractor

    return ClipExtractor(InterpolationNetwork(NetworkMiddle(rife.load(), rife.MULTIPLE)))


def _actions() -> Extractor:
    from genlevel_video.backbones import actions

    return actions.build()


def _clip_texts(name: str) -> Extractor:
    from genlevel_video.backbones import clip_texts

    return clip_texts.load(name)


_EIGHT = Sampling("middle", 8).text
_PAIRS = f"{Sampling('every', 8).text}; pairs of neighbours"
_TRIPLES = "all frames; every second one guessed from its neighbours, rounded to 8 bits"

MOTION = {
    "dis": Backbone("dis", "", f"{_PAIRS}; grey; DIS, medium preset", partial(_flow, "dis"), batch=2, uses_gpu=False),
    "raft-things": Backbone("raft-things", "raft-things", f"{_PAIRS}; RGB in -1..1, filled up to multiples of 8; 20 steps", partial(_flow, "raft-things"), batch=2),
    "rife-4.0": Backbone("rife-4.0", "rife-4.0", f"{_TRIPLES}; RGB in 0..1, filled up to multiples of 128", _interpolation, batch=2),
    "i3d-actions": Backbone(
        "i3d-actions", "i3d-kinetics-400", f"{Sampling('middle', 16).text}; shorter side 256, bilinear with antialias, centre crop 224, -1..1; 400 logits", _actions, batch=4
    ),
    "viclip-l-14": Backbone(
        "viclip-l-14", "viclip-l-14", f"{_EIGHT}; shorter side 224, bicubic without antialias, centre crop 224, CLIP mean and deviation; text: lower case, 32 places",
        partial(_clip_texts, "viclip-l-14"), batch=4, also=("clip-vocabulary",),
    ),
    "conse-frames": Backbone(
        "conse-frames", "efficientnet-lite0", f"{_EIGHT}; shorter side 256, bicubic with antialias, centre crop 224, (x - 127) / 128; ten likeliest classes; mean; text: lower case, 256 pieces",
        partial(_clip_texts, "conse-frames"), batch=4, also=("minilm-l6-v2", "imagenet-classes"),
    ),
}  # fmt: skip
"""Flow, interpolation, actions, and alignment of clips and texts."""
