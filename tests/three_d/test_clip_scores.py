"""clip_score_text and clip_score_image of shapes: the scores of their views as the image evaluator gives them, and transformers' network."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.backbones import Backbone
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.networks import clip, clip_text
from genlevel_image.app import EVALUATOR as IMAGES
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.backbones.rings import RingExtractor
from genlevel_three_d.decode import KINDS
from genlevel_three_d.render.pictures import ring
from tests.common.networks import clip_judges as judges

pytestmark = pytest.mark.weights


def file_of(data: bytes, name: str) -> Content:
    return Content(media=media.from_bytes(data, name))


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def ball(colour: tuple[int, int, int], up: float = 1.0) -> Content:
    mesh = trimesh.creation.icosphere(3)
    mesh.apply_scale([1.0, up, 1.0])
    mesh.visual.vertex_colors = colour
    return file_of(mesh.export(file_type="ply"), "ball.ply")


def text(words: str) -> Content:
    return Content(text=words)


def given(content: Content) -> Content:
    """The views of a shape as pictures rendered elsewhere."""
    views = ring(KINDS["views"].read(content, "prediction", {}))
    return Content(json=[media.from_bytes(png(view), f"{i}.png") for i, view in enumerate(views)])


def value_of(metric: str, samples: list[RawSample], evaluator: Evaluator = EVALUATOR, **parameters: Any) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(evaluator, metric, parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), list(issues)


@pytest.fixture(scope="module")
def seeded() -> clip.Clip:
    return judges.seeded()


@pytest.fixture(scope="module")
def evaluator(seeded: clip.Clip) -> Evaluator:
    """The 3D evaluator with seeded weights in CLIP."""
    changed = Evaluator("three_d", "genlevel_three_d", EVALUATOR.metric_ids, has_backbones=True)
    extractor = RingExtractor(clip.ClipFeatures(seeded, clip_text.Tokenizer(judges.vocabulary())), "y")
    own: dict[str, Backbone] = {
        name: replace(backbone, build=lambda: extractor, preprocessing="seeded, of shapes") if name.startswith("clip-") else backbone
        for name, backbone in EVALUATOR.backbones.items()
    }
    changed.__dict__["backbones"] = own
    return changed


def test_it_is_the_mean_over_the_views_of_transformers_clip(evaluator: Evaluator, seeded: clip.Clip) -> None:
    shape, words = ball((200, 30, 30), 0.5), "a red ball"
    found, issues = value_of("clip_score_text", [RawSample("1", shape, (text(words),))], evaluator, backbone="clip-vit-b-32")
    judge = judges.Judge(judges.transformers_model(seeded))
    pixels = list(ring(KINDS["views"].read(shape, "prediction", {})))
    with torch.inference_mode():
        seen, read = judge.process(images=[torch.from_numpy(one.transpose(2, 0, 1).copy()) for one in pixels]), judge.process(text=[words])
        pictures, caption = judge.get_image_features(seen["pixel_values"]), judge.get_text_features(read["input_ids"], read["attention_mask"])
    cosines = 100.0 * torch.nn.functional.cosine_similarity(pictures, caption).double().numpy()
    assert issues == []
    assert found.value == pytest.approx(cosines.mean(), abs=1e-3)
    assert found.companions["lowest_view"] == pytest.approx(cosines.min(), abs=1e-3)
    assert found.companions["highest_view"] == pytest.approx(cosines.max(), abs=1e-3)
    assert found.companions["views"] == 8
    assert (found.signature.comparable, found.warnings) == (True, ())


def test_it_is_the_score_of_the_views_as_pictures() -> None:
    """Both default networks: rendered here, and as the image evaluator scores the views; or given as pictures."""
    shape, other = ball((230, 120, 20)), file_of(png(judges.photo(1, 60, 50)), "photo.png")
    pictures = given(shape)
    texts = value_of("clip_score_text", [RawSample("1", shape, (text("an orange"),))])[0]
    each = [RawSample(str(i), Content(media=blob), (text("an orange"),)) for i, blob in enumerate(pictures.json)]
    assert texts.value == pytest.approx(value_of("clip_score_text", each, IMAGES)[0].value, abs=1e-9)
    likeness, as_given = (value_of("clip_score_image", [RawSample("1", one, (other,))])[0] for one in (shape, pictures))
    assert likeness.value == as_given.value
    for found, word in ((texts, "conse"), (likeness, "lite0")):
        assert found.warnings == (f"{word}_not_clip",)
        assert not found.signature.comparable
        assert "stand-in" in found.signature.text


def test_captions_by_mean_or_best_and_true_shapes_as_ceiling(evaluator: Evaluator) -> None:
    def score(*references: Content, shape: Content, **parameters: Any) -> Value:
        return value_of("clip_score_text", [RawSample("1", shape, references)], evaluator, backbone="clip-vit-b-32", **parameters)[0]

    shape, words = ball((230, 120, 20)), (text("an orange"), text("a warship at sea"))
    single = [score(one, shape=shape).value or 0.0 for one in words]
    assert score(*words, shape=shape).value == pytest.approx(np.mean(single), abs=1e-9)
    assert score(*words, shape=shape, captions="best").value == pytest.approx(max(single), abs=1e-9)
    found = score(Content(json={"shape": shape.media}), words[0], shape=ball((0, 0, 255)))
    assert found.companions["reference_pairs"] == pytest.approx(single[0], abs=1e-9)
    assert found.value != single[0]


def test_up_turns_the_shape_and_changes_the_signature() -> None:
    tall = trimesh.creation.cylinder(0.3, 2.0)  # along z
    tall.visual.vertex_colors = np.linspace(0, 255, len(tall.vertices))[:, None].repeat(3, 1).astype(np.uint8)
    lying = tall.copy().apply_transform([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    z, y = (KINDS["views"].read(file_of(mesh.export(file_type="ply"), "a.ply"), "prediction", {}) for mesh in (tall, lying))

    class Pixels:
        def prepare(self, value: Any) -> Any:
            return value

    as_z, as_y = (np.stack(RingExtractor(Pixels(), up).prepare(scene)).astype(int) for scene, up in ((z, "z"), (y, "y")))  # type: ignore[arg-type]
    assert np.abs(as_z - as_y).mean() < 0.1
    assert np.abs(np.stack(RingExtractor(Pixels(), "y").prepare(z)).astype(int) - as_z).mean() > 10  # type: ignore[arg-type]
    digests = {Scorer.of(EVALUATOR, "clip_score_text", {"up": up}).signature().digest for up in "yz"}
    assert len(digests) == 2


def test_what_the_pictures_depend_on_is_in_the_signature() -> None:
    uses = EVALUATOR.backbones["clip-vit-b-32.pil.up-y"].preprocessing
    for part in ("8 views", "elevation 20", "field of view 43.6", "224 x 224", "4 samples", "white background", "light", "ambient 0.4", "farthest point at 1", "balls of radius", "y up"):
        assert part in uses


def test_missing_and_broken_shapes_score_nothing() -> None:
    samples = [
        RawSample("1", file_of(png(judges.photo(2, 30, 30)), "a.png"), (text("an orange"),)), RawSample("2", None, (text("a cat"),), Presence.PREDICTION_MISSING),
        RawSample("3", file_of(b"ply\nbroken", "x.ply"), (text("a dog"),)),
    ]  # fmt: skip
    alone = value_of("clip_score_text", samples[:1])[0]
    found, issues = value_of("clip_score_text", samples)
    assert found.value == pytest.approx((alone.value or 0.0) / 3)
    assert [(issue.sample_id, issue.severity) for issue in issues] == [("3", "prediction")]
    assert (found.companions["predictions"], found.companions["views"]) == (1, 1)


@pytest.mark.parametrize(("references", "code"), [((text(" "),), "EMPTY_TEXT"), ((Content(json=[1]),), "WRONG_TYPE"), ((Content(json={"shape": "x"}),), "WRONG_TYPE")])
def test_references_that_are_no_captions(references: tuple[Content, ...], code: str) -> None:
    found, issues = value_of("clip_score_text", [RawSample("1", file_of(png(judges.photo(2, 30, 30)), "a.png"), references)])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "reference")]
    assert (found.value, found.excluded) == (None, 1)


@pytest.mark.parametrize("metric", ["clip_score_text", "clip_score_image"])
def test_parameters_that_do_not_go_together(metric: str) -> None:
    for parameters in ({"preset": "tensor"}, {"backbone": "clip-vit-l-14"}, {"up": "x"}):
        with pytest.raises(EvaluatorError, match=metric):
            Scorer.of(EVALUATOR, metric, parameters)
    assert Scorer.of(EVALUATOR, metric, {"backbone": "clip-vit-b-32", "preset": "tensor", "up": "z"}).signature().comparable


def test_the_evaluator_and_its_metrics_import_no_network() -> None:
    program = (
        "import sys; from genlevel_three_d.app import EVALUATOR; [EVALUATOR.metric(name) for name in EVALUATOR.metric_ids]; EVALUATOR.backbones; EVALUATOR.kinds;"
        "print(sorted({'torch', 'open3d', 'trimesh', 'PIL', 'ftfy', 'regex', 'genlevel_evaluator.networks.clip'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"
