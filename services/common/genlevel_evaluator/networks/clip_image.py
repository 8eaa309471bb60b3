"""Pictures as CLIP was trained to see them: shorter side 224, centre crop, CLIP's mean and deviation.

Two presets, which differ by up to half a point of a score: `pil` resizes with Pillow's bicubic kernel, which widens when scaling down
(OpenAI's program, open_clip); `tensor` is bicubic without antialiasing, as programs resize that never leave torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from genlevel_evaluator.networks import check_proportion

SIDE = 224
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
_DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


def prepare(pixels: NDArray[Any], preset: str) -> NDArray[np.float32]:
    """RGB of shape (height, width, 3), 8 or 16 bits, as (3, 224, 224)."""
    check_proportion(pixels)
    if pixels.dtype == np.uint16:  # both programs know pictures of 8 bits only
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    resized = (_pillow if preset == "pil" else _tensor)(pixels, _target(pixels.shape[1], pixels.shape[0]))
    height, width = resized.shape[:2]
    top, left = round((height - SIDE) / 2), round((width - SIDE) / 2)
    crop = resized[top : top + SIDE, left : left + SIDE]
    values = (crop.astype(np.float32) / np.float32(255.0) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def _target(width: int, height: int) -> tuple[int, int]:
    """Width and height with the shorter side 224, the longer one rounded down."""
    if width <= height:
        return SIDE, int(SIDE * height / width)
    return int(SIDE * width / height), SIDE


def _pillow(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def _tensor(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float()
    x = functional.interpolate(x, size=(size[1], size[0]), mode="bicubic", align_corners=False, antialias=False)
    result: NDArray[np.uint8] = x.clamp(0, 255).round()[0].numpy().transpose(1, 2, 0).astype(np.uint8)
    return result
