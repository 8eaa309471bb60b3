"""Captions into the space of motions: the text side of HumanML3D's evaluator (Guo et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genlevel_evaluator.backbones.batches import exact
from genlevel_three_d.backbones.motion_words import TAGS, WIDTH, Vocabulary, load_vocabulary
from genlevel_three_d.backbones.motions import EvaluatorExtractor, MotionEncoder, checkpoint, load, load_state
from genlevel_three_d.forms.motion import Motion
from genlevel_three_d.forms.motion_texts import MotionTexts


class TextEncoder(MotionEncoder):
    """Words with their tags (n, words, 300 + 15) to one vector each: the tags are turned into words and added, then read as movements are.

    Args:
        sizes: of the word, the GRU and the vector.
    """

    def __init__(self, sizes: tuple[int, int, int] = (WIDTH, 512, 512)) -> None:
        super().__init__(*sizes)
        self.pos_emb = nn.Linear(len(TAGS), sizes[0])

    def forward(self, movements: torch.Tensor) -> torch.Tensor:
        words, tags = movements[..., : -len(TAGS)], movements[..., -len(TAGS) :]
        return super().forward(words + self.pos_emb(tags))


class TextsExtractor:
    """Motions to vectors as ever, and captions to vectors, a row a caption. Each goes through alone."""

    def __init__(self, motions: EvaluatorExtractor, encoder: nn.Module, vocabulary: Vocabulary) -> None:
        self._motions = motions
        self._encoder = encoder.eval().to(motions.device)
        self._vocabulary = vocabulary

    def extract(self, values: Sequence[Motion | MotionTexts]) -> list[NDArray[np.float32]]:
        """The vectors of each value."""
        return [self._rows(value) if isinstance(value, MotionTexts) else self._motions.extract([value])[0] for value in values]

    def _rows(self, texts: MotionTexts) -> NDArray[np.float32]:
        words = [torch.from_numpy(self._vocabulary.rows(caption))[None].to(self._motions.device) for caption in texts.captions]
        with exact():
            return np.concatenate([self._encoder(one).cpu().numpy() for one in words])


def load_with_texts() -> TextsExtractor:
    """Both sides of the evaluator with their reference weights."""
    encoder = TextEncoder()
    load_state(nn.ModuleDict({"text_encoder": encoder}), checkpoint())
    return TextsExtractor(load(), encoder, load_vocabulary())
