"""Flow: RAFT against torchvision 0.26's raft_large with the same seeded weights, DIS against known affine motion of a photo, and pairs of frames."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torchvision.models.optical_flow import raft_large

from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_video.backbones import flow, raft
from genlevel_video.frame_limits import ClipInfo

INFO = ClipInfo(frames=3, fps=8.0, width=8, height=8)


@pytest.fixture(scope="module")
def oracle() -> torch.nn.Module:
    torch.manual_seed(20)
    network = raft_large(weights=None).eval()
    with torch.no_grad():  # statistics as training leaves them, so that batch normalisation is more than nothing
        for name, tensor in network.state_dict().items():
            if name.endswith(("running_mean", "running_var")):
                tensor.uniform_(0.5, 1.5)
    return network


@pytest.fixture(scope="module")
def network(oracle: torch.nn.Module) -> raft.Raft:
    ours = raft.Raft().eval()
    raft.load_state(ours, oracle.state_dict())
    return ours


@pytest.fixture(scope="module")
def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    photo = torch.from_numpy(data.chelsea()[:128, :136].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1.0
    return photo, torch.roll(photo, (3, 5), (2, 3))


def test_raft_is_torchvisions(oracle: torch.nn.Module, network: raft.Raft, pictures: tuple[torch.Tensor, torch.Tensor]) -> None:
    with torch.inference_mode():
        true = oracle(*pictures, num_flow_updates=4)[-1]
        found = network(*pictures, iterations=4)
    assert found.shape == true.shape == (1, 2, 128, 136)
    assert float(true.abs().max()) > 1.0
    assert float((found - true).abs().max()) < 1e-4


def test_products_made_late_are_the_same(network: raft.Raft, pictures: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.inference_mode():
        at_once = network(*pictures, iterations=2)
        monkeypatch.setattr(network, "volume", 0)
        late = network(*pictures, iterations=2)
    assert float((late - at_once).abs().max()) < 1e-4


def test_the_authors_own_names_load_as_well(oracle: torch.nn.Module, network: raft.Raft) -> None:
    theirs = {authors_name(name): tensor for name, tensor in oracle.state_dict().items()}
    assert "module.fnet.layer2.0.conv1.weight" in theirs
    assert "module.update_block.gru.convz2.weight" in theirs
    for name in list(theirs):  # the authors hold the normalisation of a shortcut twice
        if ".downsample.1." in name:
            theirs[name.replace(".downsample.1.", ".norm3.")] = theirs[name]
    other = raft.Raft()
    raft.load_state(other, theirs)
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def authors_name(name: str) -> str:
    """From torchvision's names to those of the authors' program, written down apart from ours."""
    for ours, theirs in (
        ("feature_encoder.", "fnet."), ("context_encoder.", "cnet."), ("mask_predictor.convrelu.0.", "update_block.mask.0."),
        ("mask_predictor.conv.", "update_block.mask.2."), ("motion_encoder.convcorr1.0", "encoder.convc1"), ("motion_encoder.convcorr2.0", "encoder.convc2"),
        ("motion_encoder.convflow1.0", "encoder.convf1"), ("motion_encoder.convflow2.0", "encoder.convf2"), ("motion_encoder.conv.0", "encoder.conv"),
    ):  # fmt: skip
        name = name.replace(ours, theirs)
    name = re.sub(r"recurrent_block\.convgru(\d)\.conv([zrq])", r"gru.conv\2\1", name)
    name = re.sub(r"(layer\d\.\d)\.convnormrelu(\d)\.0", r"\1.conv\2", name)
    name = re.sub(r"(layer\d\.\d)\.convnormrelu(\d)\.1", r"\1.norm\2", name)
    if re.match(r"[fc]net\.(convnormrelu|conv)\.", name):
        name = name.replace(".convnormrelu.0.", ".conv1.").replace(".convnormrelu.1.", ".norm1.").replace("net.conv.", "net.conv2.")
    return f"module.{name}"


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(EvaluatorError, match="raft-things holds another network") as caught:
        raft.load_state(raft.Raft(), {"fc.weight": torch.zeros(3)})
    assert "genlevel weights fetch raft-things" in caught.value.remedy


def test_edges_are_filled_up_half_on_either_side() -> None:
    class Echo(torch.nn.Module):
        def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
            assert first.shape[2] % 8 == first.shape[3] % 8 == 0
            assert min(first.shape[2:]) >= raft.SMALLEST
            return first[:, :2]

    frame = np.random.default_rng(0).integers(0, 256, size=(37, 131, 3), dtype=np.uint8)
    found = flow.RaftFlow(Echo())(frame, frame)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, frame[..., :2] / 127.5 - 1.0, atol=1e-6)


AFFINE = {
    "shift": np.array([[1.0, 0.0, 6.0], [0.0, 1.0, -3.0]]),
    "turn": np.array([[0.9998, -0.02, 3.0], [0.02, 0.9998, -2.0]]),
    "zoom": np.array([[1.015, 0.0, -2.0], [0.0, 1.015, -2.0]]),
}


@pytest.mark.parametrize("name", AFFINE)
def test_dis_finds_known_affine_motion_of_a_photo(name: str) -> None:
    photo, matrix = data.coffee(), AFFINE[name]
    height, width = photo.shape[:2]
    moved = cv2.warpAffine(photo, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    y, x = np.mgrid[:height, :width]
    true = np.stack([matrix[row, 0] * x + matrix[row, 1] * y + matrix[row, 2] - (x, y)[row] for row in (0, 1)], axis=-1)
    found = flow.dis(photo, moved)
    error = np.linalg.norm(found - true, axis=-1)[40:-40, 40:-40]
    assert float(error.mean()) < 0.2
    longest, mean = flow.lengths(found)
    lengths = np.sort(np.linalg.norm(found.astype(np.float64), axis=-1).ravel())
    assert longest == pytest.approx(lengths[-int(lengths.size * 0.05) :].mean(), rel=1e-6)
    assert mean == pytest.approx(lengths.mean(), rel=1e-6)


def test_pairs_are_neighbours_and_carry_the_shorter_side() -> None:
    seen = []

    def told(before: np.ndarray, frame: np.ndarray) -> np.ndarray:
        seen.append((int(before[0, 0, 0]), int(frame[0, 0, 0])))
        return np.full((*frame.shape[:2], 2), [3.0, 4.0], np.float32)

    consumer = flow.FlowNetwork(told).open(INFO)
    for number in range(3):
        consumer.push(number, np.full((6, 9, 3), number, np.uint8))
    assert consumer.finish().tolist() == [[5.0, 5.0, 6.0], [5.0, 5.0, 6.0]]
    assert seen == [(0, 1), (1, 2)]
    assert flow.FlowNetwork(told).open(INFO).finish().shape == (0, 3)


def test_frames_that_change_their_size_are_refused() -> None:
    consumer = flow.FlowNetwork(flow.dis).open(INFO)
    consumer.push(0, np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(SampleError, match="change from 30 x 20 to 32 x 20 pixels"):
        consumer.push(1, np.zeros((20, 32, 3), np.uint8))


def test_frames_too_small_for_dis_are_refused() -> None:
    consumer = flow.FlowNetwork(flow.dis).open(INFO)
    consumer.push(0, np.zeros((11, 30, 3), np.uint8))
    with pytest.raises(SampleError, match="12 pixels on either side, these have 30 x 11"):
        consumer.push(1, np.zeros((11, 30, 3), np.uint8))
