"""DINO ViT-B/16: a frame of any shape to the vector of its whole. Module names are those of the published checkpoint.

The embedding of places was learnt on 14 x 14 patches. For another grid it is stretched as the original program does: bicubic, by the factor
(n + 0.1) / 14 for n patches, where the tenth was to keep rounding away and moves every sample a little.

Source: Caron et al. 2021, arXiv 2104.14294.
"""

from __future__ import annotations

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

WEIGHTS = "dino-vit-b-16"
WIDTH, HEADS, PATCH, GRID, SHORTER = 768, 12, 16, 14, 224
LONGEST = 4096
"""Most pixels of the longer side once the shorter one is 224: attention grows with its square."""
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)


class Attention(nn.Module):
    """Attention of twelve heads; query, key and value come of one matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.qkv(x).chunk(3, dim=2)
        out: torch.Tensor = self.proj(attended(query, key, value, HEADS))
        return out


class Patches(nn.Module):
    """Patches of 16 x 16 to vectors; what is left over at the right and the bottom is not seen."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, WIDTH, kernel_size=PATCH, stride=PATCH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.proj(x)
        return out


class Dino(nn.Module):
    """Pictures (n, 3, height, width) to vectors (n, 768)."""

    def __init__(self, layers: int = 12) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID * GRID, WIDTH))
        self.patch_embed = Patches()
        self.blocks = nn.ModuleList(Block(WIDTH, 4 * WIDTH, "attn", Attention()) for _ in range(layers))
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.patch_embed(x)
        rows, columns = patches.shape[2:]
        whole = self.cls_token.expand(len(x), -1, -1)
        x = torch.cat([whole, patches.flatten(2).transpose(1, 2)], dim=1) + self.places(rows, columns, square=x.shape[2] == x.shape[3])
        for block in self.blocks:
            x = block(x)
        out: torch.Tensor = self.norm(x)[:, 0]
        return out

    def places(self, rows: int, columns: int, square: bool) -> torch.Tensor:
        """The embedding of places for a grid, shape (1, 1 + rows x columns, 768).

        It is stretched by the tenth for a picture that is not square, though its grid may be.
        """
        if square and rows == columns == GRID:
            return self.pos_embed
        grid = self.pos_embed[:, 1:].reshape(1, GRID, GRID, WIDTH).permute(0, 3, 1, 2)
        scale = ((rows + 0.1) / GRID, (columns + 0.1) / GRID)
        stretched = functional.interpolate(grid, scale_factor=scale, mode="bicubic", align_corners=False, recompute_scale_factor=False)
        return torch.cat([self.pos_embed[:, :1], stretched.permute(0, 2, 3, 1).reshape(1, -1, WIDTH)], dim=1)


def prepare(frame: Frame) -> NDArray[np.float32]:
    """RGB as (3, height, width): shorter side 224, the longer one rounded down, no crop."""
    height, width = frame.shape[:2]
    shorter = min(height, width)
    size = [min(LONGEST, SHORTER if side == shorter else int(SHORTER * side / shorter)) for side in (width, height)]
    values = (resized(frame, size[0], size[1]).astype(np.float32) / np.float32(255.0) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def build() -> TorchFrames:
    """The network with the published weights, over frames."""
    model = Dino()
    load_checked(model, weights.path(WEIGHTS), WEIGHTS)
    return TorchFrames(model, prepare)
