"""CLIP: a picture and a text to vectors of one space. Module names are those of OpenAI's checkpoints; 32-bit arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact, size_on
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.networks import clip_image
from genlevel_evaluator.networks.clip_text import LENGTH, Tokenizer

WEIGHTS = "clip-vit-b-32"
VOCABULARY = "clip-vocabulary"
_WORDS = 49_408


@dataclass(frozen=True)
class Shape:
    """Sizes of both networks; a head of attention has 64 channels.

    Attributes:
        dimensions: of the vectors.
        patch: side of a patch of the picture.
        width: channels of the network of pictures, and `layers` its layers.
        text_width: channels of the network of texts, and `text_layers` its layers.
    """

    dimensions: int
    patch: int
    width: int
    layers: int
    text_width: int
    text_layers: int = 12


VIT_B_32 = Shape(dimensions=512, patch=32, width=768, layers=12, text_width=512)
VIT_L_14 = Shape(dimensions=768, patch=14, width=1024, layers=24, text_width=768)


class QuickGELU(nn.Module):
    """x times the logistic function of 1.702 x: what CLIP was trained with, not the exact GELU."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """Attention, then two layers, each on the normalised sum of what came before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", QuickGELU())
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """Blocks in a row."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads) for _ in range(layers))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class Vision(nn.Module):
    """Pictures (n, 3, 224, 224) to vectors (n, dimensions): patches, 49 or 256, and a place for the whole."""

    def __init__(self, shape: Shape = VIT_B_32) -> None:
        super().__init__()
        width, places = shape.width, (clip_image.SIDE // shape.patch) ** 2 + 1
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(places, width))
        self.proj = nn.Parameter(torch.zeros(width, shape.dimensions))
        self.conv1 = nn.Conv2d(3, width, kernel_size=shape.patch, stride=shape.patch, bias=False)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, shape.layers, width // 64)
        self.ln_post = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        whole = self.class_embedding.expand(len(x), 1, -1)
        x = self.transformer(self.ln_pre(torch.cat([whole, patches], dim=1) + self.positional_embedding))
        return self.ln_post(x[:, 0]) @ self.proj


class Clip(nn.Module):
    """Both networks."""

    def __init__(self, shape: Shape = VIT_B_32) -> None:
        super().__init__()
        width = shape.text_width
        self.positional_embedding = nn.Parameter(torch.zeros(LENGTH, width))
        self.text_projection = nn.Parameter(torch.zeros(width, shape.dimensions))
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.visual = Vision(shape)
        self.transformer = Transformer(width, shape.text_layers, width // 64)
        self.token_embedding = nn.Embedding(_WORDS, width)
        self.ln_final = nn.LayerNorm(width)

    def encode_text(self, numbers: torch.Tensor) -> torch.Tensor:
        """Token numbers (n, 77) to vectors (n, dimensions): what stands at the end mark, which has the largest number."""
        mask = torch.full((LENGTH, LENGTH), float("-inf"), device=numbers.device).triu(1)
        x = self.transformer(self.token_embedding(numbers) + self.positional_embedding, mask)
        x = self.ln_final(x)[torch.arange(len(x), device=x.device), numbers.argmax(dim=1)]
        return x @ self.text_projection


class ClipFeatures:
    """The networks behind their preprocessing.

    Attributes:
        batch: see `VectorNetwork`.
    """

    def __init__(self, model: Clip, tokenizer: Tokenizer, preset: str = "pil") -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().to(self._device)
        self._tokenizer = tokenizer
        self._preset = preset
        self.batch = size_on(self._device)

    def prepare(self, value: NDArray[Any] | str) -> NDArray[Any]:
        """RGB of shape (height, width, 3) as floats, a text as token numbers."""
        return self._tokenizer(value) if isinstance(value, str) else clip_image.prepare(value, self._preset)

    def run(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """The vector of a prepared picture (floats) or text (integers); not of unit length."""
        if prepared.dtype.kind == "f":
            return np.array(self.rows(prepared[None])[0])
        with exact():
            vector: NDArray[np.float32] = self._model.encode_text(torch.from_numpy(prepared)[None].to(self._device))[0].cpu().numpy()
            return vector

    def rows(self, pictures: NDArray[Any]) -> NDArray[np.float32]:
        """The vectors of prepared pictures; not of unit length."""
        with exact():
            vectors: NDArray[np.float32] = self._model.visual(torch.from_numpy(pictures).to(self._device)).cpu().numpy()
            return vectors


def load(preset: str = "pil") -> ClipFeatures:
    """The network with OpenAI's weights.

    Raises:
        EvaluatorError: FAILED_PRECONDITION where the weights or the vocabulary were not fetched, or are those of another network.
    """
    path, vocabulary = weights.path(WEIGHTS), weights.path(VOCABULARY)
    model = Clip()
    load_state(model, read(path))
    return ClipFeatures(model, Tokenizer(vocabulary), preset)


def read(path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of OpenAI's file, which is a TorchScript archive; its program is not run."""
    state: Mapping[str, torch.Tensor] = torch.jit.load(str(path), map_location="cpu").state_dict()
    return state


def load_pictures(entry: str, shape: Shape) -> Vision:
    """The network of pictures alone, with OpenAI's weights.

    Raises:
        EvaluatorError: as `load`.
    """
    model = Vision(shape)
    state = read(weights.path(entry))
    load_state(model, {name.removeprefix("visual."): value for name, value in state.items() if name.startswith("visual.")}, entry)
    return model


def load_state(model: nn.Module, state: Mapping[str, torch.Tensor], entry: str = WEIGHTS) -> None:
    """Loads tensors under OpenAI's names, of half precision there; what else the file holds is left out."""
    wanted = model.state_dict()
    chosen = {name: value.float() for name, value in state.items() if name in wanted and wanted[name].shape == value.shape}
    lacking = [name for name in wanted if name not in chosen]
    if lacking:
        raise EvaluatorError(
            Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", f"the checkpoint has no {lacking[0]} of the right shape, and lacks {len(lacking)} tensors in all",
            f"run `genlevel weights fetch {entry} --allow-url`",
        )
    model.load_state_dict(chosen)
