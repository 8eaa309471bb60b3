"""Sound-effects network aiSFX (Ma and Lerch, ISMIR 2022): a CNN of four blocks, 512 features per 2.3 s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from genlevel_audio.audio import Audio
from genlevel_audio.spectrogram import AISFX_RATE, aisfx_blocks
from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact

THREADS = 2
_WIDTHS = (1, 64, 128, 256, 512)
_PREFIX = "embedding_net."
_BATCH = 16


class Block(nn.Module):
    """Two convolutions, each with batch normalisation."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.bn2 = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x))))))


class Network(nn.Module):
    """From blocks (n, 100, 96) to features (n, 512): mean over bands, then the largest over time."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_block1, self.conv_block2, self.conv_block3, self.conv_block4 = (
            Block(before, after) for before, after in pairwise(_WIDTHS)
        )

    def forward(self, blocks: Tensor) -> Tensor:
        x = blocks[:, None]
        for block in (self.conv_block1, self.conv_block2, self.conv_block3):
            x = functional.max_pool2d(block(x), 2)
        return self.conv_block4(x).mean(dim=3).amax(dim=2)


def load_state(path: Path) -> Mapping[str, Tensor]:
    """The tensors of the feature network in the checkpoint (a tuple of weights and class counts)."""
    # The class counts are numpy scalars; everything else a weights-only load already knows.
    scalar = np.float64(0).__reduce__()[0]
    safe = [(scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar"), np.dtype, *{type(np.dtype(c)) for c in "ilfd"}]
    with torch.serialization.safe_globals(safe):
        state, _ = torch.load(path, map_location="cpu", weights_only=True)
    return {name.removeprefix(_PREFIX): tensor for name, tensor in state.items() if name.startswith(_PREFIX)}


class Aisfx:
    """The loaded network."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        torch.set_num_threads(min(THREADS, torch.get_num_threads()))
        self._network = Network()
        self._network.load_state_dict(state, strict=True)
        self._network.eval()

    def extract(self, values: Sequence[Any]) -> list[Any]:
        """Features of each recording, shape (blocks, 512)."""
        return [self._features(value) for value in values]

    def _features(self, audio: Audio) -> np.ndarray[Any, Any]:
        blocks = torch.from_numpy(aisfx_blocks(audio.at(AISFX_RATE)))
        with exact():
            return np.asarray(torch.cat([self._network(part) for part in blocks.split(_BATCH)]).numpy())


def build() -> Aisfx:
    """Loads the weights."""
    return Aisfx(load_state(weights.path("aisfx-cnn9")))
