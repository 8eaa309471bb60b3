"""Fréchet video distance: its arithmetic on features, and the whole way from files with the real I3D."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.linalg
import torch
from scipy.ndimage import gaussian_filter
from torchmetrics.image.kid import poly_mmd

from genlevel_evaluator import codec, media, scratch, states
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence, Sample
from genlevel_video.app import EVALUATOR
from genlevel_video.metrics.fvd import METRIC, WIDTH, FvdParameters, observe, score
from tests.video.generators import clip, saved


def rows_of(generated: np.ndarray, real: np.ndarray, backbone: str) -> states.Rows:
    pairs = []
    for side, features in (("prediction", generated), ("reference", real)):
        for index, feature in enumerate(features):
            pairs.append((f"{side}{index}", observe(Sample("x", features={(backbone, side): feature}), FvdParameters(backbone))))  # type: ignore[arg-type]
    return states.build(METRIC.columns, pairs)


def _features(backbone: str, seed: int, count: int) -> np.ndarray:
    width = {"i3d": 400, "r3d_18": 512}[backbone]
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(width, width)) / np.sqrt(width)
    return (random.normal(size=(count, width)) @ mixing + 0.05 * seed).astype(np.float32)


def _by_sqrtm(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(first) + np.trace(second) - 2 * np.trace(root.real))


@pytest.mark.parametrize("backbone", ["i3d", "r3d_18"])
def test_equals_the_matrix_square_root(backbone: str) -> None:
    generated, real = _features(backbone, 1, 700), _features(backbone, 2, 900)
    found = score(rows_of(generated, real, backbone), FvdParameters(backbone))  # type: ignore[arg-type]
    assert found.value == pytest.approx(_by_sqrtm(generated, real), rel=1e-6)
    assert found.companions["generated"] == 700
    assert found.companions["real"] == 900


@pytest.mark.parametrize("backbone", ["i3d", "r3d_18"])
def test_kernel_distance_equals_torchmetrics(backbone: str) -> None:
    generated, real = _features(backbone, 1, 60), _features(backbone, 2, 60)
    width = generated.shape[1]
    x, y = (torch.from_numpy(side.astype(np.float64)) for side in (generated, real))
    expected = float(poly_mmd(x, y, degree=3, gamma=1 / width, coef=1.0))
    found = score(rows_of(generated, real, backbone), FvdParameters(backbone)).companions  # type: ignore[arg-type]
    assert found["kvd"] == pytest.approx(expected, rel=1e-9)
    assert found["kvd_standard_error"] > 0


def test_few_clips_equal_the_square_root_in_absolute_terms() -> None:
    generated, real = _features("i3d", 1, 20), _features("i3d", 3, 30)
    found = score(rows_of(generated, real, "i3d"), FvdParameters())
    traces = np.cov(generated, rowvar=False).trace() + np.cov(real, rowvar=False).trace()
    assert found.value == pytest.approx(_by_sqrtm(generated, real), abs=1e-5 * traces)
    assert set(found.warnings) == {"small_sample", "rank_deficient", "not_comparable"}


def test_the_sota_network_is_comparable() -> None:
    found = score(rows_of(_features("r3d_18", 1, 5), _features("r3d_18", 2, 5), "r3d_18"), FvdParameters("r3d_18"))
    assert "not_comparable" not in found.warnings


@pytest.mark.parametrize("backbone", ["i3d", "r3d_18"])
def test_equal_sets_are_at_zero_and_a_shift_is_its_square(backbone: str) -> None:
    features = _features(backbone, 1, 30)
    parameters = FvdParameters(backbone)  # type: ignore[arg-type]
    assert score(rows_of(features, features, backbone), parameters).value == pytest.approx(0.0, abs=1e-9)
    shifted = score(rows_of(features + np.float32(0.5), features, backbone), parameters).value
    assert shifted == pytest.approx(0.25 * features.shape[1], rel=1e-5)


@pytest.mark.parametrize("backbone", ["i3d", "r3d_18"])
def test_rows_on_disk_keep_value_and_companions(backbone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generated, real = _features(backbone, 1, 1040), _features(backbone, 2, 650)
    parameters = FvdParameters(backbone)  # type: ignore[arg-type]
    whole = score(rows_of(generated, real, backbone), parameters)
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 1000)
    on_disk = states.combine([rows_of(generated, real, backbone)])
    assert isinstance(on_disk.features("prediction_features"), np.memmap)
    assert score(on_disk, parameters) == whole
    assert {"kvd", "precision", "recall", "authenticity", "fvd_infinity", "fvd_infinity_standard_error"} < set(whole.companions)
    assert whole.companions["real"] == 650


def test_too_few_clips_have_no_value() -> None:
    found = score(rows_of(_features("i3d", 1, 1), _features("i3d", 2, 5), "i3d"), FvdParameters())
    assert (found.value, found.reason) == (None, "too_few_samples")
    found = score(rows_of(_features("i3d", 1, 4), _features("i3d", 2, 0), "i3d"), FvdParameters())
    assert (found.value, found.reason) == (None, "no_reference")


def _value(samples: list[RawSample]) -> tuple[Value, list[str]]:
    scorer = Scorer.of(EVALUATOR, "fvd", {})
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), [issue.code for issue in issues]


def _side(key: str, content: Content, side: str) -> RawSample:
    if side == "prediction":
        return RawSample(key, content, (), Presence.PREDICTION_ONLY)
    return RawSample(key, None, (content,), Presence.REFERENCE_ONLY)


@pytest.mark.weights
def test_from_files_to_a_value_and_noise_makes_it_worse() -> None:
    random = np.random.default_rng(0)
    real = [clip(random, 4, 24, 32) for _ in range(3)]
    contents = [saved(f"{i}.npz", frames=frames) for i, frames in enumerate(real)]
    noisy = [
        saved(f"n{i}.npz", frames=np.clip(frames + random.normal(0, 40, frames.shape), 0, 255).astype(np.uint8))
        for i, frames in enumerate(real)
    ]
    references = [_side(f"r{i}", content, "reference") for i, content in enumerate(contents)]
    same, issues = _value([*references, *(_side(f"p{i}", content, "prediction") for i, content in enumerate(contents))])
    assert same.value == pytest.approx(0.0, abs=1e-8)
    assert not issues
    assert (same.expected, same.present) == (3, 3)
    worse, _ = _value([*references, *(_side(f"p{i}", content, "prediction") for i, content in enumerate(noisy))])
    assert worse.value > 10
    assert worse.signature.backbones[0].name == "i3d"
    assert worse.signature.backbones[0].reference
    assert "not_comparable" in worse.warnings
    assert not codec.encode_value(worse).comparable  # the reference network of FVD, but not that of the SoTA


@pytest.mark.weights
def test_more_blur_and_more_noise_are_further_away() -> None:
    random = np.random.default_rng(0)
    real = [clip(random, 3, 48, 64) for _ in range(2)]
    references = [_side(f"r{i}", saved("r.npz", frames=frames), "reference") for i, frames in enumerate(real)]

    def away(change: Callable[[np.ndarray], np.ndarray]) -> float:
        changed = [saved("p.npz", frames=np.clip(change(frames.astype(float)), 0, 255).astype(np.uint8)) for frames in real]
        value, _ = _value([*references, *(_side(f"p{i}", content, "prediction") for i, content in enumerate(changed))])
        assert value.value is not None
        return value.value

    blurred = [away(lambda frames, width=width: gaussian_filter(frames, (0, width, width, 0))) for width in (0.5, 2.0)]
    noisy = [away(lambda frames, width=width: frames + np.random.default_rng(1).normal(0, width, frames.shape)) for width in (10, 60)]
    assert 1 < blurred[0] < blurred[1]
    assert 1 < noisy[0] < noisy[1]


@pytest.mark.weights
def test_a_bad_clip_costs_coverage_only() -> None:
    random = np.random.default_rng(1)
    good = [saved(f"{i}.npz", frames=clip(random, 2)) for i in range(4)]
    bad = Content(media=media.from_bytes(b"no video", "bad.mp4"))
    samples = [_side("p0", good[0], "prediction"), _side("p1", good[1], "prediction"), _side("p2", bad, "prediction")]
    samples += [_side("r0", good[2], "reference"), _side("r1", good[3], "reference")]
    value, issues = _value(samples)
    assert value.value is not None
    assert (value.expected, value.present) == (3, 2)
    assert issues == ["NOT_A_VIDEO"]


def test_state_has_one_width_for_both_networks() -> None:
    for backbone in ("i3d", "r3d_18"):
        row = observe(Sample("1", features={(backbone, "prediction"): _features(backbone, 1, 1)[0]}), FvdParameters(backbone))  # type: ignore[arg-type]
        assert row["prediction_features"].shape == (1, WIDTH)
