"""VGGish (Hershey et al. 2017): the reference network of FAD, 128 values per 0.96 s before the last ReLU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genlevel_audio.audio import Audio
from genlevel_audio.spectrogram import VGGISH_RATE, vggish_blocks
from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact

THREADS = 2
_LAYERS = (64, None, 128, None, 256, 256, None, 512, 512, None)
_BATCH = 16


def _convolutions() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 1
    for width in _LAYERS:
        if width is None:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
    return nn.Sequential(*layers)


class Network(nn.Module):
    """From windows (n, 96, 64) to embeddings (n, 128); names of the tensors are those of torchvggish."""

    def __init__(self) -> None:
        super().__init__()
        self.features = _convolutions()
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 6 * 4, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128)
        )

    def forward(self, windows: Tensor) -> Tensor:
        x = self.features(windows[:, None])
        # TensorFlow flattens channels last.
        embeddings: Tensor = self.embeddings(x.permute(0, 2, 3, 1).flatten(1))
        return embeddings


class Vggish:
    """The loaded network."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        torch.set_num_threads(min(THREADS, torch.get_num_threads()))
        with torch.device("meta"):
            self._network = Network()
        self._network.load_state_dict(state, strict=True, assign=True)
        self._network.eval()

    def extract(self, values: Sequence[Any]) -> list[Any]:
        """Embeddings of each recording, shape (windows, 128)."""
        return [self._embeddings(value) for value in values]

    def _embeddings(self, audio: Audio) -> np.ndarray[Any, Any]:
        windows = torch.from_numpy(vggish_blocks(audio.at(VGGISH_RATE)))
        with exact():
            return np.asarray(torch.cat([self._network(part) for part in windows.split(_BATCH)]).numpy())


def build() -> Vggish:
    """Loads the weights."""
    return Vggish(torch.load(weights.path("vggish"), map_location="cpu", weights_only=True))
