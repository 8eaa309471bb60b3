"""I3D as its ports write it: convolution, batch normalisation, ReLU and padded pools, each torch's own and in torch's own layout.

What ours is timed against: the same weights and values, nothing folded, nothing laid out for speed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_video.backbones.i3d import EPSILON, I3D, Pool, Unit, load, same_padding


class StockUnit(nn.Module):
    """Convolution without bias, batch normalisation without scale, ReLU."""

    def __init__(self, unit: Unit, tensors: Any, name: str) -> None:
        super().__init__()
        kernel = tensors[f"params/{name}/Conv_0/kernel"].transpose(4, 3, 0, 1, 2)
        outputs, inputs = kernel.shape[:2]
        self.kernel, self.stride = unit.kernel, unit.stride
        self.convolution = nn.Conv3d(inputs, outputs, unit.kernel, unit.stride, bias=False)
        self.normal = nn.BatchNorm3d(outputs, eps=EPSILON)
        with torch.no_grad():
            self.convolution.weight.copy_(torch.from_numpy(np.array(kernel, np.float32)))
            self.normal.bias.copy_(_vector(tensors[f"params/{name}/BatchNorm_0/bias"]))
            self.normal.running_mean.copy_(_vector(tensors[f"batch_stats/{name}/BatchNorm_0/mean"]))
            self.normal.running_var.copy_(_vector(tensors[f"batch_stats/{name}/BatchNorm_0/var"]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pads as TensorFlow does."""
        x = functional.pad(x, same_padding(tuple(x.shape[2:]), self.kernel, self.stride))
        return functional.relu(self.normal(self.convolution(x)))


class StockPool(nn.Module):
    """torch's own pool over a padded picture."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.kernel, self.stride = pool.kernel, pool.stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Behind ReLU nothing is below zero, so zeros serve."""
        return functional.max_pool3d(functional.pad(x, same_padding(tuple(x.shape[2:]), self.kernel, self.stride)), self.kernel, self.stride)


def stock() -> I3D:
    """The network with its weights, on the CPU."""
    tensors = weights.arrays("i3d-kinetics-400")
    network = load(tensors)
    for path, module in list(network.named_modules()):
        parent = network.get_submodule(path.rpartition(".")[0])
        if isinstance(module, Pool):
            setattr(parent, path.rpartition(".")[2], StockPool(module))
        elif isinstance(module, Unit):
            name = path.removeprefix("layers.").replace(".branch_", "/Branch_").replace(".", "/")
            setattr(parent, path.rpartition(".")[2], StockUnit(module, tensors, name))
    return network.eval().requires_grad_(False)


def _vector(values: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(values, np.float32).reshape(-1))
