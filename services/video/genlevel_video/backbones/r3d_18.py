"""R3D-18 (Tran et al. 2018): an 18-layer residual network of 3D convolutions, in torchvision's form and with its names.

The public scorer feeds it 224 x 224 pixels although it was trained on 112 x 112; so does this, to be comparable with it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from genlevel_evaluator import weights
from genlevel_video.backbones.clip_network import SIDE, ClipNetwork
from genlevel_video.backbones.state import fill, read
from genlevel_video.frame_limits import Frame

WEIGHTS = "r3d-18"
MEAN: NDArray[np.float32] = np.array([0.43216, 0.394666, 0.37645], np.float32)
DEVIATION: NDArray[np.float32] = np.array([0.22803, 0.22145, 0.216989], np.float32)


def _convolution(inputs: int, outputs: int, step: int) -> nn.Conv3d:
    return nn.Conv3d(inputs, outputs, 3, step, 1, bias=False)


class Block(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, step: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(_convolution(inputs, outputs, step), nn.BatchNorm3d(outputs), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(_convolution(outputs, outputs, 1), nn.BatchNorm3d(outputs))
        self.downsample = (
            nn.Sequential(nn.Conv3d(inputs, outputs, 1, step, bias=False), nn.BatchNorm3d(outputs))
            if step != 1 or inputs != outputs
            else None
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Residual sum, then ReLU."""
        short = x if self.downsample is None else self.downsample(x)
        return torch.relu_(self.conv2(self.conv1(x)) + short)


class R3D18(nn.Module):
    """Clips (batch, 3, time, height, width) to 512 pooled features."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False), nn.BatchNorm3d(64), nn.ReLU(inplace=True)
        )
        self.layer1 = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))
        self.layer2 = nn.Sequential(Block(64, 128, 2), Block(128, 128, 1))
        self.layer3 = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1))
        self.layer4 = nn.Sequential(Block(256, 512, 2), Block(512, 512, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mean over time and place of the last layer."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return x.mean(dim=(2, 3, 4))


def load(state: dict[str, torch.Tensor]) -> R3D18:
    """The network with weights under torchvision's names; the classifier is left out."""
    network = R3D18()
    fill(network, {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}, WEIGHTS)
    return network


def prepare(frame: Frame) -> NDArray[np.float32]:
    """A frame as the public scorer prepares it, shape (224, 224, 3)."""
    resized = np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    pixels = resized.astype(np.float32) / np.float32(255)
    found: NDArray[np.float32] = (pixels - MEAN) / DEVIATION
    return found


def build() -> ClipNetwork:
    """The network with its weights."""
    return ClipNetwork(load(read(weights.path(WEIGHTS))), prepare)
