"""ViCLIP-L/14 (Wang et al. 2024, InternVid, arXiv 2307.06942): a clip of 8 frames and a text to vectors of one space.

Both towers are CLIP's. That of clips looks at the patches of all frames at once, each marked with its place and its time; that of texts has 32
places. Names are those of the authors' checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.networks import clip_image
from genlevel_evaluator.networks.clip import Transformer
from genlevel_evaluator.networks.clip_text import Tokenizer
from genlevel_video.backbones.state import fill, read

WEIGHTS, VOCABULARY = "viclip-l-14", "clip-vocabulary"
FRAMES, PLACES, PIECES = 8, 32, 49_408


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; a head of attention has 64 channels."""

    dimensions: int = 768
    patch: int = 14
    width: int = 1024
    layers: int = 24
    text_width: int = 768
    text_layers: int = 12


class VideoTower(nn.Module):
    """Clips (n, 8, 3, 224, 224) to vectors."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.conv1 = nn.Conv3d(3, width, (1, shape.patch, shape.patch), (1, shape.patch, shape.patch), bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros((clip_image.SIDE // shape.patch) ** 2 + 1, width))
        self.temporal_positional_embedding = nn.Parameter(torch.zeros(1, FRAMES, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, shape.layers, width // 64)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, shape.dimensions))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """What stands at the place of the whole. Patches come place by place, within a place frame by frame; their order has no effect."""
        patches = self.conv1(clips.transpose(1, 2)).flatten(3).permute(0, 3, 2, 1)  # (n, places, frames, width)
        patches = patches + self.positional_embedding[1:, None] + self.temporal_positional_embedding[:, None]
        whole = (self.class_embedding + self.positional_embedding[0]).expand(len(clips), 1, -1)
        x = self.transformer(self.ln_pre(torch.cat([whole, patches.flatten(1, 2)], dim=1)))
        return self.ln_post(x[:, 0]) @ self.proj


class TextTower(nn.Module):
    """Token numbers (n, 32) to vectors: what stands at the end mark, which has the largest number."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.text_width
        self.token_embedding = nn.Embedding(PIECES, width)
        self.positional_embedding = nn.Parameter(torch.zeros(PLACES, width))
        self.transformer = Transformer(width, shape.text_layers, width // 64)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, shape.dimensions))

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Each place sees those before it."""
        mask = torch.full((PLACES, PLACES), float("-inf"), device=numbers.device).triu(1)
        x = self.transformer(self.token_embedding(numbers) + self.positional_embedding, mask)
        return self.ln_final(x)[torch.arange(len(x), device=x.device), numbers.argmax(dim=1)] @ self.text_projection


class ViClip(nn.Module):
    """Both towers; tests make them small."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        shape = shape or Shape()
        self.vision_encoder = VideoTower(shape)
        self.text_encoder = TextTower(shape)


class ViClipVectors:
    """The network behind its preprocessing. Clips and texts go through one by one."""

    def __init__(self, network: ViClip, tokenizer: Tokenizer) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._tokenizer = tokenizer

    def prepare(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A frame as (3, 224, 224)."""
        return clip_image.prepare(frame, "tensor")

    def clip(self, frames: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """The vector of eight prepared frames; not of unit length."""
        return self._run(self._network.vision_encoder, torch.from_numpy(np.stack(frames)))

    def text(self, text: str) -> NDArray[np.float32]:
        """The vector of a text, of which the start mark, the first 30 pieces and the end mark are read."""
        return self._run(self._network.text_encoder, torch.from_numpy(shortened(self._tokenizer(text))))

    def _run(self, tower: nn.Module, values: torch.Tensor) -> NDArray[np.float32]:
        with exact():
            vector: NDArray[np.float32] = tower(values[None].to(self._device))[0].cpu().numpy()
        return vector


def shortened(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """CLIP's 77 places cut to 32; the last is the end mark where the text goes on.

    >>> shortened(np.array([98, *range(1, 60), 99, *[0] * 16]))[[0, 30, 31]].tolist()
    [98, 30, 99]
    """
    result = numbers[:PLACES].copy()
    end = numbers.max()
    if end not in result:
        result[-1] = end
    return result


def load_state(network: ViClip, state: Mapping[str, Any]) -> None:
    """Loads the authors' checkpoint, with or without the key `model` around its tensors, of whatever precision.

    Raises:
        EvaluatorError: it is that of another network.
    """
    tensors = state.get("model", state)
    found = {name: tensor.float() for name, tensor in tensors.items() if name.startswith(("vision_encoder.", "text_encoder."))}
    fill(network, found, WEIGHTS)


def load() -> ViClipVectors:
    """The network with the authors' weights."""
    path, vocabulary = weights.path(WEIGHTS), weights.path(VOCABULARY)
    network = ViClip()
    load_state(network, read(path))
    return ViClipVectors(network, Tokenizer(vocabulary))
