"""EfficientNet-Lite0, trained on ImageNet: no squeeze-and-excitation, ReLU6, padded as TensorFlow pads. Module names are those of the checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import GPU_BATCH, exact
from genlevel_evaluator.networks import check_proportion

WEIGHTS = "efficientnet-lite0"
DIMENSIONS = 1280
_SIDE, _SHORTER = 224, 256
_EPSILON = 1e-3
# (blocks, kernel, stride of the first, expansion, channels) of each stage
_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))


class SameConvolution(nn.Conv2d):
    """Convolution whose padding, where it is odd, has the larger half at the bottom and right."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(reversed(x.shape[2:]), reversed(self.kernel_size), reversed(self.stride), strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(x, pads))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


class Block(nn.Module):
    """Widen, filter each channel, narrow; with a way past where nothing changes its shape."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self._past = stride == 1 and inputs == outputs
        self._expand_conv = SameConvolution(inputs, inner, 1, bias=False) if expansion > 1 else None
        self._bn0 = _norm(inner) if expansion > 1 else None
        self._depthwise_conv = SameConvolution(inner, inner, kernel, stride=stride, groups=inner, bias=False)
        self._bn1 = _norm(inner)
        self._project_conv = SameConvolution(inner, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        if self._expand_conv is not None and self._bn0 is not None:
            y = functional.relu6(self._bn0(self._expand_conv(y)))
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self._past else y


class Lite0(nn.Module):
    """Pictures (n, 3, 224, 224) to pooled features (n, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConvolution(3, 32, 3, stride=2, bias=False)
        self._bn0 = _norm(32)
        blocks, inputs = [], 32
        for count, kernel, stride, expansion, outputs in _STAGES:
            for place in range(count):
                blocks.append(Block(inputs, outputs, kernel, stride if place == 0 else 1, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SameConvolution(inputs, DIMENSIONS, 1, bias=False)
        self._bn1 = _norm(DIMENSIONS)
        self._fc = nn.Linear(DIMENSIONS, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3))

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Pooled features to the scores of the 1,000 classes."""
        scores: torch.Tensor = self._fc(features)
        return scores


class Lite0Features:
    """The network behind its preprocessing.

    Attributes:
        batch: see `VectorNetwork`. On processors a batch takes as long as its pictures alone.
    """

    def __init__(self, model: Lite0) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().to(self._device)
        self.batch = GPU_BATCH if self._device.type == "cuda" else 1

    def prepare(self, value: NDArray[Any] | str) -> NDArray[Any]:
        """RGB of shape (height, width, 3) as the network takes it; it knows no texts."""
        if isinstance(value, str):
            raise TypeError("EfficientNet-Lite0 looks at pictures only")
        return prepare(value)

    def run(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """The pooled features of a prepared picture."""
        return np.array(self.rows(prepared[None])[0])

    def rows(self, pictures: NDArray[Any]) -> NDArray[np.float32]:
        """The pooled features of prepared pictures."""
        with exact():
            pooled: NDArray[np.float32] = self._pooled(pictures).cpu().numpy()
            return pooled

    def classes(self, prepared: NDArray[Any]) -> NDArray[np.float64]:
        """The share each class of ImageNet has of a prepared picture."""
        return np.array(self.class_rows(prepared[None])[0])

    def class_rows(self, pictures: NDArray[Any]) -> NDArray[np.float64]:
        """The same of each of a batch."""
        with exact():
            scores = self._model.classify(self._pooled(pictures))
            shares: NDArray[np.float64] = scores.double().softmax(dim=1).cpu().numpy()
            return shares

    def _pooled(self, pictures: NDArray[Any]) -> torch.Tensor:
        pooled: torch.Tensor = self._model(torch.from_numpy(pictures).to(self._device))
        return pooled


def prepare(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """RGB as (3, 224, 224): shorter side 256 with Pillow's bicubic kernel, centre crop, (x - 127) / 128."""
    from PIL import Image

    check_proportion(pixels)
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    height, width = pixels.shape[:2]
    shorter = min(width, height)
    size = (max(_SHORTER, _SHORTER * width // shorter), max(_SHORTER, _SHORTER * height // shorter))
    resized = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    top, left = (size[1] - _SIDE) // 2, (size[0] - _SIDE) // 2
    crop = resized[top : top + _SIDE, left : left + _SIDE].astype(np.float32)
    return np.ascontiguousarray(((crop - np.float32(127.0)) / np.float32(128.0)).transpose(2, 0, 1))


def load() -> Lite0Features:
    """The network with the weights its package ships."""
    path = weights.path(WEIGHTS)
    model = Lite0()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return Lite0Features(model)
