"""Consistency, quality and flickering of frames: known answers and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from skimage import data

from genlevel_evaluator import features, weights
from genlevel_video.measures import consistency
from tests.video.told import STEADY, Told, clip, numbered, photo, raw, result


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


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_flickering_is_the_mean_over_pairs_of_the_mean_over_values(seed: int, count: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (count, 13, 14, 3), dtype=np.uint8)
    apart = np.abs(np.diff(frames.astype(np.int64), axis=0)).mean(axis=(1, 2, 3))
    value, _ = result("temporal_flickering", [raw("1", clip(frames))], Told(np.eye(256, dtype=np.float32)))
    assert value.value == pytest.approx(100 * (255 - apart.mean()) / 255, rel=1e-12)


@settings(max_examples=50)
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
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", "CLIP_TOO_SHORT", "warning")]
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
