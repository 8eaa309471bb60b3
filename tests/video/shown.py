"""Small pictures and clips of them, as finders of things are asked to look at them."""

from __future__ import annotations

import io

import numpy as np

from genlevel_evaluator import media
from genlevel_evaluator.kinds import Content
from genlevel_video.clips import open_clip
from genlevel_video.objects.detectors import Asked


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def content(*frames: np.ndarray) -> Content:
    file = io.BytesIO()
    np.savez(file, frames=np.stack(frames))
    return Content(media=media.from_bytes(file.getvalue(), "clip.npz"))


def asked(names: tuple[str, ...], *frames: np.ndarray) -> Asked:
    return Asked(open_clip(content(*frames).media), names)
