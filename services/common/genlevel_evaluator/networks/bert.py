"""BERT's layers as plain functions of a checkpoint's tensors: MiniLM and RoBERTa."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional


class Bert:
    """The network up to its last layer.

    Args:
        state: tensors under the names of the published checkpoints, from `embeddings.` and `encoder.layer.` on.
        heads: of each attention.
        epsilon: of the normalisations.
        first: number of the position of the first token; RoBERTa counts from 2.
    """

    def __init__(self, state: Mapping[str, torch.Tensor], heads: int, epsilon: float, first: int = 0) -> None:
        self.state = dict(state)
        self._heads, self._epsilon, self._first = heads, epsilon, first
        self._layers = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layer."))

    def tokens(self, numbers: torch.Tensor) -> torch.Tensor:
        """Token numbers (n, places) to states (n, places, width)."""
        state, last = self.state, self._first + numbers.shape[1]
        x = state["embeddings.word_embeddings.weight"][numbers] + state["embeddings.position_embeddings.weight"][self._first : last]
        x = self._norm("embeddings", x + state["embeddings.token_type_embeddings.weight"][0])
        for number in range(self._layers):
            layer = f"encoder.layer.{number}"
            x = self._norm(f"{layer}.attention.output", x + self.linear(f"{layer}.attention.output.dense", self._attended(layer, x)))
            inner = functional.gelu(self.linear(f"{layer}.intermediate.dense", x))
            x = self._norm(f"{layer}.output", x + self.linear(f"{layer}.output.dense", inner))
        return x

    def _attended(self, layer: str, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            self.linear(f"{layer}.attention.self.{name}", x).unflatten(2, (self._heads, -1)).transpose(1, 2) for name in ("query", "key", "value")
        )
        shares = (query @ key.transpose(2, 3) / key.shape[-1] ** 0.5).softmax(dim=-1)
        return (shares @ value).transpose(1, 2).flatten(2)

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """A linear layer of the checkpoint."""
        return functional.linear(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        scale = self.state[f"{name}.LayerNorm.weight"]
        return functional.layer_norm(x, scale.shape, scale, self.state[f"{name}.LayerNorm.bias"], self._epsilon)
