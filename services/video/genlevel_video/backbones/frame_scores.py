"""What scores a frame by itself and is no large network: NIQE, colourfulness, and the aesthetic head on CLIP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_evaluator.networks import clip, clip_image
from genlevel_video.backbones.musiq import at_most_512
from genlevel_video.backbones.state import load_checked
from genlevel_video.backbones.torch_frames import TorchFrames
from genlevel_video.frames import BatchedFrames, ClipExtractor, Frame, Sampling
from genlevel_video.measures.colours import colourfulness
from genlevel_video.measures.niqe import Model

CLIP, HEAD = "clip-vit-l-14", "laion-aesthetic-linear"


class ScoredFrames(BatchedFrames):
    """A number for every frame."""

    sampling = Sampling("all")
    size = 1

    def __init__(self, score: Callable[[Frame], float]) -> None:
        self._score = score

    def prepare(self, frame: Frame) -> NDArray[np.float32]:
        """The number; nothing is left for a network."""
        return np.array([self._score(frame)], dtype=np.float32)

    def forward(self, batch: NDArray[Any]) -> NDArray[Any]:
        """What `prepare` made."""
        return batch


class Aesthetic(nn.Module):
    """Pictures (n, 3, 224, 224) to scores (n, 1): one linear layer on CLIP's vectors of length one."""

    def __init__(self, pictures: clip.Vision, head: nn.Linear) -> None:
        super().__init__()
        self.pictures = pictures
        self.head = head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(functional.normalize(self.pictures(x), dim=-1))
        return out


def aesthetic() -> ClipExtractor:
    """CLIP ViT-L/14 and LAION's head with their weights."""
    head = nn.Linear(clip.VIT_L_14.dimensions, 1)
    load_checked(head, weights.path(HEAD), HEAD)
    network = Aesthetic(clip.load_pictures(CLIP, clip.VIT_L_14), head)
    return ClipExtractor(TorchFrames(network, lambda frame: clip_image.prepare(frame, "tensor")))


def niqe(name: str) -> ClipExtractor:
    """NIQE of frames as they are, or of at most 512 pixels a side."""
    model = Model(weights.path("niqe-pristine"))
    seen: Mapping[str, Callable[[Frame], Frame]] = {"niqe": lambda frame: frame, "niqe.512": at_most_512}
    return ClipExtractor(ScoredFrames(lambda frame: model.distance(seen[name](frame))))


def colours() -> ClipExtractor:
    """Colourfulness of frames."""
    return ClipExtractor(ScoredFrames(colourfulness))
