"""Networks of the 3D evaluator, by name; torch is imported when one is built."""

from __future__ import annotations

from functools import partial

from genlevel_evaluator.backbones import Backbone, Extractor
from genlevel_evaluator.backbones.vectors import NETWORKS, Vectors
from genlevel_three_d.render.camera import DESCRIPTION, UPS
from genlevel_three_d.scenes import kinematics


def _rings(network: Vectors, up: str) -> Extractor:
    from genlevel_three_d.backbones.rings import RingExtractor

    return RingExtractor(network.load(), up)


RINGS = {
    f"{one.name}.up-{up}": Backbone(
        f"{one.name}.up-{up}", one.weights, f"shapes: {up} up, {DESCRIPTION}; pictures: {one.preprocessing}", partial(_rings, one, up), batch=4, also=one.also
    )
    for one in NETWORKS
    for up in UPS
}
"""Networks that turn shapes, by their pictures from the camera ring, into a vector a view; pictures and captions into one vector."""


def _evaluator() -> Extractor:
    from genlevel_three_d.backbones import motions

    return motions.load()


def _evaluator_with_texts() -> Extractor:
    from genlevel_three_d.backbones import motion_texts

    return motion_texts.load_with_texts()


_FRAMES = "cut to a multiple of 4 frames, at most 196"
_NORMALISED = f"{_FRAMES}; less mean by deviation; without foot contacts"
_TOKENS = "captions: the first 20 tokens between sos and eos, others than those of the vocabulary as unk"
_MOMENTS = ("t2m-mean", "t2m-std")
MOTIONS = {
    "t2m-evaluator": Backbone("t2m-evaluator", "t2m-evaluator", _NORMALISED, _evaluator, also=_MOMENTS),
    "t2m-evaluator.texts": Backbone("t2m-evaluator.texts", "t2m-evaluator", f"{_NORMALISED}; {_TOKENS}", _evaluator_with_texts, also=(*_MOMENTS, "t2m-vectors", "t2m-words", "t2m-index")),
    "kinematics": Backbone("kinematics", "", f"{_FRAMES}; {kinematics.DESCRIPTION}", kinematics.KinematicExtractor, uses_gpu=False),
}
"""Networks that turn motions into vectors, and statistics that stand in for them."""

BACKBONES = RINGS | MOTIONS
