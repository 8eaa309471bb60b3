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
from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.networks.bert import Bert
from genlevel_evaluator.networks.wordpiece import WordPiece
from genlevel_evaluator.weights import tensors

WEIGHTS = "minilm-l6-v2"
DIMENSIONS = 384
_HEADS, _EPSILON = 12, 1e-12


class SentenceVectors:
    """The network behind its tokenizer; texts go through one by one."""

    def __init__(self, state: Mapping[str, torch.Tensor], tokenizer: WordPiece) -> None:
        self._bert = Bert(state, _HEADS, _EPSILON)
        self._tokenizer = tokenizer

    def prepare(self, value: NDArray[Any] | str) -> NDArray[Any]:
        """A text as token numbers; the network knows no pictures."""
        if not isinstance(value, str):
            raise TypeError("MiniLM reads texts only")
        return np.array(self._tokenizer(value), dtype=np.int64)

    def run(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """The vector of a prepared text, of unit length."""
        with exact():
            vector: NDArray[np.float32] = functional.normalize(self._bert.tokens(torch.from_numpy(prepared)[None])[0].mean(dim=0), dim=0).numpy()
            return vector


def load() -> SentenceVectors:
    """The network with the weights its package ships."""
    folder: Path = weights.path(WEIGHTS)
    arrays = tensors.read(folder / "model.safetensors")
    state = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    return SentenceVectors(state, WordPiece(folder / "vocab.txt"))
