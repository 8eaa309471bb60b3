"""RIFE against its paper's steps in plain functions, with SciPy's interpolation, on the weights its package ships; and triples of frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from skimage import data
from torch.nn import functional

from genlevel_evaluator import weights
from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_video.backbones import rife
from genlevel_video.backbones.interpolation import InterpolationNetwork, NetworkMiddle
from genlevel_video.frame_limits import ClipInfo

INFO = ClipInfo(frames=3, fps=8.0, width=8, height=8)
State = Mapping[str, torch.Tensor]

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def state() -> State:
    found = torch.load(weights.path("rife-4.0"), map_location="cpu", weights_only=True)
    return {name.removeprefix("module."): tensor for name, tensor in found.items()}


@pytest.fixture(scope="module")
def network() -> rife.Rife:
    return rife.load().eval()


def shifted(step: int, side: int = 128) -> torch.Tensor:
    photo = data.coffee()[100 : 100 + side, 150 + step : 150 + step + side]
    return torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 255.0


def fetched(picture: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Bilinear fetching by SciPy; beyond the edge, the edge."""
    height, width = picture.shape[2:]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    places = np.stack([np.clip(y + flow[0, 1].numpy(), 0, height - 1), np.clip(x + flow[0, 0].numpy(), 0, width - 1)])
    return torch.from_numpy(np.stack([map_coordinates(one.double().numpy(), places, order=1) for one in picture[0]])[None]).float()


def block(state: State, name: str, x: torch.Tensor, flow: torch.Tensor | None, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    def size(value: torch.Tensor, factor: float) -> torch.Tensor:
        return functional.interpolate(value, scale_factor=factor, mode="bilinear", align_corners=False)

    def layer(value: torch.Tensor, place: str, step: int) -> torch.Tensor:
        value = functional.conv2d(value, state[f"{place}.0.weight"], state[f"{place}.0.bias"], stride=step, padding=1)
        return functional.prelu(value, state[f"{place}.1.weight"])

    x = size(x, 1 / scale)
    if flow is not None:
        x = torch.cat([x, size(flow, 1 / scale) / scale], dim=1)
    y = layer(layer(x, f"{name}.conv0.0", 2), f"{name}.conv0.1", 2)
    z = y
    for number in range(8):
        z = layer(z, f"{name}.convblock.{number}", 1)
    out = functional.conv_transpose2d(z + y, state[f"{name}.lastconv.weight"], state[f"{name}.lastconv.bias"], stride=2, padding=1)
    out = size(out, 2 * scale)
    return out[:, :4] * scale * 2, out[:, 4:5]


def restated(state: State, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    time = torch.full_like(first[:, :1], 0.5)
    scales = [8.0, 4.0, 2.0, 1.0]
    flow, share = block(state, "block0", torch.cat([first, second, time], 1), None, scales[0])
    for number in (1, 2, 3):
        seen = torch.cat([fetched(first, flow[:, :2]), fetched(second, flow[:, 2:]), time, share], 1)
        change, more = block(state, f"block{number}", seen, flow, scales[number])
        if number == 1 and float(change[:, :2].abs().max()) > 32 and float(change[:, 2:].abs().max()) > 32:
            scales = [2 * scale for scale in scales]
            flow, share = block(state, "block0", torch.cat([first, second, time], 1), None, scales[0])
            seen = torch.cat([fetched(first, flow[:, :2]), fetched(second, flow[:, 2:]), time, share], 1)
            change, more = block(state, "block1", seen, flow, scales[1])
        flow, share = flow + change, share + more
    kept = torch.sigmoid(share)
    return (fetched(first, flow[:, :2]) * kept + fetched(second, flow[:, 2:]) * (1 - kept)).clamp(0, 1)


def test_rife_is_what_its_paper_says(state: State, network: rife.Rife) -> None:
    first, second = shifted(0), shifted(6)
    with torch.inference_mode():
        found, true = network(first, second), restated(state, first, second)
    assert float((found - true).abs().max()) < 1e-4


def test_far_motion_is_seen_at_half_the_size(state: State, network: rife.Rife) -> None:
    """The last layer of the second block made loud, so that it moves by more than 32 pixels."""
    loud = {name: 60.0 * tensor if name.startswith("block1.lastconv.") else tensor for name, tensor in state.items()}
    other = rife.Rife().eval()
    rife.load_state(other, loud)
    first, second = shifted(0), shifted(6)
    calls: list[int] = []
    begun = other._begun
    other._begun = lambda a, b, scale: (calls.append(scale), begun(a, b, scale))[1]  # type: ignore[method-assign, assignment]
    with torch.inference_mode():
        found, true = other(first, second), restated(loud, first, second)
    assert calls == [8, 16]
    assert float((found - true).abs().mean()) < 1e-4


def test_a_pair_does_not_depend_on_its_company(network: rife.Rife) -> None:
    first, second = torch.cat([shifted(0), shifted(40)]), torch.cat([shifted(6), shifted(0)])
    with torch.inference_mode():
        together, alone = network(first, second), network(first[:1], second[:1])
    assert torch.equal(together[:1], alone)


def test_the_frame_between_two_shifts_is_the_half_shift(network: rife.Rife) -> None:
    first, second, middle = (np.uint8(255 * shifted(step)[0].permute(1, 2, 0).numpy()) for step in (0, 8, 4))
    guess = NetworkMiddle(network, rife.MULTIPLE)(first, second).astype(int)
    inside = np.s_[12:-12, 12:-12]
    nearest = min(float(np.abs(one[inside].astype(int) - middle[inside]).mean()) for one in (first, second))
    assert float(np.abs(guess[inside] - middle[inside]).mean()) < nearest / 4


def test_a_still_picture_stays_as_it_is(network: rife.Rife) -> None:
    frame = data.chelsea()[:50, :70]
    guess = NetworkMiddle(network, rife.MULTIPLE)(frame, frame)
    assert guess.shape == frame.shape
    assert float(np.abs(guess.astype(int) - frame).mean()) < 0.01


def test_guesses_are_rounded_not_cut() -> None:
    class Bright(torch.nn.Module):
        def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
            return torch.full_like(first, 99.6 / 255.0) + 0 * second

    frame = np.zeros((5, 7, 3), np.uint8)
    assert np.unique(NetworkMiddle(Bright(), 8)(frame, frame)).tolist() == [100]


@pytest.mark.parametrize(("count", "errors"), [(1, []), (2, []), (3, [[10.0]]), (4, [[10.0]]), (5, [[10.0], [30.0]])])
def test_triples_share_their_ends(count: int, errors: list[list[float]]) -> None:
    def mean(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.uint8((first.astype(int) + second) // 2)

    levels = [0, 20, 20, 80, 80]
    consumer = InterpolationNetwork(mean).open(INFO)
    for number in range(count):
        consumer.push(number, np.full((4, 6, 3), levels[number], np.uint8))
    assert consumer.finish().tolist() == errors


def test_frames_that_change_their_size_are_refused() -> None:
    consumer = InterpolationNetwork(lambda first, second: first).open(INFO)
    consumer.push(0, np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(SampleError, match="change from 6 x 4 to 6 x 5 pixels"):
        consumer.push(1, np.zeros((5, 6, 3), np.uint8))


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"rife-4\.0 holds another network") as caught:
        rife.load_state(rife.Rife(), {"module.block0.conv0.0.0.weight": torch.zeros(3)})
    assert "genlevel weights fetch rife-4.0" in caught.value.remedy
