"""Who speaks: Resemblyzer's network (Wan et al. 2018, GE2E), three layers of LSTM, 256 values a recording."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from genlevel_audio.audio import Audio
from genlevel_audio.spectrogram import SPEECH_RATE, speaker_bands
from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact

THREADS = 2
_FRAMES, _HOP, _STEP = 160, 160, 77
_COVERED = 0.75
"""Share of the last window that must be speech, unless it is the only one."""
_LEVEL = -30.0
_BATCH = 32


class Network(nn.Module):
    """Bands (n, 160, 40) to unit vectors (n, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(bands)
        return functional.normalize(self.linear(hidden[-1]).relu(), dim=1)


class Speaker:
    """The loaded network."""

    def __init__(self, state: Mapping[str, torch.Tensor]) -> None:
        torch.set_num_threads(min(THREADS, torch.get_num_threads()))
        self._network = Network()
        wanted = self._network.state_dict()
        self._network.load_state_dict({name: state[name] for name in wanted})
        self._network.eval()

    def extract(self, values: Sequence[Audio]) -> list[NDArray[np.float32]]:
        """The unit vector of each recording, (256,)."""
        return [self._vector(raised(value.at(SPEECH_RATE))) for value in values]

    def _vector(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        starts = window_starts(len(samples))
        bands = speaker_bands(np.pad(samples, (0, max(0, (starts[-1] + _FRAMES) * _HOP - len(samples)))))
        parts = torch.from_numpy(np.stack([bands[start : start + _FRAMES] for start in starts]))
        with exact():
            vectors = torch.cat([self._network(part) for part in parts.split(_BATCH)])
            unit: NDArray[np.float32] = functional.normalize(vectors.mean(dim=0), dim=0).numpy()
            return unit


def raised(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Quiet sound brought up to -30 dB of full scale; louder sound as it is."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    gain = 10.0 ** (_LEVEL / 20.0) / math.sqrt(power) if power > 0 else 1.0
    return np.asarray(samples * np.float32(max(1.0, gain)), dtype=np.float32)


def window_starts(count: int) -> list[int]:
    """First frames of windows of 1.6 s, 1.3 a second, over so many samples.

    >>> window_starts(16_000), window_starts(32_000)
    ([0], [0, 77])
    """
    frames = math.ceil((count + 1) / _HOP)
    starts = list(range(0, max(1, frames - _FRAMES + _STEP + 1), _STEP))
    covered = (count - starts[-1] * _HOP) / (_FRAMES * _HOP)
    return starts[:-1] if covered < _COVERED and len(starts) > 1 else starts


def build() -> Speaker:
    """The network that the package ships."""
    checkpoint = torch.load(weights.path("resemblyzer"), map_location="cpu", weights_only=True)
    return Speaker(checkpoint["model_state"])
