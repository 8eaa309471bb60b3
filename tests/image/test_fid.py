"""FID: the network against those of pytorch-fid 0.3.0 and torch-fidelity 0.4.0, presets against these and clean-fid 0.1.35, and the metric."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cleanfid.resize import build_resizer
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from pytorch_fid import inception as pytorch_fid
from pytorch_fid.fid_score import calculate_frechet_distance
from skimage import data as photos
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
from torch_fidelity.metric_kid import kernel_mmd
from torch_fidelity.metric_prc import calculate_precision_recall_full

from genlevel_evaluator import weights
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_image.app import EVALUATOR
from genlevel_image.backbones import inception_fid, resize
from genlevel_image.media import Picture
from tests.image.generators import encoded, file_of, photo, picture_sets, sample


def picture(width: int, height: int, seed: int = 0) -> Picture:
    return Picture(photo(np.random.default_rng(seed), width, height), "")


def randomised(model: torch.nn.Module) -> None:
    """Seeded weights whose activations neither die nor explode, with batch statistics off their defaults."""
    generator = torch.Generator().manual_seed(11)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            fan = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * math.sqrt(2 / fan)
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.copy_(0.8 + 0.4 * torch.rand(tensor.shape, generator=generator))
            for tensor in (module.bias.data, module.running_mean):
                tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))


@pytest.fixture(scope="module")
def model() -> inception_fid.InceptionFeatures:
    torch.manual_seed(0)
    built = inception_fid.InceptionFeatures().eval()
    randomised(built)
    return built


def judge_network(model: inception_fid.InceptionFeatures) -> torch.nn.Module:
    """pytorch-fid's network, built as it builds it but without its download, with the same weights."""
    network = pytorch_fid._inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    for name, block in {
        "Mixed_5b": pytorch_fid.FIDInceptionA(192, pool_features=32), "Mixed_5c": pytorch_fid.FIDInceptionA(256, pool_features=64),
        "Mixed_5d": pytorch_fid.FIDInceptionA(288, pool_features=64), "Mixed_6b": pytorch_fid.FIDInceptionC(768, channels_7x7=128),
        "Mixed_6c": pytorch_fid.FIDInceptionC(768, channels_7x7=160), "Mixed_6d": pytorch_fid.FIDInceptionC(768, channels_7x7=160),
        "Mixed_6e": pytorch_fid.FIDInceptionC(768, channels_7x7=192), "Mixed_7b": pytorch_fid.FIDInceptionE_1(1280),
        "Mixed_7c": pytorch_fid.FIDInceptionE_2(2048),
    }.items():
        setattr(network, name, block)
    missing, unexpected = network.load_state_dict(model.state_dict(), strict=False)
    assert unexpected == []
    assert set(missing) == {"fc.weight", "fc.bias"}
    return network


def judge_program(network: torch.nn.Module, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """pytorch-fid's InceptionV3 around a given network: its own slicing, resizing and scaling."""
    monkeypatch.setattr(pytorch_fid, "fid_inception_v3", lambda: network)
    built: torch.nn.Module = pytorch_fid.InceptionV3([3]).eval()
    return built


def test_features_equal_pytorch_fid(model: inception_fid.InceptionFeatures, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = judge_program(judge_network(model), monkeypatch)
    ours = inception_fid.InceptionExtractor(model, "torch", unit_range=False)
    for size in ((64, 48), (299, 299), (400, 333)):
        shown = picture(*size)
        x = torch.from_numpy(shown.pixels.transpose(2, 0, 1).copy())[None].float() / 255.0  # as torchvision's ToTensor
        with torch.inference_mode():
            expected = judge(x)[0][0, :, 0, 0].numpy()
        found = ours.extract([shown])[0]
        assert expected.std() > 0.01
        assert found == pytest.approx(expected, abs=1e-4, rel=1e-4)


@pytest.fixture
def checkpoint(model: inception_fid.InceptionFeatures, tmp_path: Path) -> Path:
    """Seeded weights in the form of pt_inception-2015-12-05."""
    file = tmp_path / "pt_inception.pth"
    torch.save({**model.state_dict(), "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, file)
    return file


def test_features_equal_torch_fidelity_with_a_checkpoint_of_the_reference_form(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(checkpoint))
    monkeypatch.setattr(weights, "path", lambda name: {"pt-inception-2015-12-05": checkpoint}[name])
    ours = inception_fid.load("inception-2015", "tf1")
    for size in ((64, 48), (299, 299), (400, 333)):
        shown = picture(*size, seed=2)
        with torch.inference_mode():
            expected = judge(torch.from_numpy(shown.pixels.transpose(2, 0, 1).copy())[None])[0][0].numpy()
        assert ours.extract([shown])[0] == pytest.approx(expected, abs=1e-4, rel=1e-4)


def test_a_checkpoint_of_another_network_is_refused(model: inception_fid.InceptionFeatures) -> None:
    state = model.state_dict()
    del state["Mixed_7c.branch1x1.conv.weight"]
    with pytest.raises(EvaluatorError, match=r"Mixed_7c\.branch1x1\.conv\.weight") as error:
        inception_fid.load_state(model, state)
    assert error.value.code.value == "FAILED_PRECONDITION"


@pytest.mark.parametrize("size", [(10, 17), (299, 299), (640, 480)])
def test_tf1_resizing_equals_torch_fidelity(size: tuple[int, int]) -> None:
    shown = picture(*size, seed=3)
    x = torch.from_numpy(shown.pixels.transpose(2, 0, 1).copy())[None].float()
    expected = (interpolate_bilinear_2d_like_tensorflow1x(x, size=(299, 299), align_corners=False) - 128) / 128
    assert resize.prepare(shown, "tf1", unit_range=False).numpy() == pytest.approx(expected.numpy(), abs=2e-5)


def test_clean_resizing_averages_where_the_others_alias() -> None:
    stripes = np.zeros((598, 598, 3), np.uint8)
    stripes[:, ::2] = 255
    shown = Picture(stripes, "")
    clean, tf1 = (resize.prepare(shown, preset, unit_range=True).numpy() for preset in ("clean", "tf1"))
    assert clean[..., 20:-20].std() < 0.01
    assert clean.mean() == pytest.approx(0.5, abs=0.01)
    assert set(np.unique(tf1)) == {1.0}


@pytest.mark.parametrize("size", [(10, 17), (299, 299), (299, 40), (640, 480)])
def test_clean_resizing_equals_clean_fid(size: tuple[int, int]) -> None:
    shown = picture(*size, seed=4)
    expected = (build_resizer("clean")(shown.pixels).transpose(2, 0, 1) - 128) / 128  # as clean-fid's network scales it
    assert resize.prepare(shown, "clean", unit_range=False).numpy()[0] == pytest.approx(expected, abs=1e-6)


def theirs_of(preset: str, network: torch.nn.Module, file: Path, shown: Picture, monkeypatch: pytest.MonkeyPatch) -> NDArray[np.float64]:
    """Features by the program of that preset, its own resizing and scaling, with the same weights."""
    x = torch.from_numpy(shown.pixels.transpose(2, 0, 1).copy())[None]
    with torch.inference_mode():
        if preset == "tf1":
            judge = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(file))
            return np.asarray(judge(x)[0][0], dtype=np.float64)
        program = judge_program(network, monkeypatch)
        if preset == "torch":
            return np.asarray(program(x.float() / 255.0)[0][0, :, 0, 0], dtype=np.float64)
        # clean-fid's network is a TorchScript file that cannot be had; the graph it holds is the one of pytorch-fid.
        program.resize_input = program.normalize_input = False
        resized = torch.from_numpy(build_resizer("clean")(shown.pixels).transpose(2, 0, 1).copy())[None]
        return np.asarray(program((resized - 128) / 128)[0][0, :, 0, 0], dtype=np.float64)


@pytest.mark.parametrize("preset", ["torch", "tf1", "clean"])
def test_fid_equals_that_of_each_program_under_its_own_resizing(
    preset: str, model: inception_fid.InceptionFeatures, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded random weights, pictures of several sizes; the distance by the program's own function, in the span of the rows."""
    monkeypatch.setattr(weights, "path", lambda name: {"pt-inception-2015-12-05": checkpoint}[name])
    monkeypatch.setattr(weights, "digest", lambda name: "0" * 64)
    sizes = [(64, 48), (299, 299), (340, 310)]
    pictures = [[picture(*sizes[i % 3], seed=10 * side + i) for i in range(4)] for side in range(2)]
    network = judge_network(model)
    theirs = [np.stack([theirs_of(preset, network, checkpoint, shown, monkeypatch) for shown in side]) for side in pictures]
    own = replace(EVALUATOR, _extractors={})  # or the seeded network would stay for the tests after this one
    scorer = Scorer.of(own, "fid", {"backbone": "inception-2015", "preset": preset})
    rows, issues = scorer.observe([sample(str(i), *(file_of(encoded(shown.pixels)) for shown in pair)) for i, pair in enumerate(zip(*pictures, strict=True))])
    assert issues == []
    for side, expected in zip(("prediction", "reference"), theirs, strict=True):
        assert features(rows, side) == pytest.approx(expected, abs=1e-4, rel=1e-4)
    span, _ = np.linalg.qr(np.vstack(theirs).T)
    moments = [part for side in (theirs[0] @ span, theirs[1] @ span) for part in (side.mean(axis=0), np.cov(side, rowvar=False))]
    scale = float(np.trace(moments[1]) + np.trace(moments[3]))
    assert scorer.finalize(rows).value == pytest.approx(calculate_frechet_distance(*moments), abs=1e-5 * scale)


@pytest.mark.parametrize("preset", ["torch", "tf1", "clean"])
def test_ranges_of_the_presets(preset: str) -> None:
    white = Picture(np.full((20, 30, 3), 255, np.uint8), "")
    deep = Picture(np.full((20, 30, 3), 65535, np.uint16), "")
    top = 1.0 if preset == "torch" else 127 / 128
    for shown in (white, deep):
        assert resize.prepare(shown, preset, unit_range=False).numpy() == pytest.approx(top, abs=1e-6)
        assert resize.prepare(shown, preset, unit_range=True).numpy() == pytest.approx(1.0, abs=1e-6)


def features(rows: Any, side: str) -> NDArray[np.float64]:
    return np.asarray(rows.features(f"{side}_features"), dtype=np.float64)


@pytest.mark.weights
def test_stand_in_weights_are_loaded_where_they_belong() -> None:
    """The head those weights were trained with says Neutral of harmless photographs: a wrong layer would not."""
    arrays = weights.arrays("inception-v3-nsfwjs")
    extractor = inception_fid.load("inception-v3-nsfwjs", "torch")
    for name in ("coffee", "rocket", "chelsea"):
        x: NDArray[Any] = extractor.extract([Picture(getattr(photos, name)(), "")])[0]
        for layer in ("dense_1", "dense_2"):
            x = np.maximum(x @ arrays[f"{layer}/kernel"] + arrays[f"{layer}/bias"], 0)
        logits = x @ arrays["dense_3/kernel"] + arrays["dense_3/bias"]
        share = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        assert share[2] > 0.9, (name, share)  # Drawing, Hentai, Neutral, Porn, Sexy


@pytest.mark.weights
def test_the_metric_is_the_distance_of_its_features() -> None:
    scorer = Scorer.of(EVALUATOR, "fid")
    rows, issues = scorer.observe(picture_sets(np.random.default_rng(1), 10))
    found = scorer.finalize(rows)
    generated, real = features(rows, "prediction"), features(rows, "reference")
    assert issues == []
    assert (len(generated), len(real)) == (found.companions["predictions"], found.companions["references"]) == (8, 8)
    # In the 16 dimensions the rows span the distance is the same, and pytorch-fid's matrix square root takes no minute.
    span, _ = np.linalg.qr(np.vstack([generated, real]).T)
    moments = [part for side in (generated @ span, real @ span) for part in (side.mean(axis=0), np.cov(side, rowvar=False))]
    scale = float(sum(np.trace(part) for part in moments[1::2]))
    assert found.value == pytest.approx(calculate_frechet_distance(*moments), abs=1e-6 * scale)
    expected = kernel_mmd(generated, real, kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1.0)
    assert found.companions["kid"] == pytest.approx(float(expected), rel=1e-6, abs=1e-9)
    shares = calculate_precision_recall_full(torch.from_numpy(generated), torch.from_numpy(real))
    assert [found.companions[name] for name in ("precision", "recall")] == pytest.approx([100 * share for share in shares], abs=1e-4)
    assert found.warnings == ("small_sample", "rank_deficient")
    assert found.interval is None
    assert not found.signature.comparable
    assert "stand-in" in found.signature.text


@pytest.mark.weights
def test_stronger_blur_of_photographs_is_farther_away() -> None:
    sources = [Image.fromarray(getattr(photos, name)()) for name in ("coffee", "rocket", "chelsea", "astronaut")]
    real = [source.crop((x, 60, x + 200, 260)) for source in sources for x in (40, 200)]
    values = []
    for radius in (0, 1, 4):
        pairs = [(photograph.filter(ImageFilter.GaussianBlur(radius)), photograph) for photograph in real]
        scorer = Scorer.of(EVALUATOR, "fid")
        rows, _ = scorer.observe([sample(str(i), *(file_of(encoded(np.asarray(p))) for p in pair)) for i, pair in enumerate(pairs)])
        values.append(scorer.finalize(rows).value)
    assert values[0] == pytest.approx(0.0, abs=1e-6)
    assert values[0] < values[1] < values[2]


@pytest.mark.weights
def test_one_side_alone_is_too_few() -> None:
    scorer = Scorer.of(EVALUATOR, "fid")
    guess = file_of(encoded(picture(30, 30).pixels))
    rows, issues = scorer.observe([sample("1", guess, None), sample("2", guess, None)])
    found = scorer.finalize(rows)
    assert issues == []
    assert (found.value, found.reason) == (None, "no_reference")
    rows, _ = scorer.observe([sample("1", guess, guess), sample("2", guess, None)])
    assert scorer.finalize(rows).reason == "too_few_samples"


@pytest.mark.weights
def test_a_broken_generated_picture_lowers_the_coverage() -> None:
    scorer = Scorer.of(EVALUATOR, "fid")
    samples = [*picture_sets(np.random.default_rng(4), 4), sample("z", file_of(b"broken", "z.png"), file_of(encoded(picture(30, 30).pixels)))]
    rows, issues = scorer.observe(samples)
    found = scorer.finalize(rows)
    assert [(issue.sample_id, issue.severity, issue.file) for issue in issues] == [("z", "prediction", "z.png")]
    assert found.present < found.expected
    assert found.companions["references"] == 4


def test_the_reference_network_says_when_its_weights_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genlevel_evaluator.weights import WeightsMissing

    monkeypatch.setattr("genlevel_evaluator.weights.path", lambda name: (_ for _ in ()).throw(WeightsMissing(name, "not fetched")))
    scorer = Scorer.of(EVALUATOR, "fid", {"backbone": "inception-2015"})
    assert scorer.signature().comparable
    with pytest.raises(Exception, match="not fetched"):
        scorer.observe([RawSample("1", file_of(encoded(picture(30, 30).pixels)))])


@pytest.mark.parametrize("parameters", [{"preset": "tf2"}, {"backbone": "vgg"}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="fid"):
        Scorer.of(EVALUATOR, "fid", parameters)
