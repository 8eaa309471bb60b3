"""RAFT (Teed and Deng 2020, arXiv 2003.12039), the large network: where every pixel of one picture went in another.

Module names are those of torchvision's `raft_large`; `load` takes the names of the authors' own files as well. Up to `VOLUME` bytes all
pairs of places are multiplied once, as in the paper; above, the products are made where they are looked up, with the same result
and memory that grows with the picture, not with its square.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_video.backbones.state import fill, read

WEIGHTS = "raft-things"
ITERATIONS = 20
SMALLEST = 128
"""Pixels of the shorter side below which nothing is left of the coarsest products."""
VOLUME = 1 << 30
_LEVELS, _RADIUS, _HIDDEN = 4, 4, 128
_CHUNK = 2048


def _convolution(inputs: int, outputs: int, size: int | tuple[int, int], step: int = 1, norm: type[nn.Module] | None = None, act: bool = True) -> nn.Sequential:
    sides = (size, size) if isinstance(size, int) else size
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, sides, step, (sides[0] // 2, sides[1] // 2))]
    layers += [norm(outputs)] if norm else []
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if act else []))


class Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, step: int, norm: type[nn.Module]) -> None:
        super().__init__()
        self.convnormrelu1 = _convolution(inputs, outputs, 3, step, norm)
        self.convnormrelu2 = _convolution(outputs, outputs, 3, 1, norm)
        self.downsample: nn.Module = nn.Identity() if step == 1 else _convolution(inputs, outputs, 1, step, norm, act=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Residual sum, then ReLU."""
        return torch.relu_(self.downsample(x) + self.convnormrelu2(self.convnormrelu1(x)))


class Encoder(nn.Module):
    """Pictures to 256 channels at an eighth of their size."""

    def __init__(self, norm: type[nn.Module]) -> None:
        super().__init__()
        self.convnormrelu = _convolution(3, 64, 7, 2, norm)
        self.layer1 = nn.Sequential(Residual(64, 64, 1, norm), Residual(64, 64, 1, norm))
        self.layer2 = nn.Sequential(Residual(64, 96, 2, norm), Residual(96, 96, 1, norm))
        self.layer3 = nn.Sequential(Residual(96, 128, 2, norm), Residual(128, 128, 1, norm))
        self.conv = nn.Conv2d(128, 256, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features."""
        features: torch.Tensor = self.conv(self.layer3(self.layer2(self.layer1(self.convnormrelu(x)))))
        return features


class Motion(nn.Module):
    """Products and flow so far, seen together."""

    def __init__(self) -> None:
        super().__init__()
        self.convcorr1 = _convolution(_LEVELS * (2 * _RADIUS + 1) ** 2, 256, 1)
        self.convcorr2 = _convolution(256, 192, 3)
        self.convflow1 = _convolution(2, 128, 7)
        self.convflow2 = _convolution(128, 64, 3)
        self.conv = _convolution(256, 126, 3)

    def forward(self, flow: torch.Tensor, products: torch.Tensor) -> torch.Tensor:
        """128 channels, of which the last two are the flow."""
        both = torch.cat([self.convcorr2(self.convcorr1(products)), self.convflow2(self.convflow1(flow))], dim=1)
        return torch.cat([self.conv(both), flow], dim=1)


class Gate(nn.Module):
    """A gated unit of convolutions along one axis."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        padding = (size[0] // 2, size[1] // 2)
        self.convz, self.convr, self.convq = (nn.Conv2d(3 * _HIDDEN, _HIDDEN, size, padding=padding) for _ in range(3))

    def forward(self, state: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The next state."""
        both = torch.cat([state, x], dim=1)
        share = torch.sigmoid(self.convz(both))
        new = torch.tanh(self.convq(torch.cat([torch.sigmoid(self.convr(both)) * state, x], dim=1)))
        return (1 - share) * state + share * new


class Update(nn.Module):
    """One step: a new state, and what the flow changes by."""

    def __init__(self) -> None:
        super().__init__()
        self.motion_encoder = Motion()
        self.recurrent_block = nn.ModuleDict({"convgru1": Gate((1, 5)), "convgru2": Gate((5, 1))})
        self.flow_head = nn.Sequential()
        for name, layer in (("conv1", nn.Conv2d(_HIDDEN, 256, 3, padding=1)), ("relu", nn.ReLU(inplace=True)), ("conv2", nn.Conv2d(256, 2, 3, padding=1))):
            self.flow_head.add_module(name, layer)

    def forward(self, state: torch.Tensor, context: torch.Tensor, products: torch.Tensor, flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """State and change."""
        x = torch.cat([context, self.motion_encoder(flow, products)], dim=1)
        for gate in self.recurrent_block.values():
            state = gate(state, x)
        return state, self.flow_head(state)


class Raft(nn.Module):
    """Pairs of pictures (n, 3, height, width) in [-1, 1], sides multiples of 8, to flows (n, 2, height, width)."""

    def __init__(self, volume: int = VOLUME) -> None:
        super().__init__()
        self.volume = volume
        self.feature_encoder = Encoder(nn.InstanceNorm2d)
        self.context_encoder = Encoder(nn.BatchNorm2d)
        self.update_block = Update()
        self.mask_predictor = nn.ModuleDict({"convrelu": _convolution(_HIDDEN, 256, 3), "conv": nn.Conv2d(256, 576, 1)})

    def forward(self, first: torch.Tensor, second: torch.Tensor, iterations: int = ITERATIONS) -> torch.Tensor:
        """u and v of every pixel of the first picture, after that many steps."""
        one, two = self.feature_encoder(torch.cat([first, second])).chunk(2)
        lookup = Products(one, two) if 4 * one[0, 0].numel() ** 2 * len(one) <= self.volume else Products.made_late(one, two)
        state, context = self.context_encoder(first).split(_HIDDEN, dim=1)
        state, context = torch.tanh(state), torch.relu(context)
        start = _places(one)
        ends = start
        for _ in range(iterations):
            state, change = self.update_block(state, context, lookup(ends), ends - start)
            ends = ends + change
        return self._enlarged(ends - start, state)

    def _enlarged(self, flow: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Eight times as large: each pixel a mean of its nine neighbours, with learnt shares."""
        count, _, height, width = flow.shape
        shares = 0.25 * self.mask_predictor["conv"](self.mask_predictor["convrelu"](state))
        shares = shares.view(count, 1, 9, 8, 8, height, width).softmax(dim=2)
        around = functional.unfold(8 * flow, 3, padding=1).view(count, 2, 9, 1, 1, height, width)
        return (shares * around).sum(dim=2).permute(0, 1, 4, 2, 5, 3).reshape(count, 2, 8 * height, 8 * width)


def _places(features: torch.Tensor) -> torch.Tensor:
    """x and y of every place, shape (n, 2, height, width)."""
    count, _, height, width = features.shape
    rows, columns = torch.meshgrid(torch.arange(height, device=features.device), torch.arange(width, device=features.device), indexing="ij")
    return torch.stack([columns, rows]).float().expand(count, 2, height, width)


class Products:
    """Products of the features of one place with those of 81 places around its end in the other picture, at four sizes."""

    def __init__(self, one: torch.Tensor, two: torch.Tensor, late: bool = False) -> None:
        self._one = (one / one.shape[1] ** 0.5).flatten(2).transpose(1, 2)  # (n, places, channels)
        pyramid = [two]
        for _ in range(_LEVELS - 1):
            pyramid.append(functional.avg_pool2d(pyramid[-1], 2, stride=2))
        self._late = late
        self._pyramid = pyramid
        self._volumes = [] if late else [(self._one @ level.flatten(2)).reshape(-1, 1, *level.shape[2:]) for level in pyramid]
        side = torch.arange(-_RADIUS, _RADIUS + 1, device=one.device, dtype=one.dtype)
        self._around = torch.stack(torch.meshgrid(side, side, indexing="ij"), dim=-1)[None]

    @classmethod
    def made_late(cls, one: torch.Tensor, two: torch.Tensor) -> Products:
        """Products that are made where they are looked up."""
        return cls(one, two, late=True)

    def __call__(self, ends: torch.Tensor) -> torch.Tensor:
        """Products at those places, shape (n, 324, height, width)."""
        count, _, height, width = ends.shape
        centres = ends.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2)
        found = [self._of_level(level, centres / 2**level) for level in range(_LEVELS)]
        return torch.cat([part.view(count, height, width, -1) for part in found], dim=-1).permute(0, 3, 1, 2).contiguous()

    def _of_level(self, level: int, centres: torch.Tensor) -> torch.Tensor:
        shape = self._pyramid[level].shape[2:]
        if not self._late:
            return functional.grid_sample(self._volumes[level], _relative(centres + self._around, shape), align_corners=True)
        count, places = self._one.shape[:2]
        parts = []
        for number in range(count):
            for start in range(0, places, _CHUNK):
                stop = min(start + _CHUNK, places)
                grid = _relative(centres[number * places + start : number * places + stop] + self._around, shape).flatten(1, 2)
                near = functional.grid_sample(self._pyramid[level][number : number + 1], grid[None], align_corners=True)
                parts.append(torch.einsum("pc,cpk->pk", self._one[number, start:stop], near[0]))
        return torch.cat(parts)


def _relative(places: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Places in pixels as grid_sample counts them, the middles of the outer pixels at -1 and 1."""
    return places * (2.0 / (torch.tensor([shape[1], shape[0]], device=places.device, dtype=places.dtype) - 1)) - 1


_AUTHORS = (
    (r"^module\.", ""), (r"^fnet\.", "feature_encoder."), (r"^cnet\.", "context_encoder."),
    (r"(encoder)\.conv1\.", r"\1.convnormrelu.0."), (r"(encoder)\.norm1\.", r"\1.convnormrelu.1."), (r"(encoder)\.conv2\.", r"\1.conv."),
    (r"(layer\d\.\d)\.conv(\d)\.", r"\1.convnormrelu\2.0."), (r"(layer\d\.\d)\.norm([12])\.", r"\1.convnormrelu\2.1."),
    (r"^update_block\.encoder\.convc(\d)\.", r"update_block.motion_encoder.convcorr\1.0."),
    (r"^update_block\.encoder\.convf(\d)\.", r"update_block.motion_encoder.convflow\1.0."),
    (r"^update_block\.encoder\.conv\.", "update_block.motion_encoder.conv.0."),
    (r"^update_block\.gru\.conv([zrq])(\d)\.", r"update_block.recurrent_block.convgru\2.conv\1."),
    (r"^update_block\.mask\.0\.", "mask_predictor.convrelu.0."), (r"^update_block\.mask\.2\.", "mask_predictor.conv."),
)  # fmt: skip
"""From the names in the authors' files to torchvision's."""


def renamed(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors under torchvision's names, whichever of the two the file uses."""
    result = {}
    for given, tensor in state.items():
        name = given
        for pattern, replacement in _AUTHORS if "fnet." in " ".join(state) else ():
            name = re.sub(pattern, replacement, name)
        if ".norm3." not in name:  # the authors hold the norm of a shortcut twice
            result[name] = tensor
    return result


def load_state(network: Raft, state: Mapping[str, torch.Tensor]) -> None:
    """Loads tensors under either set of names.

    Raises:
        EvaluatorError: they are those of another network.
    """
    fill(network, renamed(state), WEIGHTS)


def load() -> Raft:
    """The network with the weights trained on FlyingChairs and FlyingThings."""
    network = Raft()
    load_state(network, read(weights.path(WEIGHTS)))
    return network
