"""LAION-CLAP (Wu et al. 2023): recordings and texts to vectors of one space, 512 values. Unfused, HTSAT-tiny and RoBERTa.

The original cuts a window of 10 s out of a longer recording at random; here every window counts, so that a value can be had twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from genlevel_audio.audio import Audio
from genlevel_audio.backbones.roberta import Roberta, Tokenizer
from genlevel_audio.backbones.swin import DEPTHS, Swin
from genlevel_audio.spectrogram import CLAP_RATE, clap_windows
from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact, forward
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import Code, EvaluatorError

WEIGHTS, VOCABULARY, MERGES = "clap-630k-audioset", "roberta-vocabulary", "gpt2-merges"
THREADS = 2
_AUDIO, _TEXT = ("audio_branch.", "audio_projection."), ("text_branch.", "text_projection.")


def _projection() -> nn.Sequential:
    return nn.Sequential(nn.Linear(768, 512), nn.ReLU(), nn.Linear(512, 512))


class Hearing(nn.Module):
    """Log-mels to vectors."""

    def __init__(self, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.audio_branch = Swin(depths)
        self.audio_projection = _projection()

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = self.audio_projection(self.audio_branch(mels))
        return vectors


class Clap:
    """Both towers behind their preprocessing. Windows and texts go through one by one on a processor."""

    def __init__(self, state: Mapping[str, torch.Tensor], tokenizer: Tokenizer, depths: tuple[int, ...] = DEPTHS) -> None:
        torch.set_num_threads(min(THREADS, torch.get_num_threads()))
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._hearing = _loaded(Hearing(depths), state).eval().to(self._device)
        inside = {name.removeprefix("text_branch."): value.float() for name, value in state.items() if name.startswith(_TEXT)}
        self._roberta = Roberta(inside)
        self._last = [(inside[f"text_projection.{layer}.weight"], inside[f"text_projection.{layer}.bias"]) for layer in (0, 2)]
        self._tokenizer = tokenizer

    def extract(self, values: Sequence[Audio | Caption]) -> list[NDArray[np.float32]]:
        """Unit vectors of each value's windows, (windows, 512); a text has one."""
        return self.run([self.prepare(value) for value in values])

    def prepare(self, value: Audio | Caption) -> NDArray[Any]:
        """Token numbers, or log-mels (windows, 1001, 64)."""
        return self._tokenizer(value.text) if isinstance(value, Caption) else clap_windows(value.at(CLAP_RATE))

    def run(self, prepared: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """The same of prepared values."""
        return [self._vectors(torch.from_numpy(one)) for one in prepared]

    def _vectors(self, x: torch.Tensor) -> NDArray[np.float32]:
        with exact():
            vectors = self._heard(x) if x.is_floating_point() else self._read(x[None])
            unit: NDArray[np.float32] = functional.normalize(vectors, dim=1).numpy()
            return unit

    def _heard(self, windows: torch.Tensor) -> torch.Tensor:
        if self._device.type == "cuda":
            return torch.from_numpy(np.stack(forward(self._hearing, list(windows), self._device)))
        return torch.cat([self._hearing(window[None]) for window in windows])

    def _read(self, numbers: torch.Tensor) -> torch.Tensor:
        (first, before), (second, behind) = self._last
        return functional.linear(functional.linear(self._roberta(numbers), first, before).relu(), second, behind)


def tensors(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The tensors of both towers in LAION's file, which was written by parallel training."""
    state = checkpoint.get("state_dict", checkpoint)
    named = {name.removeprefix("module."): value for name, value in state.items()}
    return {name: value for name, value in named.items() if name.startswith(_AUDIO + _TEXT)}


def _loaded(model: Hearing, state: Mapping[str, torch.Tensor]) -> Hearing:
    wanted = model.state_dict()
    chosen = {name: value for name, value in state.items() if name in wanted and wanted[name].shape == value.shape}
    lacking = [name for name in wanted if name not in chosen]
    if lacking:
        raise EvaluatorError(
            Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", f"the checkpoint has no {lacking[0]} of the right shape, and lacks {len(lacking)} tensors in all",
            f"run `genlevel weights fetch {WEIGHTS} --allow-url`",
        )
    model.load_state_dict(chosen)
    return model


def build() -> Clap:
    """The network with LAION's weights."""
    path, vocabulary, merges = (weights.path(name) for name in (WEIGHTS, VOCABULARY, MERGES))
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    return Clap(tensors(checkpoint), Tokenizer(vocabulary, merges))
