"""MUSIQ: quality of a picture of any size, 0 to 100. Module names are those of the checkpoints as pyiqa publishes them.

The picture is looked at three times, with its longer side at 224 and 384 pixels and as it is. Each time it is cut into patches of 32 x 32, every
patch goes through a small residual network, and a patch knows its scale and, of a grid of 10 x 10 laid over the picture, its cell. A transformer
looks at all patches together.

Source: Ke et al. 2021, arXiv 2108.05997. The bicubic resizing without antialiasing is that of pyiqa, with which published numbers are made; the
paper's own program resizes with a Gaussian.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_video.backbones.state import load_checked
from genlevel_video.backbones.torch_frames import TorchFrames, resized
from genlevel_video.backbones.transformer import EPSILON, Block, attended
from genlevel_video.frames import Frame

PATCH, CELLS, SCALES = 32, 10, (224, 384)
STEM, WIDTH, INNER, HEADS, LAYERS = 64, 384, 1152, 6, 14
_STEM_BATCH = 256
"""Patches in the stem at a time: a frame of 8K has 32,400."""


def _same(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Zeros around, so that a side of n becomes ceil(n / stride); of an odd number the larger half stands below and right."""
    pads: list[int] = []
    for side in (x.shape[3], x.shape[2]):
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads)


class StandardisedConvolution(nn.Conv2d):
    """Convolution whose filters are brought to mean 0 and deviation 1 first."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        deviation, mean = torch.std_mean(self.weight, dim=(1, 2, 3), keepdim=True)
        padded = _same(x, self.kernel_size[0], self.stride[0])
        return functional.conv2d(padded, (self.weight - mean) / (deviation + 1e-5), self.bias, self.stride)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> StandardisedConvolution:
    return StandardisedConvolution(inputs, outputs, kernel, stride, bias=False)


class Bottleneck(nn.Module):
    """Three convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = _convolution(inputs, inputs, 1)
        self.gn1 = nn.GroupNorm(32, inputs, eps=1e-4)
        self.conv2 = _convolution(inputs, inputs, 3)
        self.gn2 = nn.GroupNorm(32, inputs, eps=1e-4)
        self.conv3 = _convolution(inputs, outputs, 1)
        self.gn3 = nn.GroupNorm(32, outputs, eps=1e-4)
        self.conv_proj = _convolution(inputs, outputs, 1)
        self.gn_proj = nn.GroupNorm(32, outputs, eps=1e-4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.gn1(self.conv1(x)))
        y = self.gn3(self.conv3(functional.relu(self.gn2(self.conv2(y)))))
        return functional.relu(y + self.gn_proj(self.conv_proj(x)))


class Attention(nn.Module):
    """Attention of six heads."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.out(attended(self.query(x), self.key(x), self.value(x), HEADS))
        return out


class Cells(nn.Module):
    """A vector for each cell of the grid."""

    def __init__(self) -> None:
        super().__init__()
        self.position_emb = nn.Parameter(torch.zeros(1, CELLS * CELLS, WIDTH))


class Scales(nn.Module):
    """A vector for each scale."""

    def __init__(self) -> None:
        super().__init__()
        self.scale_emb = nn.Parameter(torch.zeros(len(SCALES) + 1, WIDTH))


class Encoder(nn.Module):
    """Vectors of patches (1, n, 384), their cells and their scales to the vector of the whole (1, 384)."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.posembed_input = Cells()
        self.scaleembed_input = Scales()
        self.cls = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.encoder_norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.transformer = nn.ModuleDict({f"encoderblock_{place}": Block(WIDTH, INNER, "attention", Attention()) for place in range(layers)})

    def forward(self, x: torch.Tensor, cells: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
        x = x + self.posembed_input.position_emb[0, cells] + self.scaleembed_input.scale_emb[scales]
        x = torch.cat([self.cls, x], dim=1)
        for block in self.transformer.values():
            x = block(x)
        out: torch.Tensor = self.encoder_norm(x[:, 0])
        return out


class Musiq(nn.Module):
    """One picture (1, 3, height, width) in -1..1 to its score (1, 1)."""

    def __init__(self, layers: int = LAYERS) -> None:
        super().__init__()
        self.conv_root = _convolution(3, STEM, 7, 2)
        self.gn_root = nn.GroupNorm(32, STEM, eps=1e-6)
        self.block1 = Bottleneck(STEM, 4 * STEM)
        self.embedding = nn.Linear(4 * STEM * (PATCH // 4) ** 2, WIDTH)
        self.transformer_encoder = Encoder(layers)
        self.head = nn.Linear(WIDTH, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches, cells, scales = looks(x)
        vectors = torch.cat([self._vectors(part) for part in patches.split(_STEM_BATCH)])
        out: torch.Tensor = self.head(self.transformer_encoder(vectors[None], cells, scales))
        return out

    def _vectors(self, patches: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.gn_root(self.conv_root(patches)))
        y = self.block1(functional.max_pool2d(_same(y, 3, 2), 3, 2))
        out: torch.Tensor = self.embedding(y.permute(0, 2, 3, 1).flatten(1))  # channels last, as the network was trained
        return out


def looks(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Patches (n, 3, 32, 32) of all three looks at a picture, the cell and the scale of each."""
    height, width = x.shape[2:]
    found = []
    for scale, longer in enumerate(SCALES):
        ratio = longer / max(height, width)
        size = (max(1, round(height * ratio)), max(1, round(width * ratio)))
        found.append(_cut(functional.interpolate(x, size, mode="bicubic", align_corners=False), scale))
    found.append(_cut(x, len(SCALES)))
    patches, cells, scales = (torch.cat(parts) for parts in zip(*found, strict=True))
    return patches, cells, scales


def _cut(x: torch.Tensor, scale: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows, columns = (math.ceil(side / PATCH) for side in x.shape[2:])
    patches = functional.unfold(_same(x, PATCH, PATCH), PATCH, stride=PATCH)[0].T.reshape(-1, 3, PATCH, PATCH)
    cells = _cells(rows, x.device)[:, None] * CELLS + _cells(columns, x.device)[None]
    return patches, cells.flatten(), torch.full((rows * columns,), scale, device=x.device)


def _cells(count: int, device: torch.device) -> torch.Tensor:
    """The cell of each of `count` patches in a row: the nearest below, as torch computes it."""
    line = torch.arange(CELLS, dtype=torch.float32, device=device)[None, None]
    return functional.interpolate(line, count, mode="nearest")[0, 0].long()


def prepare(frame: Frame) -> NDArray[np.float32]:
    """RGB as (3, height, width) in -1..1."""
    return np.ascontiguousarray(((frame.astype(np.float32) / np.float32(255.0) - np.float32(0.5)) * np.float32(2.0)).transpose(2, 0, 1))


def prepare_512(frame: Frame) -> NDArray[np.float32]:
    """The same, with a longer side of more than 512 shrunk to 512 first."""
    return prepare(at_most_512(frame))


def at_most_512(frame: Frame) -> Frame:
    """The frame with its longer side at most 512: bilinear without antialiasing, sides rounded down."""
    height, width = frame.shape[:2]
    if max(height, width) <= 512:
        return frame
    scale = 512.0 / max(height, width)
    return resized(frame, max(1, int(scale * width)), max(1, int(scale * height)))


def build(entry: str) -> TorchFrames:
    """The network with the published weights of that entry, over frames one by one."""
    model = Musiq()
    load_checked(model, weights.path(entry), entry)
    return TorchFrames(model, prepare_512 if entry == "musiq-spaq" else prepare, size=1)
