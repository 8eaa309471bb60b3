"""Consistency, style, edits, quality and flickering of frames: known answers, pooling, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from skimage import data

from genlevel_evaluator import features, weights
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.pixels.pictures import Picture
from genlevel_video.app import EVALUATOR
from genlevel_video.measures import consistency
from tests.video.files import npz, picture, pictures, text_file

ALONE = ("subject_consistency", "background_consistency", "temporal_flickering", "aesthetic_quality", "imaging_quality", "musiq")
STEADY = ALONE[:3]
TEXTED = ("appearance_style", "frame_accuracy")


def clip(frames: NDArray[Any], fps: float = 8.0) -> Content:
    return npz(frames=frames, fps=np.array(fps))


def photo(name: str, width: int = 40, height: int = 30) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(getattr(data, name)()).resize((width, height)))


def raw(key: str, prediction: Content | None, *references: Content, **attributes: Any) -> RawSample:
    presence = Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH if references else Presence.PREDICTION_ONLY
    return RawSample(key, prediction, references, presence, attributes)


def result(metric: str, samples: Sequence[RawSample], provider: Any = None, **parameters: Any) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(replace(EVALUATOR, provider=provider), metric, parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


class Told:
    """Networks whose features the test says: a frame has the direction of its first byte, a text and a picture what they are told."""

    def __init__(self, table: NDArray[np.float32], words: dict[str, NDArray[np.float32]] | None = None) -> None:
        self._table, self._words = table, words or {}

    def device(self, name: str) -> str:
        return "told"

    def prepare(self, name: str, value: Any) -> Any:
        return value

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        return [self._one(name, value) for value in values]

    def together(self, names: Sequence[str], values: Sequence[Any], check: Callable[[], None]) -> list[Sequence[Any]]:
        return [[self._one(name, value) for name in names] for value in values]

    def _one(self, name: str, value: Any) -> Any:
        if isinstance(value, Caption):
            return self._words[value.text]
        if isinstance(value, Picture):
            return self._table[value.pixels[0, 0, 0]]
        frames = [frame for _, frame in value.read()]
        return np.array([[9.0, 1.0, 256.0]], np.float32) if name in ("dis", "raft-things") else np.stack([self._table[frame[0, 0, 0]] for frame in frames])


def numbered(*numbers: int) -> Content:
    """A clip whose frames begin with these bytes; the size makes each clip a file of its own."""
    return clip(np.stack([np.full((12, 12 + len(numbers), 3), number, np.uint8) for number in numbers]))


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())


# Known answers


@pytest.mark.weights
@pytest.mark.parametrize("metric", STEADY)
def test_a_still_clip_is_perfect_and_says_that_nothing_moves(metric: str) -> None:
    value, issues = result(metric, [raw("1", clip(np.stack([photo("coffee")] * 3))), raw("2", clip(np.stack([photo("chelsea")] * 2)))])
    assert issues == []
    assert value.value == pytest.approx(100.0, abs=1e-9)
    assert value.companions["dynamic_degree"] == 0.0
    assert (value.companions["clips"], value.companions["values"]) == (2.0, 3.0)
    assert ("not_comparable" in value.warnings) == (metric != "temporal_flickering")


def test_noise_flickers_as_derived() -> None:
    """|difference| of two uniform bytes: (256^2 - 1) / (3 x 256) on average; 9 x 64 x 64 x 3 of them err by less than a fifth of a step."""
    noise = np.random.default_rng(1).integers(0, 256, (10, 64, 64, 3), dtype=np.uint8)
    value, _ = result("temporal_flickering", [raw("1", clip(noise))])
    assert value.value == pytest.approx(100 * (255 - (256**2 - 1) / 768) / 255, abs=0.1)
    far = np.stack([np.full((12, 12, 3), byte, np.uint8) for byte in (0, 255, 0)])
    assert result("temporal_flickering", [raw("1", clip(far))])[0].value == 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_flickering_is_the_mean_over_pairs_of_the_mean_over_values(seed: int, count: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (count, 13, 14, 3), dtype=np.uint8)
    apart = np.abs(np.diff(frames.astype(np.int64), axis=0)).mean(axis=(1, 2, 3))
    value, _ = result("temporal_flickering", [raw("1", clip(frames))], Told(np.eye(256, dtype=np.float32)))
    assert value.value == pytest.approx(100 * (255 - apart.mean()) / 255, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_steadiness_is_the_mean_of_positive_cosines(seed: int, count: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(count, 5))

    def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
        return max(0.0, float(a @ b) / math.sqrt(float(a @ a) * float(b @ b)))

    expected = [50 * (cosine(rows[i], rows[i - 1]) + cosine(rows[i], rows[0])) for i in range(1, count)]
    np.testing.assert_allclose(consistency.steady(rows.astype(np.float64)), expected, atol=1e-9)


@pytest.mark.weights
@pytest.mark.parametrize("metric", ["imaging_quality", "musiq"])
def test_blur_and_noise_lower_the_quality(metric: str) -> None:
    sharp = data.astronaut()
    blurred = np.asarray(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(3)))
    noisy = np.clip(sharp + np.random.default_rng(0).normal(0, 40, sharp.shape), 0, 255).astype(np.uint8)
    found = [result(metric, [raw("1", clip(frame[None]))])[0] for frame in (sharp, blurred, noisy)]
    assert found[0].value is not None
    assert all(other.value is not None and other.value < found[0].value for other in found[1:])
    assert found[0].value == pytest.approx(100 * math.exp(-found[0].companions["niqe"] / 10))
    assert "not_comparable" in found[0].warnings
    assert not found[0].signature.comparable


@pytest.mark.weights
def test_imaging_quality_looks_at_512_pixels_and_musiq_at_all() -> None:
    large = np.asarray(Image.fromarray(data.astronaut()).resize((700, 700)))[None]
    small = [result(metric, [raw("1", clip(large))])[0].value for metric in ("imaging_quality", "musiq")]
    assert small[0] != small[1]
    fitting = [result(metric, [raw("1", clip(data.astronaut()[None]))])[0].value for metric in ("imaging_quality", "musiq")]
    assert fitting[0] == fitting[1]


def test_grey_is_not_aesthetic_and_colours_are() -> None:
    grey, red = (clip(np.full((2, 12, 12, 3), colour, np.uint8)) for colour in ((90, 90, 90), (250, 30, 30)))
    assert result("aesthetic_quality", [raw("1", grey)])[0].value == 0.0
    value = result("aesthetic_quality", [raw("1", red)])[0]
    assert value.value == pytest.approx(100 * 0.3 * math.hypot(220, 110) / 109)
    assert value.companions["colourfulness"] == pytest.approx(0.3 * math.hypot(220, 110))


@pytest.mark.parametrize(("metric", "backbone", "given", "expected"), [
    ("musiq", "musiq-koniq", (60.0, 70.0), 65.0), ("musiq", "musiq-koniq", (-3.0, 110.0), 50.0), ("imaging_quality", "musiq-spaq", (40.0, 50.0), 45.0),
    ("aesthetic_quality", "laion-aesthetic", (5.0, 6.0), 55.0),
])  # fmt: skip
def test_the_literatures_networks_are_comparable(
    metric: str, backbone: str, given: tuple[float, float], expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "digest", lambda name: "0" * 64)  # known once they are fetched
    value, issues = result(metric, [raw("1", numbered(0, 1))], Told(np.array(given, np.float32)[:, None]), backbone=backbone)
    assert issues == []
    assert value.value == pytest.approx(expected)
    assert "not_comparable" not in value.warnings
    assert value.signature.comparable


# Pooling


def test_frames_of_all_clips_count_alike_and_missing_clips_lower_the_mean() -> None:
    """Directions 0 and 1 are at right angles, 2 lies between: frames 100; 0, 50 of the first clip, 100, 100, 100 of the second."""
    table = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    clips = [raw("1", numbered(0, 1, 0)), raw("2", numbered(1, 1, 1, 1))]
    expected = (0 + 50 + 3 * 100) / 5
    value, _ = result("subject_consistency", clips, Told(table))
    assert value.value == pytest.approx(expected)
    assert value.companions["dynamic_degree"] == 100.0
    halved, _ = result("subject_consistency", [*clips, raw("3", None), raw("4", None)], Told(table))
    assert halved.value == pytest.approx(expected / 2)
    assert (halved.expected, halved.present) == (4, 2)
    assert halved.interval is not None
    assert halved.interval.low <= expected / 2 <= halved.interval.high
    third = 50 * (0 + 1) + 50 * (1 / math.sqrt(2) + 1 / math.sqrt(2))
    angled, _ = result("subject_consistency", [raw("1", numbered(0, 1, 0, 2))], Told(table))
    assert angled.value == pytest.approx(third / 3)


@pytest.mark.parametrize("metric", STEADY)
def test_a_clip_of_one_frame_has_no_value(metric: str) -> None:
    told = Told(np.eye(4, dtype=np.float32))
    alone, issues = result(metric, [raw("1", numbered(0))], told)
    assert issues == []
    assert (alone.value, alone.reason, alone.present) == (None, "too_few_samples", 1)
    beside, _ = result(metric, [raw("1", numbered(0)), raw("2", numbered(1, 1))], told)
    assert beside.value == 100.0
    assert "clips_without_value" in beside.warnings
    assert result(metric, [raw("1", None)], told)[0].value == 0.0


def test_the_static_filter_leaves_out_what_moves() -> None:
    told = Told(np.eye(4, dtype=np.float32))  # whose flow is long everywhere
    samples = [raw("1", numbered(0, 255)), raw("2", numbered(0, 255, 0))]
    value, _ = result("temporal_flickering", samples, told, static_filter="dis")
    assert (value.value, value.reason, value.companions["filtered"]) == (None, "too_few_samples", 2.0)
    assert result("temporal_flickering", samples, told)[0].value == 0.0


# Words and pictures


def test_frames_nearer_to_the_target_count_and_ties_do_not() -> None:
    words = {"a cat": np.array([1, 0], np.float32), "a dog": np.array([0, 2], np.float32), "a hare": np.array([1, 1], np.float32)}
    table = np.array([[1, 0], [0, 1], [3, 3]], np.float32)
    first = raw("1", numbered(0, 1, 2), Content(text="a cat"), source_prompt="a dog")
    second = raw("2", numbered(0, 0), Content(text="a cat"), Content(text="a hare"), source_prompt="a dog")
    value, issues = result("frame_accuracy", [first, second], Told(table, words))
    assert issues == []
    assert value.value == pytest.approx(100 * (1 + 2) / 5)
    assert value.companions["frame_consistency"] == pytest.approx(100 * (0 + 1 / math.sqrt(2) + 1) / 3)
    same = raw("1", numbered(0, 1), Content(text="a cat"), source_prompt="a cat")
    assert result("frame_accuracy", [same], Told(table, words))[0].value == 0.0


def test_style_words_against_frames_with_their_floor() -> None:
    words = {"ink": np.array([1, 0], np.float32), "oil": np.array([0, 1], np.float32)}
    table = np.array([[1, 0], [3, 4]], np.float32)
    samples = [raw("1", numbered(0, 1), Content(text="ink")), raw("2", numbered(0), Content(text="oil"))]
    value, _ = result("appearance_style", samples, Told(table, words))
    assert value.value == pytest.approx((100 + 60 + 0) / 3)
    assert value.companions["shuffled_pairs"] == pytest.approx(((0 + 80) / 2 + 100) / 2)


def test_style_pictures_against_frames_with_floor_and_ceiling() -> None:
    table = np.array([[1, 0], [0, 1], [3, 4]], np.float32)

    def style(number: int) -> Content:
        return Content(media=picture(np.full((2, 2, 3), number, np.uint8)))

    samples = [raw("1", numbered(0, 1), style(0), style(2)), raw("2", numbered(1), style(1))]
    value, issues = result("clip_style_similarity", samples, Told(table))
    assert issues == []
    assert value.value == pytest.approx(((100 + 60 + 0 + 80) / 4 + 100) / 2)
    assert value.companions["reference_pairs"] == pytest.approx(60)


@pytest.mark.weights
def test_a_frame_has_the_vector_of_the_picture_it_is() -> None:
    frame = photo("coffee")
    value, _ = result("clip_style_similarity", [raw("1", clip(np.stack([frame] * 2)), Content(media=picture(frame)))])
    assert value.value == pytest.approx(100.0, abs=1e-4)
    assert value.warnings == ("not_comparable",)


# Bad input


@pytest.mark.weights
@pytest.mark.parametrize("metric", [*ALONE, *TEXTED, "clip_style_similarity"])
def test_what_is_no_clip_is_refused_and_counts_as_missing(metric: str) -> None:
    references = {"clip_style_similarity": [Content(media=picture(photo("chelsea")))]} | {name: [Content(text="ink")] for name in TEXTED}
    bad = {
        "WRONG_TYPE": Content(text="a video of a dog"), "NO_FRAMES": clip(np.zeros((0, 12, 12, 3), np.uint8)), "WRONG_SHAPE": clip(np.zeros((2, 12, 12), np.uint8)),
        "NOT_A_VIDEO": text_file("no video", "a.mp4"),
    }  # fmt: skip
    samples = [raw(str(place), content, *references.get(metric, []), source_prompt="a dog") for place, content in enumerate(bad.values())]
    value, issues = result(metric, samples)
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction") for code in bad]
    assert all(issue.remedy for issue in issues)
    assert (value.value, value.expected, value.present) == (0.0, 4, 0)


def test_sizes_that_change_are_refused() -> None:
    frames = Content(json=[picture(np.zeros((12, width, 3), np.uint8), f"{width}.png") for width in (12, 14)])
    value, issues = result("temporal_flickering", [raw("1", frames)])
    assert [(issue.code, issue.severity) for issue in issues if issue.severity != "warning"] == [("WRONG_SHAPE", "prediction")]
    assert (value.value, value.present) == (0.0, 0)


@pytest.mark.weights
def test_clips_that_the_flow_refuses_keep_their_value() -> None:
    small = pictures(np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8))
    value, issues = result("background_consistency", [raw("1", small)])
    assert value.value is not None
    assert value.value > 0
    assert value.present == 1
    assert "dynamic_degree" not in value.companions
    assert [issue.severity for issue in issues] == ["warning"]


def test_edits_without_a_source_prompt_are_left_out() -> None:
    words = {"a cat": np.array([1, 0], np.float32), "a dog": np.array([0, 2], np.float32)}
    samples = [raw(str(place), numbered(0, 1), Content(text="a cat"), **given) for place, given in enumerate(({}, {"source_prompt": " "}, {"source_prompt": 3}))]
    value, issues = result("frame_accuracy", samples, Told(np.eye(2, dtype=np.float32), words))
    assert [(issue.code, issue.severity) for issue in issues] == [("NO_SOURCE_PROMPT", "reference")] * 3
    assert (value.value, value.excluded) == (None, 3)


@pytest.mark.parametrize(("metric", "reference", "code"), [
    ("clip_style_similarity", Content(text="ink"), "WRONG_TYPE"), ("clip_style_similarity", text_file("no picture", "a.png"), ""), ("appearance_style", Content(text="  "), "EMPTY_TEXT"),
    ("appearance_style", Content(json=[1]), "WRONG_TYPE"), ("frame_accuracy", Content(text=""), "EMPTY_TEXT"),
])  # fmt: skip
def test_references_that_are_none_are_left_out(metric: str, reference: Content, code: str) -> None:
    value, issues = result(metric, [raw("1", numbered(0, 1), reference, source_prompt="a dog")], Told(np.eye(2, dtype=np.float32)))
    assert [issue.severity for issue in issues] == ["reference"]
    assert not code or issues[0].code == code
    assert (value.value, value.reason, value.excluded) == (None, "no_reference", 1)


@pytest.mark.parametrize("metric", [*TEXTED, "clip_style_similarity"])
def test_samples_without_reference_are_left_out(metric: str) -> None:
    value, issues = result(metric, [replace(raw("1", numbered(0, 1)), presence=Presence.BOTH)], Told(np.eye(2, dtype=np.float32)))
    assert [issue.code for issue in issues] == ["NO_REFERENCE"]
    assert value.excluded == 1
