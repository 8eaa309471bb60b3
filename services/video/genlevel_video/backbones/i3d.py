"""I3D (Carreira and Zisserman 2017), RGB, with the Kinetics-400 weights of the TF Hub module FVD is defined by.

TensorFlow's SAME padding puts the odd pixel behind; batch normalisation has no scale, and is folded into the convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_video.backbones.clip_network import LAYOUT, SIDE, ClipNetwork
from genlevel_video.frame_limits import Frame

EPSILON = 1e-3
Triple = tuple[int, int, int]

# Channels of the branches: 1x1; 1x1 and 3x3; 1x1 and 3x3; 1x1 behind the pool.
MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}


def same_padding(sizes: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...]) -> list[int]:
    """Zeros in front and behind of each axis, last axis first as torch wants them.

    >>> same_padding((16, 224, 224), (7, 7, 7), (2, 2, 2))
    [2, 3, 2, 3, 2, 3]
    """
    result: list[int] = []
    for size, width, step in zip(sizes[::-1], kernel[::-1], stride[::-1], strict=True):
        total = max((-(-size // step) - 1) * step + width - size, 0)
        result += [total // 2, total - total // 2]
    return result


class Unit(nn.Module):
    """Convolution with the batch normalisation folded in, and ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int, step: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = (size,) * 3, (step,) * 3
        self.convolution = nn.Conv3d(inputs, outputs, self.kernel, self.stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pads as TensorFlow does."""
        if self.kernel != (1, 1, 1):
            x = functional.pad(x, same_padding(tuple(x.shape[2:]), self.kernel, self.stride))
        # Convolutions of few channels give another layout than they took, and all that follows would be slow in it.
        return functional.relu_(self.convolution(x).contiguous(memory_format=LAYOUT))


class Pool(nn.Module):
    """Maximum with SAME padding that never wins."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One axis after the other: the same values with a third of the comparisons, and no padding to write."""
        for axis, (width, step) in enumerate(zip(self.kernel, self.stride, strict=True), start=2):
            if width > 1:
                x = _maximum(x, axis, width, step)
        return x


def _maximum(x: torch.Tensor, axis: int, width: int, step: int) -> torch.Tensor:
    """Maxima of windows along an axis. Those over the edge are of what is inside: TensorFlow's padding is minus infinity."""
    size = x.shape[axis]
    front, _ = same_padding((size,), (width,), (step,))
    count = -(-size // step)
    # The tap 0 has a value in every window, so it begins.
    result = x[_along(axis, 0, size, step)].clone(memory_format=torch.preserve_format)
    for tap in (*range(-front, 0), *range(1, width - front)):
        first = max(0, -(tap // step))
        last = min(count - 1, (size - 1 - tap) // step)
        target = result[_along(axis, first, last + 1, 1)]
        torch.maximum(target, x[_along(axis, first * step + tap, last * step + tap + 1, step)], out=target)
    return result


def _along(axis: int, begin: int, end: int, step: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(begin, end, step),)


class Mixed(nn.Module):
    """Inception block of four branches."""

    def __init__(self, inputs: int, channels: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        straight, narrow_1, wide_1, narrow_2, wide_2, pooled = channels
        self.branch_0 = nn.ModuleDict({"Conv3d_0a_1x1": Unit(inputs, straight, 1)})
        self.branch_1 = nn.ModuleDict({"Conv3d_0a_1x1": Unit(inputs, narrow_1, 1), "Conv3d_0b_3x3": Unit(narrow_1, wide_1, 3)})
        self.branch_2 = nn.ModuleDict({"Conv3d_0a_1x1": Unit(inputs, narrow_2, 1), "Conv3d_0b_3x3": Unit(narrow_2, wide_2, 3)})
        self.branch_3 = nn.ModuleDict({"pool": Pool((3, 3, 3), (1, 1, 1)), "Conv3d_0b_1x1": Unit(inputs, pooled, 1)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Branches side by side."""
        results = []
        for branch in (self.branch_0, self.branch_1, self.branch_2, self.branch_3):
            y = x
            for step in branch.values():
                y = step(y)
            results.append(y)
        return torch.cat(results, dim=1)


class I3D(nn.Module):
    """Clips (batch, 3, time, height, width) in [-1, 1] to logits (batch, 400)."""

    def __init__(self) -> None:
        super().__init__()
        layers: dict[str, nn.Module] = {
            "Conv3d_1a_7x7": Unit(3, 64, 7, 2),
            "MaxPool3d_2a_3x3": Pool((1, 3, 3), (1, 2, 2)),
            "Conv3d_2b_1x1": Unit(64, 64, 1),
            "Conv3d_2c_3x3": Unit(64, 192, 3),
            "MaxPool3d_3a_3x3": Pool((1, 3, 3), (1, 2, 2)),
        }
        width = 192
        for name, channels in MIXED.items():
            if name == "Mixed_4b":
                layers["MaxPool3d_4a_3x3"] = Pool((3, 3, 3), (2, 2, 2))
            if name == "Mixed_5b":
                layers["MaxPool3d_5a_2x2"] = Pool((2, 2, 2), (2, 2, 2))
            layers[name] = Mixed(width, channels)
            width = channels[0] + channels[2] + channels[4] + channels[5]
        self.layers = nn.ModuleDict(layers)
        self.logits = nn.Conv3d(width, 400, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits, mean over time."""
        for layer in self.layers.values():
            x = layer(x)
        x = self.logits(functional.avg_pool3d(x, (2, 7, 7), 1))
        return x.mean(dim=(2, 3, 4))


def load(tensors: Mapping[str, Any]) -> I3D:
    """The network with weights under their Flax names."""
    network = I3D()
    for name, layer in network.layers.items():
        if isinstance(layer, Unit):
            _fill(layer, tensors, name)
        elif isinstance(layer, Mixed):
            for number, branch in enumerate((layer.branch_0, layer.branch_1, layer.branch_2, layer.branch_3)):
                for step, unit in branch.items():
                    if isinstance(unit, Unit):
                        _fill(unit, tensors, f"{name}/Branch_{number}/{step}")
    _copy(network.logits.weight, _kernel(tensors["params/Logits/Conv3d_0c_1x1/Conv_0/kernel"]))
    _copy(network.logits.bias, tensors["params/Logits/Conv3d_0c_1x1/Conv_0/bias"])
    return network


def _fill(unit: Unit, tensors: Mapping[str, Any], name: str) -> None:
    """Folds the normalisation, in float64 so that the folding itself costs nothing."""
    mean, variance = (
        np.asarray(tensors[f"batch_stats/{name}/BatchNorm_0/{part}"], np.float64).reshape(-1) for part in ("mean", "var")
    )
    shift = np.asarray(tensors[f"params/{name}/BatchNorm_0/bias"], np.float64).reshape(-1)
    scale = 1.0 / np.sqrt(variance + EPSILON)
    _copy(unit.convolution.weight, _kernel(tensors[f"params/{name}/Conv_0/kernel"]) * scale[:, None, None, None, None])
    _copy(unit.convolution.bias, shift - mean * scale)


def _kernel(flax: Any) -> Any:
    """From (time, height, width, in, out) to (out, in, time, height, width)."""
    return np.asarray(flax, np.float64).transpose(4, 3, 0, 1, 2)


def _copy(target: torch.Tensor, values: Any) -> None:
    source = torch.from_numpy(np.array(values, dtype=np.float32, order="C"))
    if target.shape != source.shape:
        raise ValueError(f"weights of shape {tuple(source.shape)} do not fit {tuple(target.shape)}")
    with torch.no_grad():
        target.copy_(source)


def prepare(frame: Frame) -> NDArray[np.float32]:
    """A frame as the network takes it, shape (224, 224, 3): bilinear between pixel centres, without smoothing.

    Only the pixels that are weighed are touched. Equal to `torch.nn.functional.interpolate` to float noise.
    """
    (rows, down), (columns, right) = (_between(size) for size in frame.shape[:2])
    corners = frame.take(rows, axis=0).take(columns, axis=1).astype(np.float32)
    right, down = right[:, None], down[:, None, None]
    lines = corners[:, :SIDE] * (1 - right) + corners[:, SIDE:] * right
    pixels = lines[:SIDE] * (1 - down) + lines[SIDE:] * down
    return (pixels / np.float32(127.5) - np.float32(1)).astype(np.float32, copy=False)


@lru_cache(64)
def _between(size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Along one axis: the pixels before and those behind each new one, and how near it is to the latter, from 0 to 1."""
    step = np.float64(np.float32(size / SIDE))
    place = np.maximum(((np.arange(SIDE) + 0.5) * step - 0.5).astype(np.float32), np.float32(0))  # rounded once, as torch does
    before = np.minimum(place.astype(np.int64), size - 1)
    return np.concatenate([before, np.minimum(before + 1, size - 1)]), place - before.astype(np.float32)


def build() -> ClipNetwork:
    """The network with its weights."""
    return ClipNetwork(load(weights.arrays("i3d-kinetics-400")), prepare)
