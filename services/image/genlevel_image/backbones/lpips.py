"""LPIPS 0.1 (Zhang et al. 2018): distance of two pictures in the activations of AlexNet or VGG16, with the published weights of channels.

    lpips = sum over five layers of the mean over places of sum over channels w (a / |a| - b / |b|)^2

The trunks are torchvision's, by the names of its checkpoints; the heads are those of package lpips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_image.backbones.pairs import LARGEST, SMALLEST, Pair

_EPSILON = 1e-10
_MEAN, _DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


@dataclass(frozen=True)
class Trunk:
    """A network of convolutions.

    Attributes:
        weights: entry of the manifest.
        channels: of the layers that are compared.
        ends: place behind each of them.
    """

    weights: str
    channels: tuple[int, ...]
    ends: tuple[int, ...]


TRUNKS = {
    "alex": Trunk("alexnet-imagenet", (64, 192, 384, 256, 256), (2, 5, 8, 10, 12)),
    "vgg": Trunk("vgg16-imagenet", (64, 128, 256, 512, 512), (4, 9, 16, 23, 30)),
}


def alexnet() -> nn.Sequential:
    """AlexNet up to its last convolution."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )


def vgg16() -> nn.Sequential:
    """VGG16 up to its last convolution."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512):
        if not outputs:
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*layers)


class Distance(nn.Module):
    """The distance of two pictures in -1..1, shape (1, 3, height, width)."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.features = alexnet() if name == "alex" else vgg16()
        self.heads = nn.ParameterList([nn.Parameter(torch.zeros(channels)) for channels in TRUNKS[name].channels])
        self._ends = TRUNKS[name].ends
        self.register_buffer("mean", torch.tensor(_MEAN)[None, :, None, None])
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[None, :, None, None])

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        first, second = ((side - self.mean) / self.deviation for side in (first, second))
        total, start = torch.zeros((), device=first.device), 0
        for end, head in zip(self._ends, self.heads, strict=True):
            first, second = (self.features[start:end](side) for side in (first, second))
            difference = _unit(first) - _unit(second)
            total = total + (difference.square_() * head[:, None, None]).sum(dim=1).mean()
            start = end
        return total


def _unit(activations: torch.Tensor) -> torch.Tensor:
    return activations / torch.sqrt(_EPSILON + activations.square().sum(dim=1, keepdim=True))


class LpipsExtractor:
    """Distances of pairs, one after another, so that none depends on its neighbours. No number where the network does not take their size."""

    def __init__(self, model: Distance, name: str) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().to(self._device)
        self._name = name

    def extract(self, values: Sequence[Pair]) -> list[NDArray[np.float64]]:
        """One number a pair at most."""
        with exact():
            return [np.array(self._one(pair)) for pair in values]

    def _one(self, pair: Pair) -> list[float]:
        width, height = pair.reference.size
        if pair.prediction.size != pair.reference.size or min(width, height) < SMALLEST[self._name] or width * height > LARGEST[self._name]:
            return []
        sides = [np.divide(picture.pixels, picture.peak / 2, dtype=np.float32) - 1 for picture in (pair.prediction, pair.reference)]
        tensors = [torch.from_numpy(side).permute(2, 0, 1)[None].contiguous().to(self._device) for side in sides]
        return [float(self._model(*tensors))]


def load(name: str) -> LpipsExtractor:
    """The network with its reference weights."""
    model = Distance(name)
    trunk, heads = (torch.load(weights.path(entry), map_location="cpu", weights_only=True) for entry in (TRUNKS[name].weights, f"lpips-heads-{name}"))
    load_state(model, trunk, heads, name)
    return LpipsExtractor(model, name)


def load_state(model: Distance, trunk: Mapping[str, Any], heads: Mapping[str, Any], name: str) -> None:
    """Loads torchvision's checkpoint, whose classifier is left out, and the heads of package lpips.

    Raises:
        EvaluatorError: FAILED_PRECONDITION, naming what is missing.
    """
    given = {key: value for key, value in trunk.items() if key.startswith("features.")}
    given |= {f"heads.{place}": heads[f"lin{place}.model.1.weight"].reshape(-1) for place in range(5) if f"lin{place}.model.1.weight" in heads}
    wanted = {key: value for key, value in model.state_dict().items() if key not in ("mean", "deviation")}
    lacking = [key for key, value in wanted.items() if key not in given or given[key].shape != value.shape]
    if lacking:
        raise EvaluatorError(
            Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", f"the checkpoints have no {lacking[0]} of the right shape, and lack {len(lacking)} tensors in all",
            f"fetch {TRUNKS[name].weights} and lpips-heads-{name}",
        )
    model.load_state_dict({key: given[key] for key in wanted}, strict=False)
