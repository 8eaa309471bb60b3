"""RMS depth error against scikit-learn, and what is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_percentage_error, root_mean_squared_error

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from tests.image.files import array_of, encoded, file_of, sample
from tests.image.scoring import value_of

RANDOM = np.random.default_rng(6)
TRUTH = [RANDOM.uniform(0.5, 9, (12 + i, 10)) for i in range(3)]
GUESS = [t * RANDOM.uniform(0.7, 1.2, t.shape) for t in TRUTH]


def samples() -> list[RawSample]:
    return [sample(str(i), array_of(g), array_of(t)) for i, (g, t) in enumerate(zip(GUESS, TRUTH, strict=True))]


def clipped(index: int) -> np.ndarray:
    return np.clip(GUESS[index], 0.001, 10)


def test_means_of_scikit_learn() -> None:
    found, issues = value_of("depth_rms", samples())
    assert issues == []
    assert found.value == pytest.approx(100 * np.mean([root_mean_squared_error(TRUTH[i].ravel(), clipped(i).ravel()) for i in range(3)]), rel=1e-12)
    relative = np.mean([mean_absolute_percentage_error(TRUTH[i].ravel(), clipped(i).ravel()) for i in range(3)])
    assert found.companions["abs_rel"] == pytest.approx(relative, rel=1e-12)
    pooled = root_mean_squared_error(np.concatenate([t.ravel() for t in TRUTH]), np.concatenate([clipped(i).ravel() for i in range(3)]))
    assert found.companions["pooled_rms"] == pytest.approx(100 * pooled, rel=1e-12)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_the_other_companions() -> None:
    guess, truth = array_of(np.array([[1.0, 2.0, 4.0]])), array_of(np.array([[1.0, 2.6, 2.0]]))
    found, _ = value_of("depth_rms", [sample("1", guess, truth)])
    assert found.companions["delta_1"] == pytest.approx(1 / 3)
    assert found.companions["log10"] == pytest.approx((np.log10(1.3) + np.log10(2)) / 3)
    assert found.companions["valid_pixels"] == 3


def test_only_valid_pixels_of_the_reference_count() -> None:
    truth, guess = TRUTH[0].copy(), GUESS[0].copy()
    truth[0, :5] = [0, 10, 12, np.nan, np.inf]
    guess[0, :5] = np.nan
    expected = 100 * root_mean_squared_error(truth.ravel()[5:], np.clip(guess.ravel()[5:], 0.001, 10))
    assert value_of("depth_rms", [sample("1", array_of(guess), array_of(truth))])[0].value == pytest.approx(expected, rel=1e-12)
    farther = value_of("depth_rms", [sample("1", array_of(np.full((1, 2), 15.0)), array_of(np.full((1, 2), 12.0)))], max_depth=80)
    assert farther[0].value == pytest.approx(300.0)


def test_an_unmeasured_prediction_is_the_smallest_depth() -> None:
    holes = file_of(encoded(np.array([[0, 2000]], np.uint16)))
    found, _ = value_of("depth_rms", [sample("1", holes, array_of(np.array([[2.001, 2.0]])))])
    assert found.value == pytest.approx(100 * np.sqrt(4 / 2), rel=1e-9)


@pytest.mark.parametrize("scale", [1000, 5000, 256])
def test_pictures_by_their_scale(scale: int) -> None:
    guess, truth = (np.round(values * scale).astype(np.uint16) for values in (GUESS[0], TRUTH[0]))
    found, _ = value_of("depth_rms", [sample("1", file_of(encoded(guess)), file_of(encoded(truth)))], depth_scale=scale)
    assert found.value == pytest.approx(100 * root_mean_squared_error(truth.ravel() / scale, np.clip(guess.ravel() / scale, 0.001, 10)), rel=1e-12)


def test_named_array_of_an_archive() -> None:
    file = io.BytesIO()
    np.savez(file, depth=GUESS[0], mask=np.ones(3))
    packed = file_of(file.getvalue(), "d.npz")
    assert value_of("depth_rms", [sample("1", packed, array_of(TRUTH[0]))])[0].value == value_of("depth_rms", samples()[:1])[0].value


def test_scale_by_the_medians_only_when_asked() -> None:
    third = [sample("1", array_of(TRUTH[0] / 3), array_of(TRUTH[0]))]
    assert value_of("depth_rms", third, alignment="median")[0].value == pytest.approx(0.0, abs=1e-9)
    assert value_of("depth_rms", third)[0].value > 100
    nothing = [sample("1", array_of(np.zeros_like(TRUTH[0])), array_of(TRUTH[0]))]
    assert [issue.code for issue in value_of("depth_rms", nothing, alignment="median")[1]] == ["DEGENERATE"]


@settings(max_examples=40)
@given(st.floats(0.01, 9.9), st.floats(0.01, 9.9))
def test_one_pixel(guess: float, truth: float) -> None:
    found, _ = value_of("depth_rms", [sample("1", array_of(np.array([[guess]])), array_of(np.array([[truth]])))])
    assert found.value == pytest.approx(100 * abs(guess - truth), abs=1e-9)


@pytest.mark.parametrize(
    ("guess", "code"),
    [
        (array_of(GUESS[1]), "SIZE_MISMATCH"),
        (array_of(np.full(TRUTH[0].shape, np.nan)), "NOT_FINITE"),
        (file_of(encoded(np.zeros(TRUTH[0].shape, np.uint8))), "WRONG_TYPE"),
        (file_of(encoded(np.zeros((*TRUTH[0].shape, 4), np.uint8))), "WRONG_TYPE"),
        (file_of(encoded(RANDOM.integers(0, 9, (50, 50), dtype=np.uint16))[:-40]), "MEDIA_TRUNCATED"),
        (array_of(np.zeros((2, 20_000))), "IMAGE_TOO_LARGE"),
        (Content(json=2.5), "WRONG_TYPE"),
    ],
)
def test_bad_depths_are_issues_and_lower_the_coverage(guess: Content, code: str) -> None:
    found, issues = value_of("depth_rms", [sample("1", guess, array_of(TRUTH[0]))])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]
    assert issues[0].remedy
    assert (found.value, found.present, found.expected) == (None, 0, 1)


def test_a_reference_without_a_valid_pixel_is_left_out() -> None:
    found, issues = value_of("depth_rms", [sample("x", array_of(GUESS[0]), array_of(np.zeros_like(TRUTH[0]))), *samples()[1:]])
    assert [(issue.code, issue.severity) for issue in issues] == [("NO_VALID_PIXEL", "reference")]
    assert found.excluded == 1


@pytest.mark.parametrize("parameters", [{"depth_scale": 0}, {"min_depth": 11}, {"alignment": "mean"}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="depth_rms"):
        value_of("depth_rms", [], **parameters)
