"""LPIPS beside PSNR against torchmetrics 1.9, its published heads over trunks of seeded random weights; the trunks' own cannot be had offline."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from skimage import data
from torchmetrics.functional.image.lpips import _LPIPS

from genlevel_evaluator import weights
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_image.app import EVALUATOR
from genlevel_image.backbones import lpips
from genlevel_image.backbones.pairs import LARGEST, SMALLEST, Pair
from genlevel_image.media import Picture
from tests.image.files import encoded, file_of, photo, sample
from tests.image.scoring import value_of

pytestmark = pytest.mark.weights
NETWORKS = {"alex": torchvision.models.alexnet, "vgg": torchvision.models.vgg16}
TRUTH = data.astronaut()[100:164, 190:270]
BLURRED = np.clip(TRUTH + np.random.default_rng(1).normal(0, 20, TRUTH.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=["alex", "vgg"])
def networks(request: pytest.FixtureRequest) -> tuple[str, lpips.LpipsExtractor, _LPIPS]:
    """Ours and the oracle with the same weights."""
    name = request.param
    torch.manual_seed(5)
    trunk = {key: value for key, value in NETWORKS[name](weights=None).state_dict().items() if key.startswith("features.")}
    ours = lpips.Distance(name)
    heads = torch.load(weights.path(f"lpips-heads-{name}"), map_location="cpu", weights_only=True)
    lpips.load_state(ours, trunk, heads, name)
    theirs = _LPIPS(pretrained=True, net=name, pnet_rand=True).eval()
    for key, parameter in theirs.net.named_parameters():
        parameter.data.copy_(trunk["features." + key.split(".", 1)[1]])
    return name, lpips.LpipsExtractor(ours, name), theirs


def by_torchmetrics(judge: _LPIPS, guess: np.ndarray, truth: np.ndarray) -> float:
    tensors = [torch.tensor(side / np.iinfo(side.dtype).max).float().permute(2, 0, 1)[None] for side in (guess, truth)]
    with torch.no_grad():
        return float(judge(*tensors, normalize=True))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, networks: tuple[str, lpips.LpipsExtractor, _LPIPS]) -> str:
    """The metric with the random trunk."""
    name, ours, _ = networks
    monkeypatch.setitem(EVALUATOR._extractors, f"lpips.{name}", ours)
    return name


def test_pairs_by_torchmetrics(networks: tuple[str, lpips.LpipsExtractor, _LPIPS]) -> None:
    name, ours, theirs = networks
    deep = [np.ascontiguousarray(side).astype(np.uint16) * 257 for side in (BLURRED, TRUTH)]
    odd = [np.ascontiguousarray(side[:41, :57]) for side in (BLURRED, TRUTH)]
    small = [np.ascontiguousarray(side[: SMALLEST[name], : SMALLEST[name]]) for side in (BLURRED, TRUTH)]
    for guess, truth in ((BLURRED, TRUTH), deep, odd, small):
        found = float(ours.extract([Pair(Picture(guess, ""), Picture(truth, ""))])[0][0])
        assert found == pytest.approx(by_torchmetrics(theirs, guess, truth), rel=1e-4)
        assert found > 0
    assert float(ours.extract([Pair(Picture(TRUTH, ""), Picture(TRUTH, ""))])[0][0]) == 0.0


def test_it_stands_beside_psnr(stand_in: str, networks: tuple[str, lpips.LpipsExtractor, _LPIPS]) -> None:
    small = photo(np.random.default_rng(3), 12, 12)
    pairs = [(BLURRED, TRUTH), (TRUTH, TRUTH), (small, small)]
    samples = [sample(str(i), file_of(encoded(g)), file_of(encoded(t))) for i, (g, t) in enumerate(pairs)]
    samples.append(sample("9", None, file_of(encoded(TRUTH))))
    found, issues = value_of("psnr", samples, lpips=stand_in)
    assert found.companions["lpips"] == pytest.approx(by_torchmetrics(networks[2], BLURRED, TRUTH) / 2, rel=1e-4)
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("2", "LPIPS_LEFT_OUT", "warning")]
    assert found.value == value_of("psnr", samples)[0].value


def test_pictures_of_another_size_are_refused_all_the_same(stand_in: str) -> None:
    raw = [sample("1", file_of(encoded(TRUTH[:-1])), file_of(encoded(TRUTH)))]
    found, issues = value_of("psnr", raw, lpips=stand_in)
    assert [issue.code for issue in issues] == ["SIZE_MISMATCH"]
    assert "lpips" not in found.companions


@pytest.mark.parametrize("networks", ["alex"], indirect=True)
def test_shards_of_any_cut_agree(stand_in: str) -> None:
    scorer = Scorer.of(EVALUATOR, "psnr", {"lpips": stand_in})
    samples: list[RawSample] = [sample(str(i), file_of(encoded(np.roll(BLURRED, i, 0))), file_of(encoded(TRUTH))) for i in range(5)]
    together, _ = scorer.observe(samples)
    alone = [float(scorer.observe([each])[0].column("lpips")[0]) for each in samples]
    assert together.column("lpips").tolist() == alone


def test_too_large_is_left_out_before_the_network_sees_it(networks: tuple[str, lpips.LpipsExtractor, _LPIPS]) -> None:
    name, ours, _ = networks
    wide = np.broadcast_to(np.zeros(3, np.uint8), (1024, LARGEST[name] // 1024 + 1, 3))
    assert ours.extract([Pair(Picture(wide, ""), Picture(wide, ""))])[0].size == 0


@pytest.mark.parametrize("name", ["alex", "vgg"])
def test_without_weights_it_says_how_to_fetch_them(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    monkeypatch.delitem(EVALUATOR._extractors, f"lpips.{name}", raising=False)
    raw = [sample("1", file_of(encoded(np.roll(TRUTH, 9, 0))), file_of(encoded(TRUTH)))]
    with pytest.raises(EvaluatorError) as error:
        value_of("psnr", raw, lpips=name)
    assert error.value.code is Code.FAILED_PRECONDITION
    assert f"genlevel weights fetch {lpips.TRUNKS[name].weights}" in error.value.remedy


def test_another_checkpoint_is_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"features\.0\.weight") as error:
        lpips.load_state(lpips.Distance("alex"), {"features.1.weight": torch.zeros(3)}, {}, "alex")
    assert error.value.code is Code.FAILED_PRECONDITION
