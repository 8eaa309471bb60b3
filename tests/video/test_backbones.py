"""The video networks against independent ones: Flax I3D on its own weights, torchvision's R3D-18 on seeded ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from scipy.ndimage import map_coordinates

from genlevel_evaluator import weights
from genlevel_evaluator.errors import EvaluatorError
from genlevel_video.backbones import BACKBONES, i3d, r3d_18
from genlevel_video.backbones.clip_network import ClipNetwork
from genlevel_video.decode import decode_video
from tests.video.generators import clip, saved

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.weights
def test_i3d_equals_the_flax_network_on_the_same_weights(tmp_path: Path) -> None:
    python = ROOT / ".oracles" / "i3d" / "bin" / "python"
    assert python.exists(), f"{python} is not there: run `make oracles`"
    random = np.random.default_rng(0)
    frames = np.stack([clip(random, 16, 224, 224) for _ in range(2)]).astype(np.float32) / 127.5 - 1
    frames[1] = frames[1, :1]  # a still picture
    np.save(tmp_path / "clips.npy", frames)
    program = Path(__file__).with_name("oracle_i3d.py")
    found = subprocess.run(
        [python, program, tmp_path / "clips.npy", tmp_path / "logits.npy"],
        env={"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    network = i3d.build().network
    with torch.inference_mode():
        ours = network(torch.from_numpy(frames).permute(0, 4, 1, 2, 3)).cpu().numpy()
    theirs = np.load(tmp_path / "logits.npy").reshape(2, 400)
    assert np.ptp(theirs) > 3
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def _flax_unit(x: np.ndarray, tensors: dict[str, np.ndarray], name: str, step: int) -> np.ndarray:
    """Convolution, normalisation and ReLU of one unit by sums over shifted pictures, in float64; x is (time, height, width, channels)."""
    kernel = np.asarray(tensors[f"params/{name}/Conv_0/kernel"], np.float64)
    size = kernel.shape[0]
    lengths = [-(-side // step) for side in x.shape[:3]]
    totals = [max((length - 1) * step + size - side, 0) for length, side in zip(lengths, x.shape[:3], strict=True)]
    padded = np.pad(x, [(total // 2, total - total // 2) for total in totals] + [(0, 0)])
    result = np.zeros((*lengths, kernel.shape[4]))
    for t, h, w in np.ndindex(size, size, size):
        part = padded[t:, h:, w:][::step, ::step, ::step][: lengths[0], : lengths[1], : lengths[2]]
        result += part @ kernel[t, h, w]
    mean, variance = (
        np.asarray(tensors[f"batch_stats/{name}/BatchNorm_0/{part}"], np.float64).reshape(-1) for part in ("mean", "var")
    )
    shift = np.asarray(tensors[f"params/{name}/BatchNorm_0/bias"], np.float64).reshape(-1)
    return np.maximum((result - mean) / np.sqrt(variance + 1e-3) + shift, 0)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "shape", "step"),
    [("Conv3d_1a_7x7", (5, 9, 12, 3), 2), ("Conv3d_2c_3x3", (3, 4, 5, 64), 1), ("Conv3d_2b_1x1", (2, 3, 4, 64), 1)],
)
def test_units_equal_a_derivation(name: str, shape: tuple[int, ...], step: int) -> None:
    tensors = weights.arrays("i3d-kinetics-400")
    x = np.random.default_rng(1).normal(size=shape)
    unit = i3d.load(tensors).layers[name]
    with torch.inference_mode():
        ours = unit(torch.from_numpy(x.transpose(3, 0, 1, 2)[None].astype(np.float32)))[0].permute(1, 2, 3, 0).numpy()
    np.testing.assert_allclose(ours, _flax_unit(x, tensors, name, step), atol=1e-4)


def test_pools_keep_the_largest_inside_the_picture() -> None:
    x = np.random.default_rng(2).random((1, 2, 5, 7, 8)).astype(np.float32)
    found = i3d.Pool((3, 3, 3), (2, 2, 2))(torch.from_numpy(x)).numpy()
    # Sides 5, 7, 8 with step 2: one zero in front where the padding is even, none in front of an even side.
    fronts = (1, 1, 0)
    assert found.shape == (1, 2, 3, 4, 4)
    for t, h, w in np.ndindex(3, 4, 4):
        window = [slice(max(2 * i - front, 0), 2 * i - front + 3) for i, front in zip((t, h, w), fronts, strict=True)]
        np.testing.assert_array_equal(found[0, :, t, h, w], x[0][:, window[0], window[1], window[2]].max(axis=(1, 2, 3)))


@pytest.mark.parametrize("kernel", [(1, 3, 3), (3, 3, 3), (2, 2, 2)])
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 7, 8), (5, 14, 3)])
def test_pools_equal_torch_with_minus_infinity_around(kernel: tuple[int, int, int], step: int, sizes: tuple[int, int, int]) -> None:
    stride = tuple(step if width > 1 else 1 for width in kernel)
    x = torch.randn(2, 3, *sizes, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(x, i3d.same_padding(sizes, kernel, stride), value=-torch.inf)
    for layout in (torch.contiguous_format, torch.channels_last_3d):
        given = x.contiguous(memory_format=layout)
        assert torch.equal(i3d.Pool(kernel, stride)(given), torch.nn.functional.max_pool3d(padded, kernel, stride))
        assert torch.equal(given, x), "what was given is not written to"


def test_r3d_18_equals_torchvision_on_seeded_weights() -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.video.r3d_18(weights=None).eval()
    for name, tensor in theirs.named_buffers():  # statistics that do something
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
    state = theirs.state_dict()
    ours = r3d_18.load(state).eval()
    theirs.fc = torch.nn.Identity()
    x = torch.randn(2, 3, 6, 40, 36)
    with torch.inference_mode():
        expected = theirs(x)
        np.testing.assert_allclose(ours(x).numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)
    assert expected.std() > 0.1
    assert expected.shape == (2, 512)


def test_r3d_18_refuses_a_state_that_does_not_fit() -> None:
    state = torchvision.models.video.r3d_18(weights=None).state_dict()
    del state["layer3.0.conv1.0.weight"]
    with pytest.raises(EvaluatorError, match=r"r3d-18 holds another network: .*layer3"):
        r3d_18.load(state)


def test_r3d_18_weights_file_is_loaded_without_pickled_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    state = torchvision.models.video.r3d_18(weights=None).state_dict()
    torch.save(state, tmp_path / "r3d_18.pth")
    monkeypatch.setattr(weights, "path", lambda name: {"r3d-18": tmp_path / "r3d_18.pth"}[name])
    features = r3d_18.build().extract([decode_video(saved("a.npz", frames=clip(np.random.default_rng(3), 2)), {})])
    assert features[0].shape == (512,)
    torch.save({"x": np.random.default_rng}, tmp_path / "r3d_18.pth")
    with pytest.raises(Exception, match=r"[Ww]eights only|Unsupported"):
        r3d_18.build()


def test_i3d_frames_are_resized_between_pixel_centres() -> None:
    frame = np.random.default_rng(4).integers(0, 256, (30, 47, 3), dtype=np.uint8)
    rows = (np.arange(224) + 0.5) * 30 / 224 - 0.5
    columns = (np.arange(224) + 0.5) * 47 / 224 - 0.5
    places = np.meshgrid(np.clip(rows, 0, 29), np.clip(columns, 0, 46), indexing="ij")
    expected = np.stack([map_coordinates(frame[..., c].astype(float), places, order=1) for c in range(3)]) / 127.5 - 1
    found = i3d.prepare(frame).transpose(2, 0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert i3d.prepare(np.full((3, 3, 3), 255, np.uint8)).max() == pytest.approx(1.0)
    assert i3d.prepare(np.zeros((3, 3, 3), np.uint8)).min() == pytest.approx(-1.0)


@pytest.mark.parametrize("shape", [(1080, 1920), (481, 37), (224, 224), (1, 1), (2, 4320)])
def test_i3d_frames_are_resized_as_torch_does(shape: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    pixels = torch.from_numpy(frame).permute(2, 0, 1)[None].float()
    theirs = torch.nn.functional.interpolate(pixels, size=(224, 224), mode="bilinear", align_corners=False)[0] / 127.5 - 1
    np.testing.assert_allclose(i3d.prepare(frame).transpose(2, 0, 1), theirs.numpy(), atol=5e-7)


def test_r3d_18_frames_are_prepared_as_torchvision_does() -> None:
    frame = np.random.default_rng(5).integers(0, 256, (300, 470, 3), dtype=np.uint8)
    steps = torchvision.transforms.Compose([
        torchvision.transforms.Resize((224, 224)),
        torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize(mean=[0.43216, 0.394666, 0.37645], std=[0.22803, 0.22145, 0.216989]),
    ])  # fmt: skip
    np.testing.assert_allclose(r3d_18.prepare(frame).transpose(2, 0, 1), steps(Image.fromarray(frame)).numpy(), atol=1e-6)


def test_a_clip_goes_through_alone_and_a_bad_one_hurts_no_other() -> None:
    network = ClipNetwork(torch.nn.Identity(), i3d.prepare)
    random = np.random.default_rng(6)
    good = [decode_video(saved("a.npz", frames=clip(random, 3)), {}) for _ in range(2)]
    bad = decode_video(saved("a.npz", frames=clip(random, 3)), {})
    object.__setattr__(bad, "blob", saved("bad.npz", frames=np.zeros((0, 2, 2, 3), np.uint8)).media)
    first, fault, second = network.extract([good[0], bad, good[1]])
    np.testing.assert_array_equal(first, network.extract([good[0]])[0])
    np.testing.assert_array_equal(second, network.extract([good[1]])[0])
    assert fault.code == "NO_FRAMES"
    assert first.shape == (3, 16, 224, 224)


def test_backbones_say_which_weights_they_use() -> None:
    for name, backbone in BACKBONES.items():
        assert backbone.name == name
    published = {name for name, backbone in BACKBONES.items() if backbone.weights and weights.entry(backbone.weights).reference}
    assert published == {
        "i3d", "i3d-actions", "r3d_18", "raft-things", "viclip-l-14", "clip-vit-b-32.pil", "clip-vit-b-32.tensor", "dino-vit-b-16", "musiq-koniq",
        "musiq-spaq", "laion-aesthetic",
    }  # fmt: skip
    assert {name for name, backbone in BACKBONES.items() if not backbone.weights} == {"dis", "colourfulness"}
    assert weights.entry("i3d-kinetics-400").available
