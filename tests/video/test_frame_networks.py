"""DINO, MUSIQ, NIQE and the aesthetic head against independent programs with the same seeded weights, and their checkpoints' forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from skimage import data
from torch import nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as vision

from genlevel_evaluator import weights
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.networks import clip, clip_image
from genlevel_video.backbones import dino, frame_scores, musiq
from genlevel_video.backbones.torch_frames import TorchFrames, resized
from genlevel_video.frames import ClipInfo
from genlevel_video.measures import niqe
from genlevel_video.measures.colours import colourfulness
from tests.common.networks import clip_judges
from tests.video import oracle_quality

LAYERS = 2
"""Of the transformers here; the real ones have 12 and 14, all alike."""


def seeded(network: nn.Module, seed: int = 3) -> Any:
    """Weights under which activations neither die nor explode."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        spread = 0.2 if tensor.ndim < 2 or "emb" in name or "token" in name else 1.0 / math.sqrt(tensor[0].numel())
        middle = 1.0 if name.endswith("weight") and tensor.ndim == 1 else 0.0
        tensor.copy_(middle + spread * torch.randn(tensor.shape, generator=generator))
    return network.eval().requires_grad_(False)


def parameters(make: Callable[[], nn.Module]) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in make().parameters())


@pytest.fixture(scope="module")
def vit() -> dino.Dino:
    return seeded(dino.Dino(LAYERS))


@pytest.fixture(scope="module")
def rater() -> musiq.Musiq:
    return seeded(musiq.Musiq(LAYERS))


def test_dino_equals_timm_under_the_published_names(vit: dino.Dino) -> None:
    import timm

    judge = timm.create_model("vit_base_patch16_224", num_classes=0, global_pool="token", depth=LAYERS).eval()
    judge.load_state_dict(vit.state_dict(), strict=True)
    pixels = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = judge(pixels)
        assert expected.std() > 0.1
        torch.testing.assert_close(vit(pixels), expected, rtol=1e-4, atol=1e-4)
    assert parameters(dino.Dino) == 85_798_656


def test_places_are_stretched_by_the_factor_with_its_tenth(vit: dino.Dino) -> None:
    """Bicubic with a = -0.75, half-pixel centres, edges repeated, as a matrix for each direction."""

    def matrix(count: int) -> np.ndarray:
        rows = np.zeros((count, 14))
        for place in range(count):
            centre = (place + 0.5) * 14 / (count + 0.1) - 0.5
            for offset in range(-1, 3):
                at = math.floor(centre) + offset
                x = abs(centre - at)
                kernel = 1.25 * x**3 - 2.25 * x**2 + 1 if x <= 1 else -0.75 * (x**3 - 5 * x**2 + 8 * x - 4)
                rows[place, min(max(at, 0), 13)] += kernel
        return rows

    grid = vit.pos_embed[0, 1:].numpy().astype(np.float64).reshape(14, 14, -1)
    expected = np.einsum("ya,xb,abd->yxd", matrix(14), matrix(24), grid).reshape(14 * 24, -1)
    with torch.inference_mode():
        found = vit.places(14, 24, square=False)[0].numpy()
    np.testing.assert_allclose(found[1:], expected, atol=1e-5)
    np.testing.assert_array_equal(found[0], vit.pos_embed[0, 0].numpy())
    assert vit.places(14, 14, square=True) is vit.pos_embed


def test_places_of_a_grid_as_learnt_are_stretched_all_the_same_where_the_picture_is_not_square(vit: dino.Dino) -> None:
    pictures = torch.randn(1, 3, 224, 238, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        cropped = vit(pictures[..., :224])  # sees the same patches
        assert not torch.equal(vit(pictures), cropped)


@pytest.mark.parametrize(("width", "height"), [(320, 240), (90, 160), (224, 224), (33, 500)])
def test_frames_for_dino_are_resized_as_torchvision_resizes_bytes(width: int, height: int) -> None:
    frame = clip_judges.photo(2, width, height)
    tensor = torch.from_numpy(frame.transpose(2, 0, 1).copy())
    expected = vision.normalize(vision.resize(tensor, [224], InterpolationMode.BILINEAR, antialias=False).float() / 255, dino._MEAN.tolist(), dino._DEVIATION.tolist())
    np.testing.assert_allclose(dino.prepare(frame), expected.numpy(), atol=2e-6)


def test_a_strip_of_a_frame_stays_bounded(vit: dino.Dino) -> None:
    assert dino.prepare(np.zeros((2, 900, 3), np.uint8)).shape == (3, 224, dino.LONGEST)


def test_musiq_equals_pyiqa_under_the_published_names(rater: musiq.Musiq) -> None:
    judge = oracle_quality.musiq(LAYERS)
    judge.load_state_dict(rater.state_dict(), strict=True)
    with torch.inference_mode():
        for height, width in ((240, 320), (97, 33), (31, 17), (32, 400)):
            pixels = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height))
            expected = float(judge(pixels))
            assert float(rater((pixels - 0.5) * 2)) == pytest.approx(expected, abs=1e-4)
    assert parameters(musiq.Musiq) == sum(parameter.numel() for parameter in oracle_quality.musiq(14).parameters()) == 27_125_825


def test_frames_for_imaging_quality_are_at_most_512_a_side() -> None:
    frame = clip_judges.photo(4, 640, 300)
    expected = vision.resize(torch.from_numpy(frame.transpose(2, 0, 1).copy()), [240, 512], InterpolationMode.BILINEAR, antialias=False)
    np.testing.assert_array_equal(musiq.at_most_512(frame), expected.numpy().transpose(1, 2, 0))
    assert musiq.at_most_512(frame[:, :512]).shape == (300, 512, 3)
    assert musiq.prepare_512(frame).shape == (3, 240, 512)
    np.testing.assert_array_equal(resized(frame, 640, 300), frame)


@pytest.mark.weights
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_niqe_is_that_of_sk_video_and_worse_with_blur_or_noise(name: str) -> None:
    pixels = getattr(data, name)()
    model = niqe.Model(weights.path("niqe-pristine"))
    sharp = model.distance(pixels)
    # sk-video works in 32 bits, and a shape is the nearest of a table: a thousandth of the value.
    assert sharp == pytest.approx(oracle_quality.niqe(niqe.luma(pixels)), rel=1e-3)
    blurred = [model.distance(np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))) for radius in (1, 2, 4)]
    noise = np.random.default_rng(0).normal(0, 1, pixels.shape)
    noisy = [model.distance(np.clip(pixels + spread * noise, 0, 255).astype(np.uint8)) for spread in (25, 60)]
    assert sharp < min(blurred + noisy)


@pytest.mark.weights
def test_niqe_is_finite_of_small_and_flat_frames() -> None:
    model = niqe.Model(weights.path("niqe-pristine"))
    flat = [model.distance(np.full((20, 30, 3), value, np.uint8)) for value in (0, 77, 255)]
    assert all(20 < one < 60 for one in [*flat, model.distance(np.random.default_rng(0).integers(0, 256, (1, 1, 3), dtype=np.uint8))])
    assert niqe.luma(np.zeros((10, 40, 3), np.uint8)).shape == (192, 768)


def test_colourfulness_is_of_spread_and_mean_of_opponent_colours() -> None:
    assert colourfulness(np.full((4, 5, 3), 90, np.uint8)) == 0.0
    assert colourfulness(np.full((4, 5, 3), (90, 40, 20), np.uint8)) == pytest.approx(0.3 * math.hypot(50, 45))
    pixels = data.astronaut().astype(np.float64)
    opponents = np.stack([pixels[..., 0] - pixels[..., 1], pixels[..., :2].mean(axis=2) - pixels[..., 2]])
    expected = math.sqrt(opponents.var(axis=(1, 2)).sum()) + 0.3 * np.linalg.norm(opponents.mean(axis=(1, 2)))
    assert colourfulness(data.astronaut()) == pytest.approx(expected)


def test_the_aesthetic_head_is_linear_on_unit_vectors() -> None:
    pictures = seeded(clip.Vision(clip_judges.small(clip.VIT_L_14)))  # held against open_clip where it lies
    head = seeded(nn.Linear(768, 1))
    frame = clip_judges.photo(3, 300, 225)
    network = TorchFrames(frame_scores.Aesthetic(pictures, head), lambda frame: clip_image.prepare(frame, "tensor"))
    consumer = network.open(ClipInfo(1, 0.0, 300, 225))
    consumer.push(0, frame)
    with torch.inference_mode():
        vector = pictures(torch.from_numpy(clip_image.prepare(frame, "tensor"))[None])[0]
        expected = float(head.weight[0] @ (vector / vector.norm()) + head.bias[0])
    assert consumer.finish() == pytest.approx(np.array([[expected]]), abs=1e-4)


@pytest.mark.parametrize(("entry", "network", "build"), [
    ("dino-vit-b-16", partial(dino.Dino, LAYERS), dino.build), ("musiq-spaq", partial(musiq.Musiq, LAYERS), partial(musiq.build, "musiq-spaq")),
])  # fmt: skip
def test_checkpoints_are_loaded_and_others_refused(
    entry: str, network: Callable[[], nn.Module], build: Callable[[], TorchFrames], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = seeded(network())
    torch.save(known.state_dict(), tmp_path / "w.pth")
    monkeypatch.setattr(weights, "path", lambda name: tmp_path / "w.pth" if name == entry else None)
    module, name = (dino, "Dino") if entry.startswith("dino") else (musiq, "Musiq")
    monkeypatch.setattr(module, name, network)
    frames = build()
    assert all(torch.equal(value, known.state_dict()[key]) for key, value in frames._network.state_dict().items())
    torch.save({**known.state_dict(), "other": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(EvaluatorError, match=entry):
        build()
