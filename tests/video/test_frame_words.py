"""Frames against words and pictures, and what all metrics of frames refuse."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from genlevel_evaluator import features
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from tests.video.files import picture, pictures, text_file
from tests.video.told import ALONE, TEXTED, Told, clip, numbered, photo, raw, result


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())


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
