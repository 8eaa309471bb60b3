"""Sentence vectors of all-MiniLM-L6-v2: BERT of six layers, the mean of its tokens, unit length."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_evaluator.networks.wordpiece import WordPiece
from genlevel_evaluator.weights import tensors

WEIGHTS = "minilm-l6-v2"
DIMENSIONS = 384
_HEADS, _EPSILON = 12, 1e-12


class SentenceVectors:
    """The network behind its tokenizer; texts go through one by one."""

    def __init__(self, state: Mapping[str, torch.Tensor], tokenizer: WordPiece) -> None:
        self._state = dict(state)
        self._layers = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layer."))
        self._tokenizer = tokenizer

    def prepare(self, value: NDArray[Any] | str) -> NDArray[Any]:
        """A text as token numbers; the network knows no pictures."""
        if not isinstance(value, str):
            raise TypeError("MiniLM reads texts only")
        return np.array(self._tokenizer(value), dtype=np.int64)

    def run(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """The vector of a prepared text, of unit length."""
        with torch.inference_mode():
            vector: NDArray[np.float32] = functional.normalize(self._tokens(torch.from_numpy(prepared)[None])[0].mean(dim=0), dim=0).numpy()
            return vector

    def _tokens(self, numbers: torch.Tensor) -> torch.Tensor:
        state = self._state
        x = state["embeddings.word_embeddings.weight"][numbers] + state["embeddings.position_embeddings.weight"][: numbers.shape[1]]
        x = self._norm("embeddings", x + state["embeddings.token_type_embeddings.weight"][0])
        for number in range(self._layers):
            layer = f"encoder.layer.{number}"
            x = self._norm(f"{layer}.attention.output", x + self._linear(f"{layer}.attention.output.dense", self._attended(layer, x)))
            inner = functional.gelu(self._linear(f"{layer}.intermediate.dense", x))
            x = self._norm(f"{layer}.output", x + self._linear(f"{layer}.output.dense", inner))
        return x

    def _attended(self, layer: str, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            self._linear(f"{layer}.attention.self.{name}", x).unflatten(2, (_HEADS, -1)).transpose(1, 2) for name in ("query", "key", "value")
        )
        shares = (query @ key.transpose(2, 3) / key.shape[-1] ** 0.5).softmax(dim=-1)
        return (shares @ value).transpose(1, 2).flatten(2)

    def _linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self._state[f"{name}.weight"], self._state[f"{name}.bias"])

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        scale = self._state[f"{name}.LayerNorm.weight"]
        return functional.layer_norm(x, scale.shape, scale, self._state[f"{name}.LayerNorm.bias"], _EPSILON)


def load() -> SentenceVectors:
    """The network with the weights its package ships."""
    folder: Path = weights.path(WEIGHTS)
    arrays = tensors.read(folder / "model.safetensors")
    state = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    return SentenceVectors(state, WordPiece(folder / "vocab.txt"))
