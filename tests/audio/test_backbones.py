"""The networks against independent forms of themselves, and how their weights are loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from audio_speech import say
from torch import nn
from torch.nn import functional

from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import Audio
from genlevel_audio.backbones import aisfx, vggish
from genlevel_audio.spectrogram import aisfx_blocks, vggish_blocks
from genlevel_evaluator import weights


def _audio(text: str = "Two windows of speech, at the very least, and a little more than that.") -> Audio:
    return Audio(say(text).astype(np.float32) / 32768, 22050)


def _normalised(x: torch.Tensor, state: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Batch normalisation by its formula."""
    mean, variance, weight, bias = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    scale = (weight / torch.sqrt(variance + 1e-5))[:, None, None]
    return (x - mean[:, None, None]) * scale + bias[:, None, None]


@pytest.mark.weights
def test_aisfx_is_its_definition_on_the_real_weights() -> None:
    state = {name: tensor.double() for name, tensor in aisfx.load_state(weights.path("aisfx-cnn9")).items()}
    audio = _audio()
    x = torch.from_numpy(aisfx_blocks(audio.at(44100))).double()[:, None]
    for block in range(1, 5):
        for layer in (1, 2):
            x = functional.conv2d(x, state[f"conv_block{block}.conv{layer}.weight"], padding=1)
            x = _normalised(x, state, f"conv_block{block}.bn{layer}").clamp(min=0)
        if block < 4:
            height, width = x.shape[2] // 2, x.shape[3] // 2
            x = x[:, :, : 2 * height, : 2 * width].reshape(*x.shape[:2], height, 2, width, 2).amax(dim=(3, 5))
    expected = x.mean(dim=3).max(dim=2).values.numpy()
    found = EVALUATOR.extractor("aisfx").extract([audio])[0]
    assert found.shape == expected.shape == (len(aisfx_blocks(audio.at(44100))), 512)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.weights
def test_aisfx_hears_what_is_alike() -> None:
    source = np.random.default_rng(1)
    speech, other = _audio("Good morning to all of you."), _audio("Where did the children go?")
    noise = Audio(source.normal(size=50000).astype(np.float32) * 0.1, 22050)
    one, two, three = (features.mean(axis=0) for features in EVALUATOR.extractor("aisfx").extract([speech, other, noise]))
    assert np.linalg.norm(one - two) < 0.5 * np.linalg.norm(one - three)


@pytest.fixture(scope="module")
def reference_vggish() -> nn.ModuleDict:
    """VGGish put together from torchvision's VGG layers, with seeded random weights."""
    torch.manual_seed(11)
    features = torchvision.models.vgg.make_layers([64, "M", 128, "M", 256, 256, "M", 512, 512, "M"])
    features[0] = nn.Conv2d(1, 64, kernel_size=3, padding=1)
    layers = [nn.Linear(12288, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128), nn.ReLU()]
    return nn.ModuleDict({"features": features, "embeddings": nn.Sequential(*layers)}).eval()


def test_vggish_loads_a_checkpoint_and_equals_torchvisions_layers(
    reference_vggish: nn.ModuleDict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vggish.pth"
    torch.save(reference_vggish.state_dict(), file)
    monkeypatch.setattr(weights, "path", lambda name: {"vggish": file}[name])
    audio = _audio()
    found = vggish.build().extract([audio])[0]
    with torch.no_grad():
        maps = reference_vggish["features"](torch.from_numpy(vggish_blocks(audio.at(16000)))[:, None])
        flat = torch.stack([torch.cat([maps[n, :, i, j] for i in range(6) for j in range(4)]) for n in range(len(maps))])
        expected = reference_vggish["embeddings"][:-1](flat).numpy()
    assert found.shape == expected.shape == (4, 128)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found < 0).any()  # before the last ReLU


def test_a_checkpoint_of_another_network_is_refused(reference_vggish: nn.ModuleDict) -> None:
    state = dict(reference_vggish.state_dict())
    del state["features.0.bias"]
    with pytest.raises(RuntimeError, match=r"features\.0\.bias"):
        vggish.Vggish(state)


def test_vggish_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in vggish.Network().parameters()) == 72_141_184
