"""Structure measure and its companions against PySODMetrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from genlevel_evaluator import media
from genlevel_evaluator.engine import Value
from genlevel_evaluator.kinds import Content
from tests.video.files import issue_of, npz, picture, pictures, result, run_oracle, sample, value_of

Frames = NDArray[np.uint8]


def masks(seed: int, frames: int, height: int, width: int) -> Frames:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(frames, height, width)), (0, 4, 4))
    return ((noise > np.quantile(noise, 0.75)) * 255).astype(np.uint8)


def guesses(truth: Frames, seed: int) -> Frames:
    """Soft, shifted and noisy, of no more than 8 bits."""
    random = np.random.default_rng(seed)
    soft = ndimage.gaussian_filter(np.roll(truth, (1, 2), (1, 2)).astype(float), (0, 2, 2)) * 0.8 + random.normal(10, 8, truth.shape)
    return np.clip(soft, 0, 255).astype(np.uint8)


def measured(guess: Frames, truth: Frames, **parameters: Any) -> Value:
    return value_of("s_measure", [(npz(frames=guess), npz(frames=truth))], **parameters)


@pytest.mark.parametrize("size", [(40, 60), (61, 33)])
def test_equals_pysodmetrics(size: tuple[int, int], tmp_path: Path) -> None:
    truth = np.concatenate([masks(1, 6, *size), np.zeros((1, *size), np.uint8), np.full((1, *size), 255, np.uint8)])
    truth[0] = 0
    truth[0, :2, :3] = 255  # its centroid is at the border
    truth[1, 5, 5], truth[2] = 128, 0
    truth[2, 7, 9] = 255  # one pixel
    guess = guesses(truth, 2)
    guess[3] //= 6
    expected = run_oracle("maps", tmp_path, guess=guess, truth=truth)["frames"]
    value = measured(guess, truth)
    assert value.value == pytest.approx(100 * np.mean([entry["sm"] for entry in expected]), rel=1e-10)
    assert value.companions["mae"] == pytest.approx(np.mean([entry["mae"] for entry in expected]), rel=1e-10)
    assert value.companions["e_measure"] == pytest.approx(np.mean([entry["em"] for entry in expected]), rel=1e-10)
    assert value.companions["weighted_f"] == pytest.approx(np.mean([entry["wfm"] for entry in expected]), rel=1e-6)
    for place, entry in enumerate(expected):
        one = measured(guess[place : place + 1], truth[place : place + 1])
        assert one.value == pytest.approx(100 * entry["sm"], rel=1e-9), place
        assert one.companions["weighted_f"] == pytest.approx(entry["wfm"], rel=1e-6), place


def test_the_upstream_formula_written_out() -> None:
    truth = masks(4, 1, 20, 24)
    guess = guesses(truth, 5)
    p, g = guess[0] / 255, truth[0] > 128
    y = g.mean()

    def likeness(values: NDArray[np.float64]) -> float:
        mean = values.mean()
        return float(2 * mean / (mean * mean + 1 + values.std() + 1e-8))

    total = 0.5 * (y * likeness(p[g]) + (1 - y) * likeness(1 - p[~g]))
    row, column = (int(np.round(places.mean())) for places in np.nonzero(g))
    for part in (np.s_[:row, :column], np.s_[:row, column:], np.s_[row:, :column], np.s_[row:, column:]):
        a, b = p[part], g[part].astype(float)
        both = ((a - a.mean()) * (b - b.mean())).mean()
        light = (2 * a.mean() * b.mean() + 1e-4) / (a.mean() ** 2 + b.mean() ** 2 + 1e-4)
        total += 0.5 * a.size / p.size * light * (2 * both + 9e-4) / (a.var() + b.var() + 9e-4)
    assert measured(guess, truth, variant="upstream").value == pytest.approx(100 * total, rel=1e-10)


def test_a_faint_map_of_the_right_shape_is_perfect_unless_taken_as_it_is() -> None:
    truth = masks(6, 2, 30, 30)
    faint = truth // 12
    perfect = measured(faint, truth)
    assert perfect.value == pytest.approx(100.0, abs=1e-9)
    assert perfect.companions["mae"] == 0.0
    assert perfect.companions["e_measure"] == pytest.approx(1.0, abs=2e-2)
    assert perfect.companions["weighted_f"] == pytest.approx(1.0, abs=1e-9)
    assert (measured(faint, truth, normalise="none").value or 100) < 60


def test_frames_of_one_colour() -> None:
    black, white = np.zeros((1, 5, 5), np.uint8), np.full((1, 5, 5), 255, np.uint8)
    grey = np.full((1, 5, 5), 51, np.uint8)
    assert measured(grey, black).value == pytest.approx(80.0)
    assert measured(grey, white).value == pytest.approx(20.0)
    assert measured(black, black).value == 100.0 == measured(white, white).value
    assert measured(black, white).value == 0.0


def test_centroids_at_the_border_have_a_value() -> None:
    truth = np.zeros((1, 6, 6), np.uint8)
    truth[0, 0, 0] = 255
    assert measured(truth, truth).value == pytest.approx(100.0)
    assert measured(truth, truth, variant="upstream").value == pytest.approx(100.0, abs=1e-3)
    corner = truth[:, ::-1, ::-1]
    assert measured(corner, corner).value == pytest.approx(100.0)


def test_every_form_of_frames_is_the_same_frames() -> None:
    truth = masks(7, 2, 20, 20)
    guess = guesses(truth, 8)
    expected = measured(guess, truth)
    forms = [pictures(guess), npz(frames=guess / 255.0), npz(frames=guess.astype(np.float64) / 255)]
    for form in forms:
        value = value_of("s_measure", [(form, pictures(truth))])
        assert value.value == pytest.approx(expected.value, rel=1e-9)
        assert value.companions["weighted_f"] == pytest.approx(expected.companions["weighted_f"], rel=1e-9)
    numbered, single = pictures(truth // 255), npz(frames=truth > 0)
    assert {value_of("s_measure", [(npz(frames=guess), form)]).value for form in (numbered, single)} == {expected.value}


def test_a_missing_clip_is_as_wrong_as_can_be() -> None:
    truth = npz(frames=masks(9, 2, 10, 10))
    value, issues = result("s_measure", [sample("1", None, truth), sample("2", truth, truth)])
    assert issues == []
    assert value.value == pytest.approx(50.0)
    assert value.companions["mae"] == 0.5


def test_weighted_f_can_be_left_out() -> None:
    truth = masks(10, 1, 10, 10)
    assert "weighted_f" not in measured(truth, truth, weighted_f=False).companions


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12))
def test_laws_of_structure(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    truth = ((random.random((1, height, width)) < random.random()) * 255).astype(np.uint8)
    guess = random.integers(0, 256, truth.shape, dtype=np.uint8)
    value = measured(guess, truth)
    assert 0 <= (value.value or 0) <= 100 + 1e-9
    assert all(-1e-9 <= value.companions[name] <= 1 + 1e-9 or height * width < 3 for name in ("mae", "weighted_f"))
    assert measured(truth, truth).value == pytest.approx(100.0)
    low, high = guess.min(), guess.max()
    if high > low:
        stretched = ((guess.astype(float) - low) / (float(high) - low)).astype(np.float64)
        assert value_of("s_measure", [(npz(frames=stretched), npz(frames=truth))]).value == pytest.approx(value.value, rel=1e-9)


TRUTH = masks(11, 2, 8, 9)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (npz(frames=TRUTH[:1]), "FRAME_COUNT_MISMATCH"), (npz(frames=TRUTH[:, :-1]), "SIZE_MISMATCH"), (npz(frames=TRUTH[0]), "WRONG_SHAPE"),
        (npz(frames=TRUTH.astype(np.float32)), "OUT_OF_RANGE"), (npz(frames=np.full(TRUTH.shape, np.nan)), "OUT_OF_RANGE"), (npz(frames=TRUTH.astype(int)), "WRONG_SHAPE"),
        (npz(a=TRUTH, b=TRUTH), "WRONG_SHAPE"), (Content(text="a map"), "WRONG_TYPE"), (Content(json=[]), "WRONG_TYPE"), (Content(json={"frames": 1}), "WRONG_TYPE"),
        (Content(media=media.from_bytes(b"no picture", "a.png")), "FRAME_COUNT_MISMATCH"),
        (pictures(np.random.default_rng(0).integers(0, 9, (2, 8, 9, 3), dtype=np.uint8)), "WRONG_TYPE"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_refused(given: Content, code: str) -> None:
    assert issue_of("s_measure", given, npz(frames=TRUTH)) == (code, "prediction")


def test_a_damaged_frame_is_named_and_belongs_to_its_side() -> None:
    whole = picture(TRUTH[0])
    cut = media.from_bytes(whole.read()[:45], "cut.png")
    damaged = Content(json=[whole, cut])
    assert issue_of("s_measure", damaged, npz(frames=TRUTH)) == ("MEDIA_TRUNCATED", "prediction")
    assert issue_of("s_measure", npz(frames=TRUTH), damaged) == ("MEDIA_TRUNCATED", "reference")
    _, issues = result("s_measure", [sample("1", damaged, npz(frames=TRUTH))])
    assert issues[0].pointer == "/1"
