"""HTSAT-tiny, the audio tower of LAION-CLAP: a Swin transformer over a spectrogram folded into a picture of 256 x 256.

Names of the tensors are those of LAION's checkpoint.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE, BANDS, WIDTH, WINDOW = 256, 64, 96, 8
DEPTHS, HEADS = (2, 2, 6, 2), (4, 8, 16, 32)
_FOLDS = SIDE // BANDS


class Attention(nn.Module):
    """Attention among the 64 places of a window, with a learnt bias for each distance."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """x: (windows, 64, width); mask: (windows of a picture, 64, 64)."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = query * key.shape[-1] ** -0.5 @ key.transpose(2, 3)
        scores = scores + self.relative_position_bias_table[_distances().to(x.device)].permute(2, 0, 1)
        if mask is not None:
            scores = (scores.unflatten(0, (-1, len(mask))) + mask[:, None].to(x.device)).flatten(0, 1)
        return self.proj((scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention in windows, shifted by half a window in every second block, then two layers."""

    def __init__(self, width: int, heads: int, side: int, shifted: bool) -> None:
        super().__init__()
        self.side, self.shift = side, WINDOW // 2 if shifted and side > WINDOW else 0
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("fc1", nn.Linear(width, 4 * width))
        self.mlp.add_module("act", nn.GELU())
        self.mlp.add_module("fc2", nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        picture = self.norm1(x).unflatten(1, (self.side, self.side))
        rolled = picture.roll((-self.shift, -self.shift), (1, 2)) if self.shift else picture
        attended = self.attn(_windows(rolled), _mask(self.side, self.shift) if self.shift else None)
        whole = _whole(attended, self.side)
        x = x + (whole.roll((self.shift, self.shift), (1, 2)) if self.shift else whole).flatten(1, 2)
        return x + self.mlp(self.norm2(x))


class Merging(nn.Module):
    """Four neighbouring places become one of twice the width."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width)

    def forward(self, x: Tensor) -> Tensor:
        picture = x.unflatten(1, (self.side, self.side))
        corners = [picture[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(corners, dim=-1).flatten(1, 2)))


class Stage(nn.Module):
    """Blocks at one size, and the merging behind them."""

    def __init__(self, number: int, depth: int) -> None:
        super().__init__()
        width, side = WIDTH << number, SIDE // 4 >> number
        self.blocks = nn.ModuleList(Block(width, HEADS[number], side, bool(place % 2)) for place in range(depth))
        self.downsample = Merging(width, side) if number < len(DEPTHS) - 1 else None

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class Swin(nn.Module):
    """Log-mels (n, 1001, 64) to vectors (n, 768): the mean over all places of the last stage."""

    def __init__(self, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.bn0 = nn.BatchNorm2d(BANDS)
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(1, WIDTH, 4, stride=4)
        self.patch_embed.norm = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList(Stage(number, depth) for number, depth in enumerate(depths))
        self.norm = nn.LayerNorm(WIDTH << len(depths) - 1)

    def forward(self, mels: Tensor) -> Tensor:
        x = self.bn0(mels.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)
        patches = self.patch_embed.proj(_picture(x)).flatten(2).transpose(1, 2)
        x = self.patch_embed.norm(patches)
        for layer in self.layers:
            x = layer(x)
        mean: Tensor = self.norm(x).mean(dim=1)
        return mean


def _picture(mels: Tensor) -> Tensor:
    """Four quarters of the time, one above the other: (n, 1, 256, 256), low bands of the first quarter on top."""
    stretched = functional.interpolate(mels[:, None], (SIDE * _FOLDS, BANDS), mode="bicubic", align_corners=True)
    return stretched.unflatten(2, (_FOLDS, SIDE)).transpose(3, 4).flatten(2, 3)


def _windows(picture: Tensor) -> Tensor:
    """(n, side, side, width) to (n * windows, 64, width)."""
    cut = picture.unflatten(2, (-1, WINDOW)).unflatten(1, (-1, WINDOW))
    return cut.transpose(2, 3).flatten(3, 4).flatten(0, 2)


def _whole(windows: Tensor, side: int) -> Tensor:
    """The inverse of `_windows`."""
    count = side // WINDOW
    parts = windows.unflatten(0, (-1, count, count)).unflatten(3, (WINDOW, WINDOW))
    return parts.transpose(2, 3).flatten(3, 4).flatten(1, 2)


@functools.cache
def _distances() -> Tensor:
    """Number of the distance of each two places of a window, (64, 64)."""
    places = torch.stack(torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")).flatten(1)
    rows, columns = places[:, :, None] - places[:, None, :] + WINDOW - 1
    return rows * (2 * WINDOW - 1) + columns


@functools.cache
def _mask(side: int, shift: int) -> Tensor:
    """-100 between places that only the roll made neighbours, (windows, 64, 64)."""
    region = torch.zeros(side, dtype=torch.long)
    region[side - WINDOW : side - shift], region[side - shift :] = 1, 2
    areas = _windows((3 * region[:, None] + region)[None, :, :, None])[..., 0]
    return torch.where(areas[:, :, None] == areas[:, None, :], 0.0, -100.0)
