"""Networks of the image evaluator, by name; torch is imported when one is built."""

from __future__ import annotations

from functools import partial

from genlevel_evaluator.backbones import Backbone, Extractor
from genlevel_evaluator.backbones.vectors import NETWORKS, VectorExtractor, Vectors

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


def _vectors(network: Vectors) -> Extractor:
    return VectorExtractor(network.load())


def _lpips(name: str) -> Extractor:
    from genlevel_image.backbones import lpips

    return lpips.load(name)


VECTORS = {
    one.name: Backbone(one.name, one.weights, one.preprocessing, partial(_vectors, one), also=one.also)
    for one in NETWORKS
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
