"""The three ways in which FID programs bring a picture to 299 x 299: they are not interchangeable."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from genlevel_image.media import Picture

SIDE = 299


def prepare(picture: Picture, preset: str, unit_range: bool) -> torch.Tensor:
    """A picture as (1, 3, 299, 299) in the range of the network: 0..1, or that of the preset."""
    values = picture.pixels.astype(np.float32) * np.float32(255.0 / picture.peak)
    if preset == "clean":
        resized = _clean(values)
    else:
        x = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]
        resized = _torch(x) if preset == "torch" else _tensorflow(x)
    if unit_range:
        return resized / 255.0
    return 2.0 * (resized / 255.0) - 1.0 if preset == "torch" else (resized - 128.0) / 128.0


def _torch(x: torch.Tensor) -> torch.Tensor:
    # The scale is divided out first, as pytorch-fid does, so that even the last bits have a chance to agree.
    return functional.interpolate(x / 255.0, size=(SIDE, SIDE), mode="bilinear", align_corners=False) * 255.0


def _tensorflow(x: torch.Tensor) -> torch.Tensor:
    """Bilinear with source = target * scale, without the half-pixel shift: what TensorFlow 1 does with align_corners=False."""
    for axis in (2, 3):
        size = x.shape[axis]
        source = torch.arange(SIDE, dtype=torch.float32) * np.float32(size / SIDE)
        low = source.floor().long().clamp(max=size - 1)
        high = (low + 1).clamp(max=size - 1)
        shape = [1, 1, 1, 1]
        shape[axis] = SIDE
        part = (source - low).reshape(shape)
        below = x.index_select(axis, low)
        x = below + (x.index_select(axis, high) - below) * part
    return x


def _clean(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> torch.Tensor:
    from PIL import Image

    channels = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[:, :, c])).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for c in range(3)
    ]
    return torch.from_numpy(np.stack(channels)[None].clip(0, 255))
