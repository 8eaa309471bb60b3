"""Absolute relative depth error against DepthCrafter's evaluation in depth, written out with numpy's least squares."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from genlevel_evaluator import media
from genlevel_evaluator.kinds import Content
from tests.video.files import issue_of, npz, result, sample, value_of

Depth = NDArray[np.float32]


def scene(seed: int, frames: int = 5, height: int = 12, width: int = 16) -> Depth:
    """Smooth depths between 1 and some 90 m, some pixels without a measurement."""
    random = np.random.default_rng(seed)
    depth = np.exp(random.uniform(0, 4.5, (frames, height, width))).astype(np.float32)
    depth[random.random(depth.shape) < 0.1] = 0.0
    return depth


def guessed(truth: Depth, seed: int, noise: float = 0.02) -> Depth:
    """Inverse depths off by a scale, a shift and noise, never below what DepthCrafter cuts off."""
    random = np.random.default_rng(seed)
    inverse = 3.0 / np.maximum(truth, 1) + 0.5 + noise * random.normal(size=truth.shape)
    return np.maximum(inverse, 0.01).astype(np.float32)


def depthcrafter(guess: Depth, truth: Depth, limit: float) -> dict[str, float]:
    """Alignment to 1 / depth by one scale and shift, errors in depth, mean over frames."""
    ours, depth = guess.astype(np.float64), truth.astype(np.float64)
    valid = (depth > 1e-3) & (depth < limit)
    design = np.stack([ours[valid], np.ones(valid.sum())], axis=1)
    scale, shift = np.linalg.lstsq(design, 1.0 / depth[valid], rcond=None)[0]
    found = np.clip(1.0 / np.maximum(scale * ours + shift, 1e-3), 1e-3, limit)
    each: dict[str, list[float]] = {"abs_rel": [], "delta_1": [], "rmse": [], "temporal": []}
    for place in range(len(depth)):
        use = valid[place]
        if place:
            both = use & valid[place - 1]
            change = (found[place] - found[place - 1]) - (depth[place] - depth[place - 1])
            each["temporal"] += [float(np.abs(change[both]).mean())] if both.any() else []
        if use.any():
            p, g = found[place][use], depth[place][use]
            each["abs_rel"].append(float((np.abs(p - g) / g).mean()))
            each["delta_1"].append(float((np.maximum(p / g, g / p) < 1.25).mean()))
            each["rmse"].append(float(np.sqrt(((p - g) ** 2).mean())))
    return {name: float(np.mean(values)) for name, values in each.items()}


@pytest.mark.parametrize("limit", [10.0, 70.0, 80.0])
def test_equals_depthcrafter(limit: float) -> None:
    truths = [scene(1), scene(2, 3, 9, 7)]
    guesses = [guessed(truth, seed) for seed, truth in enumerate(truths)]
    expected = [depthcrafter(guess, truth, limit) for guess, truth in zip(guesses, truths, strict=True)]
    pairs = [(npz(disparity=guess[:, None]), npz(disparity=truth[:, None])) for guess, truth in zip(guesses, truths, strict=True)]
    value = value_of("abs_rel", pairs, maximum_depth=limit)
    assert value.value == pytest.approx(np.mean([entry["abs_rel"] for entry in expected]), rel=1e-9)
    for name, other in (("delta_1", "delta_1"), ("rmse", "rmse"), ("temporal_error", "temporal")):
        assert value.companions[name] == pytest.approx(np.mean([entry[other] for entry in expected]), rel=1e-9)
    assert value.interval is not None
    assert value.interval.low <= (value.value or 0) <= value.interval.high


def test_the_upstream_variant_aligns_straight_to_depth() -> None:
    truth, guess = scene(3), guessed(scene(3), 4)
    ours, depth = guess.astype(np.float64), truth.astype(np.float64)
    valid = (depth > 1e-3) & (depth < 80.0)
    design = np.stack([ours[valid], np.ones(valid.sum())], axis=1)
    scale, shift = np.linalg.lstsq(design, depth[valid], rcond=None)[0]
    found = np.clip(scale * ours + shift, 1e-3, 80.0)
    expected = (np.abs(found - depth) / np.where(valid, depth, 1))[valid].mean()
    value = value_of("abs_rel", [(npz(disparity=guess), npz(disparity=truth))], variant="upstream", maximum_depth=10.0)
    assert value.value == pytest.approx(expected, rel=1e-9)  # pixels of all frames alike, and 80 m whatever is asked for


def test_a_scale_and_a_shift_cost_nothing() -> None:
    truth = scene(5)
    exact = np.where(truth > 0, 1 / np.maximum(truth, 1e-6), 0).astype(np.float64)
    for scale, shift in ((1.0, 0.0), (300.0, -7.0), (1e-4, 12.0)):
        value = value_of("abs_rel", [(npz(disparity=scale * exact + shift), npz(depth=truth))])
        assert value.value == pytest.approx(0.0, abs=1e-7)
        assert value.companions["median_scale"] == pytest.approx(1 / scale, rel=1e-6)


def test_predictions_may_be_depths_and_references_inverse_depths() -> None:
    truth = scene(6)
    truth = np.where(truth > 0, truth, 1).astype(np.float32)
    assert value_of("abs_rel", [(npz(depth=2 * truth), npz(depth=truth))], prediction_space="depth").value == pytest.approx(0.0, abs=1e-6)
    inverse = 1 / truth.astype(np.float64)
    assert value_of("abs_rel", [(npz(disparity=inverse), npz(disparity=inverse))], reference_space="disparity").value == pytest.approx(0.0, abs=1e-9)


def test_one_depth_for_all_is_level() -> None:
    truth = np.array([[[2.0, 4.0]]], np.float32)
    for level in (1.0, 0.1, 12345.678):
        value = value_of("abs_rel", [(npz(disparity=np.full(truth.shape, level)), npz(disparity=truth))])
        assert value.value == pytest.approx(1 / 3, rel=1e-12)  # 1/2 and 1/4 meet at 3/8: 8/3 m


def test_frames_weigh_alike_and_those_without_a_pixel_nothing() -> None:
    truth = np.full((3, 1, 4), 2.0, np.float32)
    truth[0, 0, 1:], truth[2] = np.nan, 0.0
    truth[1, 0, 0] = 4.0
    guess = 1 / np.where(truth > 0, truth, 1)
    guess[0, 0, 0] = 1 / 2.5
    value = value_of("abs_rel", [(npz(disparity=guess), npz(disparity=truth))])
    assert value.companions["frames"] == 2
    assert value.value == pytest.approx(depthcrafter(guess.astype(np.float32), np.nan_to_num(truth), 80.0)["abs_rel"], rel=1e-6)


def test_a_missing_clip_lowers_the_coverage() -> None:
    truth = npz(disparity=scene(7))
    value, issues = result("abs_rel", [sample("1", None, truth), sample("2", npz(disparity=guessed(scene(7), 1)), truth)])
    assert issues == []
    assert (value.expected, value.present) == (2, 1)
    assert not value.missing_scored_as_worst


def test_forms_of_arrays() -> None:
    truth, guess = scene(8), guessed(scene(8), 2)
    expected = value_of("abs_rel", [(npz(disparity=guess), npz(disparity=truth))]).value
    buffer = io.BytesIO()
    np.save(buffer, guess[:, None])
    forms = [npz(disparity=guess[:, None]), npz(depth=guess), npz(whatever=guess), Content(media=media.from_bytes(buffer.getvalue(), "a.npy"))]
    assert {value_of("abs_rel", [(form, npz(disparity=truth))]).value for form in forms} == {expected}


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-50, 50))
def test_laws_of_alignment(seed: int, scale: float, shift: float) -> None:
    truth = scene(seed, 2, 5, 6)
    guess = guessed(truth, seed, 0.05).astype(np.float64)
    plain, _ = result("abs_rel", [sample("1", npz(disparity=guess), npz(disparity=truth))])
    moved, _ = result("abs_rel", [sample("1", npz(disparity=scale * guess + shift), npz(disparity=truth))])
    if plain.value is None or moved.value is None:  # near and far turned round, for both alike
        assert plain.value is moved.value is None
        return
    assert moved.value == pytest.approx(plain.value, rel=1e-5)
    turned, _ = result("abs_rel", [sample("1", npz(disparity=guess[::-1, :, ::-1]), npz(disparity=truth[::-1, :, ::-1]))])
    assert turned.value == pytest.approx(plain.value, rel=1e-9)


TRUTH = scene(9)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (npz(disparity=guessed(TRUTH, 1)[:-1]), "FRAME_COUNT_MISMATCH"), (npz(disparity=guessed(TRUTH, 1)[:, :-1]), "SIZE_MISMATCH"),
        (npz(disparity=TRUTH), "NEGATIVE_SCALE"), (npz(disparity=np.full(TRUTH.shape, np.nan, np.float32)), "NOT_FINITE"),
        (npz(disparity=np.full(TRUTH.shape, -np.inf)), "NOT_FINITE"), (npz(disparity=np.where(TRUTH > 3, 1e308, -1e308)), "OUT_OF_RANGE"), (npz(disparity=TRUTH[0]), "WRONG_SHAPE"), (npz(disparity=TRUTH[:0]), "WRONG_SHAPE"),
        (npz(disparity=np.stack([TRUTH] * 2, axis=1)), "WRONG_SHAPE"), (npz(a=TRUTH, b=TRUTH), "WRONG_SHAPE"), (npz(disparity=TRUTH, depth=TRUTH), "WRONG_SHAPE"),
        (npz("a.exr", depth=TRUTH), "UNKNOWN_FORMAT"), (Content(media=media.from_bytes(b"PK no zip", "a.npz")), "NOT_AN_ARRAY"),
        (Content(text="near"), "WRONG_TYPE"), (Content(json=[[1.0]]), "WRONG_TYPE"), (npz(disparity=np.ones(TRUTH.shape, bool)), "WRONG_SHAPE"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_refused(given: Content, code: str) -> None:
    assert issue_of("abs_rel", given, npz(disparity=TRUTH)) == (code, "prediction")


def test_what_the_reference_does_not_know_need_not_be_finite() -> None:
    guess = guessed(TRUTH, 1)
    hidden = np.where(TRUTH > 0, guess, np.nan)
    plain, other = (value_of("abs_rel", [(npz(disparity=side), npz(disparity=TRUTH))], maximum_depth=1000.0) for side in (guess, hidden))
    assert plain.value == other.value


@pytest.mark.parametrize(
    ("truth", "code"), [(TRUTH * 0, "NO_VALID_PIXEL"), (TRUTH * np.nan, "NO_VALID_PIXEL"), (TRUTH + 100, "NO_VALID_PIXEL"), (TRUTH / 200, "NOT_METRES")]
)
def test_references_that_cannot_be_used_are_left_out(truth: Any, code: str) -> None:
    assert issue_of("abs_rel", npz(disparity=guessed(TRUTH, 1)), npz(disparity=truth)) == (code, "reference")


def test_near_scenes_are_read_when_they_are_said_to_be_depth() -> None:
    near = np.where(TRUTH > 0, TRUTH / 200, 0).astype(np.float32)
    assert value_of("abs_rel", [(npz(disparity=guessed(TRUTH, 1)), npz(disparity=near))], reference_space="depth").value is not None
