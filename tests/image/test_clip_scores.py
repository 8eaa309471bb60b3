"""clip_score_text, clip_score_image and psnr_or_clip_score: the rules of the scores, against torchmetrics' CLIPScore 1.9 and by hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as photos
from skimage.metrics import peak_signal_noise_ratio
from torchmetrics.multimodal import CLIPScore

from genlevel_evaluator import media, weights
from genlevel_evaluator.backbones import Backbone, vectors
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.networks import clip, clip_text
from genlevel_image.app import EVALUATOR
from tests.common.networks import clip_judges as judges
from tests.image.files import encoded, file_of
from tests.image.scoring import value_of

pytestmark = pytest.mark.weights

CAPTIONS = {"chelsea": "a close photo of a cat", "coffee": "a cup of coffee on a table", "rocket": "a rocket on its launch pad"}


def photograph(name: str, box: tuple[int, int, int, int] | None = None) -> Content:
    picture = Image.fromarray(getattr(photos, name)())
    return file_of(encoded(np.asarray((picture.crop(box) if box else picture).resize((120, 90)))), f"{name}.png")


def text(words: str) -> Content:
    return Content(text=words)


@pytest.fixture(scope="module")
def seeded() -> clip.Clip:
    return judges.seeded()


@pytest.fixture(scope="module")
def evaluator(seeded: clip.Clip) -> Evaluator:
    """The image evaluator with seeded weights in CLIP."""
    changed = Evaluator("image", "genlevel_image", EVALUATOR.metric_ids, has_backbones=True)
    extractor = vectors.VectorExtractor(clip.ClipFeatures(seeded, clip_text.Tokenizer(judges.vocabulary())))
    own: dict[str, Backbone] = {
        name: replace(backbone, build=lambda: extractor, preprocessing=f"seeded {float(seeded.visual.proj.double().sum())!r}") if name.startswith("clip-") else backbone
        for name, backbone in EVALUATOR.backbones.items()
    }
    changed.__dict__["backbones"] = own
    return changed


def clip_value(evaluator: Evaluator, metric: str, samples: list[RawSample], **parameters: Any) -> Value:
    scorer = Scorer.of(evaluator, metric, {"backbone": "clip-vit-b-32", **parameters})
    rows, issues = scorer.observe(samples)
    assert issues == []
    return scorer.finalize(rows)


def test_the_score_is_torchmetrics_but_for_its_clipping(evaluator: Evaluator, seeded: clip.Clip) -> None:
    pixels = [judges.photo(seed, 60, 50) for seed in range(4)]
    words = ["a dog", "two red cars at night", "the sea", "a bowl of soup"]
    samples = [RawSample(str(i), file_of(encoded(pixels[i])), (text(words[i]),)) for i in range(4)]
    judge = judges.Judge(judges.transformers_model(seeded))
    metric = CLIPScore(model_name_or_path=lambda: (judge, judge.process))
    each = []
    with torch.inference_mode():
        for i in range(4):
            found = clip_value(evaluator, "clip_score_text", samples[i : i + 1])
            metric.update(torch.from_numpy(pixels[i].transpose(2, 0, 1).copy())[None], [words[i]])
            each.append(found.value)
        total = float(metric.score / metric.n_samples)
        clipped = float(metric.compute())
    together = clip_value(evaluator, "clip_score_text", samples)
    assert together.value == pytest.approx(total, abs=1e-4)
    assert together.value == pytest.approx(np.mean(np.array(each, dtype=float)), abs=1e-12)
    assert clipped == pytest.approx(max(total, 0.0), abs=1e-6)
    opposite = samples[int(np.argmin(each))]
    assert min(each) < 0, "one pair must be below zero to show what clipping does"
    assert clip_value(evaluator, "clip_score_text", [opposite]).value == min(each)
    assert together.signature.comparable
    assert together.warnings == ()


def cosines(seeded: clip.Clip, pixels: list[Any], others: list[Any]) -> Any:
    features = clip.ClipFeatures(seeded, clip_text.Tokenizer(judges.vocabulary()))
    sides = [np.stack([features.run(features.prepare(value)) for value in values]).astype(np.float64) for values in (pixels, others)]
    one, other = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides)
    return 100.0 * one @ other.T


def test_several_captions_count_by_mean_or_best_and_pairs_are_shuffled(evaluator: Evaluator, seeded: clip.Clip) -> None:
    pixels = [judges.photo(seed, 48, 64) for seed in range(3)]
    words = [["a dog", "an animal"], ["the sea"], ["soup", "a bowl", "food"]]
    samples = [RawSample(str(i), file_of(encoded(pixels[i])), tuple(text(word) for word in words[i])) for i in range(3)]
    table = cosines(seeded, pixels, [word for group in words for word in group])
    groups = [table[:, :2], table[:, 2:3], table[:, 3:]]
    mean = clip_value(evaluator, "clip_score_text", samples)
    assert mean.value == pytest.approx(np.mean([groups[i][i].mean() for i in range(3)]), abs=1e-6)
    shuffled = np.mean([groups[j][i].mean() for i in range(3) for j in range(3) if i != j])
    assert mean.companions["shuffled_pairs"] == pytest.approx(shuffled, abs=1e-4)
    best = clip_value(evaluator, "clip_score_text", samples, captions="best")
    assert best.value == pytest.approx(np.mean([groups[i][i].max() for i in range(3)]), abs=1e-6)
    assert best.signature.digest != mean.signature.digest


def test_true_pictures_make_the_ceiling_and_nothing_else(evaluator: Evaluator, seeded: clip.Clip) -> None:
    guess, truth = judges.photo(1, 40, 40), judges.photo(2, 50, 40)
    bare = RawSample("1", file_of(encoded(guess)), (text("a dog"),))
    with_truth = replace(bare, references=(Content(json={"image": media.from_bytes(encoded(truth), "t.png")}), text("a dog")))
    plain, found = (clip_value(evaluator, "clip_score_text", [one]) for one in (bare, with_truth))
    assert found.value == plain.value
    assert found.companions["reference_pairs"] == pytest.approx(cosines(seeded, [truth], ["a dog"])[0, 0], abs=1e-6)
    assert "reference_pairs" not in plain.companions
    assert "shuffled_pairs" not in plain.companions


def test_several_references_count_by_their_mean(evaluator: Evaluator, seeded: clip.Clip) -> None:
    pixels = [judges.photo(seed, 44, 52) for seed in range(4)]
    files = [file_of(encoded(one)) for one in pixels]
    found = clip_value(evaluator, "clip_score_image", [RawSample("1", files[0], tuple(files[1:]))])
    table = cosines(seeded, pixels, pixels)
    assert found.value == pytest.approx(table[0, 1:].mean(), abs=1e-6)
    assert found.companions["reference_pairs"] == pytest.approx(np.mean([table[1, 2], table[1, 3], table[2, 3]]), abs=1e-6)
    same = clip_value(evaluator, "clip_score_image", [RawSample("1", files[0], (files[0],))])
    assert same.value == pytest.approx(100.0, abs=1e-9)


def test_the_stand_ins_are_labelled_and_tell_right_from_wrong() -> None:
    names = list(CAPTIONS)
    right = [RawSample(name, photograph(name), (text(CAPTIONS[name]),)) for name in names]
    wrong = [replace(raw, references=right[(i + 1) % 3].references) for i, raw in enumerate(right)]
    good, bad = (value_of("clip_score_text", samples)[0] for samples in (right, wrong))
    assert good.value is not None
    assert bad.value is not None
    assert good.value > bad.value + 10
    assert good.value > good.companions["shuffled_pairs"] + 10
    assert good.companions["shuffled_pairs"] == pytest.approx((bad.value + value_of("clip_score_text", [
        replace(raw, references=right[(i + 2) % 3].references) for i, raw in enumerate(right)])[0].value) / 2, abs=1e-4)  # type: ignore[operator]  # fmt: skip
    like = value_of("clip_score_image", [RawSample(name, photograph(name), (photograph(name, (40, 20, 400, 280)),)) for name in names])[0]
    assert like.value is not None
    assert like.value > like.companions["shuffled_pairs"] + 10
    for value, word in ((good, "conse"), (like, "lite0")):
        assert value.warnings == (f"{word}_not_clip",)
        assert not value.signature.comparable
        assert "stand-in" in value.signature.text
        assert "clip-vit" not in value.signature.text
        assert value.interval is not None


def test_missing_and_broken_pictures_score_nothing() -> None:
    samples = [
        RawSample("1", photograph("coffee"), (text("a cup of coffee"),)), RawSample("2", None, (text("a cat"),), Presence.PREDICTION_MISSING),
        RawSample("3", file_of(b"broken", "x.png"), (text("a dog"),)),
    ]  # fmt: skip
    alone = value_of("clip_score_text", samples[:1])[0]
    found, issues = value_of("clip_score_text", samples)
    assert found.value == pytest.approx((alone.value or 0.0) / 3)
    assert [(issue.sample_id, issue.severity) for issue in issues] == [("3", "prediction")]
    assert found.companions["predictions"] == 1


@pytest.mark.parametrize(
    ("references", "code"),
    [((text("  "),), "EMPTY_TEXT"), ((Content(json=[1]),), "WRONG_TYPE"), ((photograph("coffee"),), "NO_CAPTION"), ((Content(json={"image": "x"}),), "WRONG_TYPE")],
)
def test_references_that_are_no_captions(references: tuple[Content, ...], code: str) -> None:
    found, issues = value_of("clip_score_text", [RawSample("1", photograph("coffee"), references)])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "reference")]
    assert (found.value, found.excluded) == (None, 1)


@pytest.mark.parametrize("metric", ["clip_score_text", "clip_score_image"])
def test_parameters_that_do_not_go_together(metric: str) -> None:
    for parameters in ({"preset": "tensor"}, {"backbone": "clip-vit-l-14"}):
        with pytest.raises(EvaluatorError, match=metric):
            Scorer.of(EVALUATOR, metric, parameters)
    assert Scorer.of(EVALUATOR, metric, {"backbone": "clip-vit-b-32", "preset": "tensor"}).signature().comparable


def test_clip_without_weights_names_the_command(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    scorer = Scorer.of(Evaluator("image", "genlevel_image", EVALUATOR.metric_ids, has_backbones=True), "clip_score_text", {"backbone": "clip-vit-b-32"})
    with pytest.raises(weights.WeightsMissing) as error:
        scorer.observe([RawSample("1", file_of(encoded(judges.photo(77, 31, 30))), (text("a kite"),))])
    assert (error.value.code.value, "genlevel weights fetch clip-vit-b-32" in error.value.remedy) == ("FAILED_PRECONDITION", True)


def test_psnr_is_of_the_picture_in_the_size_of_its_reference() -> None:
    truth = photos.coffee()[:90, :120]
    large = np.asarray(Image.fromarray(photos.coffee()[:100, 10:130]).resize((200, 160)))
    samples = [RawSample("1", file_of(encoded(large)), (file_of(encoded(truth)),)), RawSample("2", file_of(encoded(truth[::-1])), (file_of(encoded(truth)),))]
    found, issues = value_of("psnr_or_clip_score", samples, beside="none")
    resized = np.asarray(Image.fromarray(large).resize((120, 90), Image.Resampling.BICUBIC))
    expected = [peak_signal_noise_ratio(truth, resized), peak_signal_noise_ratio(truth, truth[::-1])]
    assert issues == []
    assert found.value == pytest.approx(np.mean(expected), abs=0.01)  # Pillow rounds between its two passes
    assert (found.companions["resized"], found.companions["perfect_pictures"]) == (1, 0)
    assert value_of("psnr_or_clip_score", samples[1:], beside="none")[0].value == pytest.approx(expected[1], abs=1e-9)
    assert found.companions.keys() == {"resized", "perfect_pictures", "worst"}


def test_psnr_has_the_score_of_its_caption_beside_it_and_stays_comparable() -> None:
    samples = [
        RawSample("1", photograph("coffee"), (photograph("chelsea"),), attributes={"prompt": CAPTIONS["coffee"]}),
        RawSample("2", photograph("rocket"), (photograph("coffee"),), attributes={"caption": [CAPTIONS["rocket"], CAPTIONS["coffee"]], "prompt": "x"}),
        RawSample("3", photograph("rocket"), (photograph("coffee"),)),
    ]  # fmt: skip
    found, issues = value_of("psnr_or_clip_score", samples)
    pairs = [RawSample("1", photograph("coffee"), (text(CAPTIONS["coffee"]),)), RawSample("2", photograph("rocket"), (text(CAPTIONS["rocket"]), text(CAPTIONS["coffee"])))]
    assert issues == []
    assert found.companions["conse_score"] == pytest.approx(value_of("clip_score_text", pairs)[0].value, abs=1e-9)
    assert found.companions["captioned"] == 2
    assert "clip_score" not in found.companions
    assert found.value == value_of("psnr_or_clip_score", samples, beside="none")[0].value
    assert found.signature.comparable
    assert "stand-in" not in found.signature.text


def test_bit_depths_are_brought_together() -> None:
    import cv2

    shallow = judges.photo(3, 20, 16)
    deep = cv2.imencode(".png", (shallow.astype(np.uint16) * 257)[:, :, ::-1])[1].tobytes()
    assert value_of("psnr_or_clip_score", [RawSample("1", file_of(deep), (file_of(encoded(shallow)),))])[0].value == float("inf")


def test_the_evaluator_and_its_metrics_import_no_network() -> None:
    program = (
        "import sys; from genlevel_image.app import EVALUATOR; [EVALUATOR.metric(name) for name in EVALUATOR.metric_ids]; EVALUATOR.backbones; EVALUATOR.kinds;"
        "print(sorted({'torch', 'transformers', 'open_clip', 'ftfy', 'regex', 'genlevel_evaluator.networks.clip'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"
