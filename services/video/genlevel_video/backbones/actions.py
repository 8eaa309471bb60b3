"""Networks that know the 400 actions of Kinetics (genlevel_video.kinetics names them).

I3D is trained with softmax; its 400 numbers before that are given out, and the metric puts each through the logistic function, as VBench does
with those of its network.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genlevel_evaluator import weights
from genlevel_video.backbones import i3d
from genlevel_video.backbones.clip_network import SIDE, ClipNetwork
from genlevel_video.frames import Frame, Sampling

SAMPLING = Sampling("middle", 16)
SHORTER = 256


def prepare(frame: Frame) -> NDArray[np.float32]:
    """Shorter side 256, bilinear with antialias, centre crop 224, [-1, 1]; shape (224, 224, 3)."""
    height, width = frame.shape[:2]
    scale = SHORTER / min(height, width)
    size = (max(SHORTER, round(width * scale)), max(SHORTER, round(height * scale)))
    resized = np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))
    left, top = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    crop = resized[top : top + SIDE, left : left + SIDE].astype(np.float32)
    return (crop / np.float32(127.5) - np.float32(1)).astype(np.float32, copy=False)


def build() -> ClipNetwork:
    """I3D with its weights, over 16 frames of the whole clip."""
    network = ClipNetwork(i3d.load(weights.arrays("i3d-kinetics-400")), prepare)
    network.sampling = SAMPLING
    return network
