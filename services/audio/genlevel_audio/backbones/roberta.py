"""The text tower of LAION-CLAP: RoBERTa's tokenizer, byte-level pair encoding that keeps case and spaces, and its network."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import regex
import torch
from numpy.typing import NDArray

from genlevel_evaluator.networks import byte_pairs
from genlevel_evaluator.networks.bert import Bert

LENGTH = 77
_HEADS, _EPSILON, _FIRST = 12, 1e-5, 2
_WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


class Tokenizer:
    """Text to numbers, at most 77 with both marks. `vocabulary` is RoBERTa's vocab.json, `merges` GPT-2's merges.txt."""

    def __init__(self, vocabulary: Path, merges: Path) -> None:
        self._numbers: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))
        lines = (line.split() for line in merges.read_text(encoding="utf-8").split("\n") if not line.startswith("#version"))
        self._ranks = {(line[0], line[1]): rank for rank, line in enumerate(line for line in lines if len(line) == 2)}
        self._pieces = functools.lru_cache(maxsize=65_536)(self._split)

    def __call__(self, text: str) -> NDArray[np.int64]:
        """The numbers of a text between the marks `<s>` and `</s>`."""
        found: list[int] = []
        for word in _WORDS.findall(text):
            found += self._pieces(word)
            if len(found) >= LENGTH:
                break
        return np.array([self._numbers["<s>"], *found[: LENGTH - 2], self._numbers["</s>"]], dtype=np.int64)

    def _split(self, word: str) -> tuple[int, ...]:
        unknown = self._numbers["<unk>"]
        return tuple(self._numbers.get(piece, unknown) for piece in byte_pairs.merged(byte_pairs.spelled(word), self._ranks))


class Roberta:
    """Token numbers (n, places) to the pooled state of the first place, (n, 768)."""

    def __init__(self, state: Mapping[str, torch.Tensor]) -> None:
        self._bert = Bert(state, _HEADS, _EPSILON, _FIRST)

    def __call__(self, numbers: torch.Tensor) -> torch.Tensor:
        return self._bert.linear("pooler.dense", self._bert.tokens(numbers)[:, 0]).tanh()
