"""What networks of patches share: attention of several heads, and blocks that normalise first.

Names of parameters are those of a checkpoint, so each network brings its own attention, under the name that it has there.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

EPSILON = 1e-6
"""Of all normalisations."""


def attended(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int) -> torch.Tensor:
    """Attention of so many heads, each over its part of the channels; all shapes are (n, places, channels)."""
    parts = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    return functional.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)


class Mlp(nn.Module):
    """Two layers with GELU between."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """Attention, then two layers, each on what was normalised and added to what came before.

    Args:
        width: channels.
        inner: channels between the two layers.
        name: of the attention in the checkpoint.
        attention: (n, places, width) to the same shape.
    """

    def __init__(self, width: int, inner: int, name: str, attention: nn.Module) -> None:
        super().__init__()
        self._name = name
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.add_module(name, attention)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = Mlp(width, inner)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.get_submodule(self._name)(self.norm1(x))
        out: torch.Tensor = x + self.mlp(self.norm2(x))
        return out
