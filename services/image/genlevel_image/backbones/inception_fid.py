"""The Inception network of FID: the TensorFlow graph of 2015, its average pooling blind to padding and its last block pooled by maximum.

Module names are those of the state dictionary pt_inception-2015-12-05. The stand-in weights come from the Keras form of the same
graph; there the last block is pooled by the mean, as those weights were trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_evaluator.backbones import batches
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_image.backbones import resize
from genlevel_image.media import Picture

_BATCH_NORM_EPSILON = 1e-3
Size = int | tuple[int, int]


class Convolution(nn.Module):
    """Convolution without bias, batch normalisation, rectifier."""

    def __init__(self, inputs: int, outputs: int, kernel: Size, stride: int = 1, padding: Size = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=_BATCH_NORM_EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.bn(self.conv(x)))


def _mean_pool(x: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _max_pool(x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


class BlockA(nn.Module):
    """35 x 35: 1x1, 5x5, two 3x3, pooling."""

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(inputs, 64, 1)
        self.branch5x5_1 = Convolution(inputs, 48, 1)
        self.branch5x5_2 = Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, padding=1)
        self.branch_pool = Convolution(inputs, pooled, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, self.branch_pool(_mean_pool(x))], 1)


class BlockB(nn.Module):
    """35 x 35 to 17 x 17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = Convolution(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, functional.max_pool2d(x, 3, stride=2)], 1)


class BlockC(nn.Module):
    """17 x 17: 7x7 in factors, once and twice."""

    def __init__(self, inputs: int, inner: int) -> None:
        super().__init__()
        wide: dict[str, Any] = {"kernel": (1, 7), "padding": (0, 3)}
        tall: dict[str, Any] = {"kernel": (7, 1), "padding": (3, 0)}
        self.branch1x1 = Convolution(inputs, 192, 1)
        self.branch7x7_1 = Convolution(inputs, inner, 1)
        self.branch7x7_2 = Convolution(inner, inner, **wide)
        self.branch7x7_3 = Convolution(inner, 192, **tall)
        self.branch7x7dbl_1 = Convolution(inputs, inner, 1)
        self.branch7x7dbl_2 = Convolution(inner, inner, **tall)
        self.branch7x7dbl_3 = Convolution(inner, inner, **wide)
        self.branch7x7dbl_4 = Convolution(inner, inner, **tall)
        self.branch7x7dbl_5 = Convolution(inner, 192, **wide)
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(_mean_pool(x))], 1)


class BlockD(nn.Module):
    """17 x 17 to 8 x 8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = Convolution(inputs, 192, 1)
        self.branch3x3_2 = Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Convolution(inputs, 192, 1)
        self.branch7x7x3_2 = Convolution(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Convolution(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Convolution(192, 192, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, functional.max_pool2d(x, 3, stride=2)], 1)


class BlockE(nn.Module):
    """8 x 8: 3x3 in parallel factors; the pooling is by maximum in the last block of FID's graph."""

    def __init__(self, inputs: int, maximum: bool) -> None:
        super().__init__()
        self.pool = _max_pool if maximum else _mean_pool
        self.branch1x1 = Convolution(inputs, 320, 1)
        self.branch3x3_1 = Convolution(inputs, 384, 1)
        self.branch3x3_2a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Convolution(inputs, 448, 1)
        self.branch3x3dbl_2 = Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [self.branch1x1(x), self.branch3x3_2a(single), self.branch3x3_2b(single)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(self.pool(x))]
        return torch.cat(parts, 1)


class InceptionFeatures(nn.Module):
    """From pictures (n, 3, 299, 299) in the range of the weights to the features of the last pooling (n, 2048)."""

    def __init__(self, last_pool_maximum: bool = True) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.Mixed_5b = BlockA(192, 32)
        self.Mixed_5c = BlockA(256, 64)
        self.Mixed_5d = BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(768, 128)
        self.Mixed_6c = BlockC(768, 160)
        self.Mixed_6d = BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b = BlockE(1280, maximum=False)
        self.Mixed_7c = BlockE(2048, maximum=last_pool_maximum)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(functional.max_pool2d(x, 3, stride=2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(functional.max_pool2d(x, 3, stride=2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))


class InceptionExtractor:
    """The network behind a preset. Pictures go through in batches of one size, so that features do not depend on their neighbours."""

    def __init__(self, model: InceptionFeatures, preset: str, unit_range: bool) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().to(self._device)
        self._preset = preset
        self._unit_range = unit_range

    def extract(self, values: Sequence[Picture]) -> list[NDArray[np.float32]]:
        """One row of 2,048 features a picture."""
        return self.run([self.prepare(picture) for picture in values])

    def prepare(self, value: Picture) -> torch.Tensor:
        """A picture as the network takes it, shape (3, 299, 299)."""
        return resize.prepare(value, self._preset, self._unit_range)[0]

    def run(self, prepared: Sequence[torch.Tensor]) -> list[NDArray[np.float32]]:
        """The same for prepared pictures."""
        return batches.forward(self._model, prepared, self._device)


def load(network: str, preset: str) -> InceptionExtractor:
    """The network of that name with its weights."""
    if network == "inception-2015":
        model = InceptionFeatures()
        load_state(model, torch.load(weights.path("pt-inception-2015-12-05"), map_location="cpu", weights_only=True))
        return InceptionExtractor(model, preset, unit_range=False)
    model = InceptionFeatures(last_pool_maximum=False)
    load_keras(model, weights.arrays("inception-v3-nsfwjs"))
    return InceptionExtractor(model, preset, unit_range=True)


def load_state(model: InceptionFeatures, state: Mapping[str, torch.Tensor]) -> None:
    """Loads a state dictionary in the form of pt_inception-2015-12-05; its classifier is left out.

    Raises:
        EvaluatorError: FAILED_PRECONDITION, naming what is missing.
    """
    wanted = model.state_dict()
    chosen = {name: value for name, value in state.items() if name in wanted and wanted[name].shape == value.shape}
    lacking = [name for name in wanted if name not in chosen and not name.endswith("num_batches_tracked")]
    if lacking:
        raise EvaluatorError(
            Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", f"the checkpoint has no {lacking[0]} of the right shape, and lacks {len(lacking)} tensors in all",
            "fetch pt_inception-2015-12-05",
        )
    model.load_state_dict(chosen, strict=False)


def load_keras(model: InceptionFeatures, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Loads Keras' InceptionV3, whose convolutions are numbered in the order of the graph and have no batch normalisation scale."""
    state: dict[str, torch.Tensor] = {}
    units = [name for name, module in model.named_modules() if isinstance(module, Convolution)]
    for number, unit in enumerate(units, start=1):
        norm = f"batch_normalization_{number}"
        kernel = arrays[f"conv2d_{number}/kernel"].transpose(3, 2, 0, 1)
        state[f"{unit}.conv.weight"] = torch.from_numpy(np.array(kernel))
        state[f"{unit}.bn.weight"] = torch.ones(kernel.shape[0])
        for ours, theirs in (("bias", "beta"), ("running_mean", "moving_mean"), ("running_var", "moving_variance")):
            state[f"{unit}.bn.{ours}"] = torch.from_numpy(np.array(arrays[f"{norm}/{theirs}"]))
    load_state(model, state)
