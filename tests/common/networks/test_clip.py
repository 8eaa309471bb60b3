"""CLIP ViT-B/32 against open_clip 3.3.0 and transformers 5.23 with the same seeded weights, and its checkpoint's form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as vision

from genlevel_evaluator import weights
from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_evaluator.networks import clip, clip_image, clip_text, lite0
from tests.common.networks import clip_judges as judges

pytestmark = pytest.mark.weights  # the vocabulary

clip_class = clip.Clip
SIZES = ((224, 224), (300, 225), (97, 640), (31, 33))


@pytest.fixture(scope="module")
def model() -> clip.Clip:
    return judges.seeded()


@pytest.fixture(scope="module")
def features(model: clip.Clip) -> clip.ClipFeatures:
    return clip.ClipFeatures(model, clip_text.Tokenizer(judges.vocabulary()))


def close(found: object, expected: torch.Tensor) -> None:
    reference = expected.detach().numpy()
    assert reference.std() > 0.1
    assert found == pytest.approx(reference, abs=1e-4 * float(np.abs(reference).max()))


def test_features_equal_open_clip(model: clip.Clip, features: clip.ClipFeatures) -> None:
    judge = judges.open_clip_model(model)
    tokenizer = judges.open_clip_tokenizer()
    with torch.inference_mode():
        for seed, size in enumerate(SIZES):
            pixels = judges.photo(seed, *size)
            close(features.run(features.prepare(pixels)), judge.encode_image(judges.open_clip_pixels(pixels)[None])[0])
        for text in judges.TEXTS[:4]:
            close(features.run(features.prepare(text)), judge.encode_text(tokenizer([text]))[0])


def test_vit_l_14_equals_open_clip_and_has_its_size() -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in clip.Clip(clip.VIT_L_14).parameters()) == 427_616_513  # OpenAI's ViT-L/14
    model = judges.seeded(clip.VIT_L_14)
    judge = judges.open_clip_model(model)
    with torch.inference_mode():
        pixels = torch.from_numpy(clip_image.prepare(judges.photo(3, 300, 225), "tensor"))[None]
        close(model.visual(pixels)[0].numpy(), judge.encode_image(pixels)[0])


def test_the_pictures_half_of_a_checkpoint_is_read_alone(model: clip.Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "ViT.pt"
    judges.archive(dict(model.state_dict()), place)
    monkeypatch.setattr(weights, "path", lambda name: place)
    shape = judges.small(clip.VIT_B_32)
    found = clip.load_pictures("clip-vit-b-32", shape).state_dict()
    assert all(torch.equal(found[name], value) for name, value in model.visual.state_dict().items())
    with pytest.raises(EvaluatorError, match="lacks"):
        clip.load_pictures("clip-vit-l-14", clip.VIT_L_14)


def test_features_equal_transformers(model: clip.Clip, features: clip.ClipFeatures) -> None:
    judge = judges.Judge(judges.transformers_model(model))
    missing, unexpected = judge.model.load_state_dict(judges.renamed(model.state_dict()), strict=False)
    assert (list(unexpected), [name for name in missing if "position_ids" not in name]) == ([], [])
    assert sum(parameter.numel() for parameter in judge.model.parameters()) == sum(parameter.numel() for parameter in model.parameters())
    with torch.inference_mode():
        pixels = judges.photo(7, 400, 300)
        close(features.run(features.prepare(pixels)), judge.get_image_features(torch.from_numpy(features.prepare(pixels))[None])[0])
        for text in judges.TEXTS[:3]:
            numbers = torch.from_numpy(features.prepare(text))[None]
            close(features.run(numbers[0].numpy()), judge.get_text_features(numbers, torch.ones_like(numbers))[0])


def test_the_network_has_the_size_of_transformers_default() -> None:
    from transformers import CLIPConfig, CLIPModel

    with torch.device("meta"):
        counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (clip.Clip(), CLIPModel(CLIPConfig()))]
    assert counts == [151_277_313, 151_277_313]


@pytest.mark.parametrize("size", SIZES)
def test_preprocessing_equals_open_clip_and_torchvision(size: tuple[int, int]) -> None:
    pixels = judges.photo(3, *size)
    assert clip_image.prepare(pixels, "pil") == pytest.approx(judges.open_clip_pixels(pixels).numpy(), abs=1e-6)
    resized = vision.resize(torch.from_numpy(pixels.transpose(2, 0, 1).copy()), 224, InterpolationMode.BICUBIC, antialias=False)
    crop = vision.center_crop(resized, [224, 224]).float() / 255
    expected = vision.normalize(crop, [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
    found = clip_image.prepare(pixels, "tensor")
    assert np.abs(found - expected.numpy()).max() <= 1.01 / 255 / 0.26  # a level where torchvision rounds the other way
    assert np.abs(found - expected.numpy()).mean() < 1e-3


def test_antialiasing_is_what_the_presets_differ_by() -> None:
    stripes = np.zeros((448, 448, 3), np.uint8)
    stripes[:, ::2] = 255
    assert clip_image.prepare(stripes, "pil")[:, :, 20:-20].std(axis=(1, 2)).max() < 0.05
    assert clip_image.prepare(judges.photo(1, 224, 224), "pil") == pytest.approx(clip_image.prepare(judges.photo(1, 224, 224), "tensor"), abs=1e-6)


def test_deep_pictures_are_brought_to_eight_bits() -> None:
    pixels = judges.photo(2, 60, 50)
    deep = pixels.astype(np.uint16) * 257
    assert np.array_equal(clip_image.prepare(deep, "pil"), clip_image.prepare(pixels, "pil"))


@pytest.fixture(scope="module")
def tokenizers() -> tuple[clip_text.Tokenizer, object]:
    return clip_text.Tokenizer(judges.vocabulary()), judges.open_clip_tokenizer()


@pytest.mark.parametrize("text", judges.TEXTS)
def test_tokens_equal_open_clip(text: str, tokenizers: tuple[clip_text.Tokenizer, object]) -> None:
    ours, theirs = tokenizers
    assert ours(text).tolist() == theirs([text])[0].tolist()  # type: ignore[operator]


@settings(max_examples=150)
@given(text=st.text(max_size=60))
def test_tokens_of_any_text_equal_open_clip(text: str, tokenizers: tuple[clip_text.Tokenizer, object]) -> None:
    ours, theirs = tokenizers
    assert ours(text).tolist() == theirs([text])[0].tolist()  # type: ignore[operator]


def test_a_long_text_keeps_its_first_75_pieces(tokenizers: tuple[clip_text.Tokenizer, object]) -> None:
    ours = tokenizers[0]
    long, short = ours("cat " * 75 + "dog"), ours("cat " * 75)
    assert np.array_equal(long, short)
    assert (long[0], long[76]) == (49_406, 49_407)
    assert not np.array_equal(ours("cat " * 74 + "dog"), short)


def test_features_do_not_depend_on_what_ran_before(features: clip.ClipFeatures) -> None:
    prepared = [features.prepare(judges.photo(seed, 50, 40)) for seed in range(3)]
    forwards = [features.run(one) for one in prepared]
    backwards = [features.run(one) for one in reversed(prepared)]
    assert all(np.array_equal(one, other) for one, other in zip(forwards, reversed(backwards), strict=True))


def test_openai_s_archive_is_read(model: clip.Clip, features: clip.ClipFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judges.archive(model.state_dict(), tmp_path / "ViT-B-32.pt")
    files = {"clip-vit-b-32": tmp_path / "ViT-B-32.pt", "clip-vocabulary": judges.vocabulary()}
    monkeypatch.setattr(weights, "path", files.__getitem__)
    monkeypatch.setattr(clip, "Clip", lambda: clip_class(judges.small(clip.VIT_B_32)))
    loaded = clip.load()
    pixels = np.asarray(Image.fromarray(judges.photo(4, 80, 60)))
    assert np.array_equal(loaded.run(loaded.prepare(pixels)), features.run(features.prepare(pixels)))
    assert np.array_equal(loaded.run(loaded.prepare("a dog")), features.run(features.prepare("a dog")))


def test_a_checkpoint_of_another_network_is_refused(model: clip.Clip) -> None:
    state = model.state_dict()
    state["visual.conv1.weight"] = torch.zeros(768, 3, 16, 16)  # ViT-B/16
    with pytest.raises(EvaluatorError, match=r"visual\.conv1\.weight") as error:
        clip.load_state(model, state)
    assert error.value.code.value == "FAILED_PRECONDITION"
    assert "genlevel weights fetch clip-vit-b-32" in error.value.remedy


def test_without_the_weights_the_command_that_brings_them_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    with pytest.raises(weights.WeightsMissing) as error:
        clip.load()
    assert error.value.code.value == "FAILED_PRECONDITION"
    assert "genlevel weights fetch clip-vit-b-32" in error.value.remedy


@pytest.mark.parametrize("prepare", [clip_image.prepare, lambda pixels, _: lite0.prepare(pixels)], ids=["clip", "lite0"])
def test_a_strip_is_refused_before_it_is_enlarged_to_gigabytes(prepare: Callable[..., np.ndarray]) -> None:
    for shape in ((2, 512, 3), (512, 2, 3)):
        assert prepare(np.zeros(shape, np.uint8), "pil").shape == (3, 224, 224)
    for shape in ((2, 8000, 3), (513, 2, 3)):
        with pytest.raises(SampleError, match=f"a picture of {shape[1]} x {shape[0]} pixels, one side more than 256 times the other"):
            prepare(np.zeros(shape, np.uint8), "pil")
