"""Networks that look at frames by themselves, by name; torch is imported when one is built."""

from __future__ import annotations

from functools import partial

from genlevel_evaluator.backbones import Backbone, Extractor
from genlevel_evaluator.backbones.vectors import NETWORKS, Vectors
from genlevel_video.sampling import Sampling


def _vectors(vectors: Vectors) -> Extractor:
    from genlevel_video.backbones import frame_vectors

    return frame_vectors.load(vectors)


def _dino() -> Extractor:
    from genlevel_video.backbones import dino
    from genlevel_video.backbones.torch_frames import FramesAndPictures

    return FramesAndPictures(dino.build())


def _musiq(entry: str) -> Extractor:
    from genlevel_video.backbones import musiq
    from genlevel_video.frames import ClipExtractor

    return ClipExtractor(musiq.build(entry))


def _niqe(name: str) -> Extractor:
    from genlevel_video.backbones import frame_scores

    return frame_scores.niqe(name)


def _aesthetic() -> Extractor:
    from genlevel_video.backbones import frame_scores

    return frame_scores.aesthetic()


def _colours() -> Extractor:
    from genlevel_video.backbones import frame_scores

    return frame_scores.colours()


_ALL = Sampling("all").text
_SHRUNK = "longer side above 512 to 512, bilinear without antialias"
_LOOKS = "RGB in -1..1; bicubic without antialias to longer sides 224 and 384, and as it is; patches of 32"
_LUMA = "luma of 8 bits, shorter side below 192 to 192 bicubic; patches of 96"

QUALITY = {
    **{one.name: Backbone(one.name, one.weights, f"{_ALL}; {one.preprocessing}", partial(_vectors, one), batch=4, also=one.also) for one in NETWORKS},
    "dino-vit-b-16": Backbone(
        "dino-vit-b-16", "dino-vit-b-16", f"{_ALL}; RGB of 8 bits; shorter side 224 bilinear without antialias, no crop, ImageNet mean and deviation", _dino, batch=2
    ),
    "musiq-koniq": Backbone("musiq-koniq", "musiq-koniq", f"{_ALL}; {_LOOKS}", partial(_musiq, "musiq-koniq"), batch=2),
    "musiq-spaq": Backbone("musiq-spaq", "musiq-spaq", f"{_ALL}; {_SHRUNK}; {_LOOKS}", partial(_musiq, "musiq-spaq"), batch=2),
    "niqe": Backbone("niqe", "niqe-pristine", f"{_ALL}; {_LUMA}", partial(_niqe, "niqe"), batch=2, uses_gpu=False),
    "niqe.512": Backbone("niqe.512", "niqe-pristine", f"{_ALL}; {_SHRUNK}; {_LUMA}", partial(_niqe, "niqe.512"), batch=2, uses_gpu=False),
    "laion-aesthetic": Backbone(
        "laion-aesthetic", "clip-vit-l-14", f"{_ALL}; RGB of 8 bits; shorter side 224, bicubic without antialias, centre crop 224, CLIP mean and deviation; unit vectors",
        _aesthetic, batch=2, also=("laion-aesthetic-linear",),
    ),
    "colourfulness": Backbone("colourfulness", "", f"{_ALL}; RGB", _colours, batch=2, uses_gpu=False),
}  # fmt: skip
"""Vectors and scores of frames."""
