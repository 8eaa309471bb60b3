"""RIFE 4.0 (Huang et al. 2022, arXiv 2011.06294): the frame half way between two others.

Four blocks, each at twice the size of the one before, refine the flows from the middle to either frame and the share of either; the middle
frame is the two frames fetched along the flows, shared out. Only t = 1/2 is asked for. Names are those of the authors' file; its teacher,
context network and refinement serve training and another mode, and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_video.backbones.state import fill, read

WEIGHTS = "rife-4.0"
MULTIPLE = 128
"""Sides are filled up to a multiple of this."""
_FAR = 32.0
"""Flow in pixels on both sides above which the network begins again at half the size."""
_WIDTHS = (192, 128, 96, 64)
_PARTS = tuple(f"block{number}." for number in range(4))


def _convolution(inputs: int, outputs: int, step: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, step, 1), nn.PReLU(outputs))


def _resized(x: torch.Tensor, factor: float) -> torch.Tensor:
    return x if factor == 1 else functional.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False, recompute_scale_factor=False)


class Block(nn.Module):
    """What both flows and the shares change by, seen at 1 / scale of the size."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(_convolution(inputs, width // 2, 2), _convolution(width // 2, width, 2))
        self.convblock = nn.Sequential(*(_convolution(width, width) for _ in range(8)))
        self.lastconv = nn.ConvTranspose2d(width, 5, 4, 2, 1)

    def forward(self, x: torch.Tensor, flow: torch.Tensor | None, scale: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Flows (n, 4, h, w) and shares before the logistic function (n, 1, h, w)."""
        x = _resized(x, 1 / scale)
        if flow is not None:
            x = torch.cat([x, _resized(flow, 1 / scale) / scale], dim=1)
        y = self.conv0(x)
        found = _resized(self.lastconv(self.convblock(y) + y), 2 * scale)
        return found[:, :4] * (2 * scale), found[:, 4:]


class Rife(nn.Module):
    """Pairs of pictures (n, 3, height, width) in [0, 1], sides multiples of 128, to the pictures between them."""

    def __init__(self) -> None:
        super().__init__()
        for number, width in enumerate(_WIDTHS):
            self.add_module(f"block{number}", Block(12 if number else 7, width))

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The frame at t = 1/2."""
        flow, share = self.flows(first, second)
        kept = torch.sigmoid(share)
        middle = fetched(first, flow[:, :2]) * kept + fetched(second, flow[:, 2:]) * (1 - kept)
        return middle.clamp_(0, 1)

    def flows(self, first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Flows from the middle to the first (channels 0, 1) and to the second frame, and the shares before the logistic function.

        Pairs are looked at one by one: how far a pair moves decides the sizes it is seen at, and must not decide its neighbours'.
        """
        found = [self._of_pair(first[place : place + 1], second[place : place + 1]) for place in range(len(first))]
        return torch.cat([flow for flow, _ in found]), torch.cat([share for _, share in found])

    def _of_pair(self, first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        flow, share, change, share_change = self._begun(first, second, 8)
        scale = 4
        if min(float(change[:, :2].abs().max()), float(change[:, 2:].abs().max())) > _FAR:
            flow, share, change, share_change = self._begun(first, second, 16)
            scale = 8
        flow, share = flow + change, share + share_change
        for number in (2, 3):
            scale //= 2
            change, share_change = self._step(number, first, second, flow, share, scale)
            flow, share = flow + change, share + share_change
        return flow, share

    def _begun(self, first: torch.Tensor, second: torch.Tensor, scale: int) -> tuple[torch.Tensor, ...]:
        """Flow and share of the first block, and what the second changes them by."""
        time = torch.full_like(first[:, :1], 0.5)
        flow, share = self.get_submodule("block0")(torch.cat([first, second, time], dim=1), None, scale)
        return flow, share, *self._step(1, first, second, flow, share, scale // 2)

    def _step(self, number: int, first: torch.Tensor, second: torch.Tensor, flow: torch.Tensor, share: torch.Tensor, scale: int) -> tuple[torch.Tensor, torch.Tensor]:
        time = torch.full_like(first[:, :1], 0.5)
        seen = torch.cat([fetched(first, flow[:, :2]), fetched(second, flow[:, 2:]), time, share], dim=1)
        change: tuple[torch.Tensor, torch.Tensor] = self.get_submodule(f"block{number}")(seen, flow, scale)
        return change


def fetched(picture: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Each pixel from where its flow ends in the picture; beyond the edge, the edge."""
    height, width = flow.shape[2:]
    rows, columns = (torch.linspace(-1.0, 1.0, size, device=flow.device) for size in (height, width))
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))[None]
    ends = grid + torch.stack([flow[:, 0] / ((width - 1.0) / 2.0), flow[:, 1] / ((height - 1.0) / 2.0)], dim=1)
    return functional.grid_sample(picture, ends.permute(0, 2, 3, 1), padding_mode="border", align_corners=True)


def load_state(network: Rife, state: Mapping[str, torch.Tensor]) -> None:
    """Loads the four blocks out of the authors' file.

    Raises:
        EvaluatorError: they are those of another network.
    """
    bare = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    fill(network, {name: tensor for name, tensor in bare.items() if name.startswith(_PARTS)}, WEIGHTS)


def load() -> Rife:
    """The network with the authors' weights."""
    network = Rife()
    load_state(network, read(weights.path(WEIGHTS)))
    return network
