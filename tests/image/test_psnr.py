"""PSNR of pictures, of their luma, and SSIM against scikit-image 0.26, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.pixels.structural_similarity import ssim
from genlevel_image.app import EVALUATOR
from genlevel_image.pixels.restoration import squared_errors
from tests.image.generators import encoded, file_of, photo, sample

RANDOM = np.random.default_rng(5)
TRUTH = [photo(RANDOM, 40 + i, 30) for i in range(4)]
NOISY = [np.clip(t + RANDOM.normal(0, 4 + 3 * i, t.shape), 0, 255).astype(np.uint8) for i, t in enumerate(TRUTH)]


def value_of(samples: list[RawSample], **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "psnr", parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def pairs(guesses: list[np.ndarray], truths: list[np.ndarray]) -> list[RawSample]:
    return [sample(str(i), file_of(encoded(g)), file_of(encoded(t))) for i, (g, t) in enumerate(zip(guesses, truths, strict=True))]


def test_mean_of_scikit_image_values() -> None:
    expected = np.mean([peak_signal_noise_ratio(t, n) for t, n in zip(TRUTH, NOISY, strict=True)])
    found, issues = value_of(pairs(NOISY, TRUTH))
    assert issues == []
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_luma_channel_and_border() -> None:
    expected = np.mean([
        peak_signal_noise_ratio(rgb2ycbcr(t)[3:-3, 3:-3, 0], rgb2ycbcr(n)[3:-3, 3:-3, 0], data_range=255)
        for t, n in zip(TRUTH, NOISY, strict=True)
    ])
    found, _ = value_of(pairs(NOISY, TRUTH), channel="y", border=3)
    assert found.value == pytest.approx(expected, rel=1e-9)


def ssim_by_scikit_image(guess: np.ndarray, truth: np.ndarray, peak: float = 255.0) -> float:
    axis = -1 if truth.ndim == 3 else None
    return float(structural_similarity(truth, guess, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=peak, channel_axis=axis))


@pytest.mark.parametrize("photograph", [data.astronaut, data.coffee, data.chelsea])
@pytest.mark.parametrize("border", [0, 4])
def test_photographs_in_all_companions(photograph: Callable[[], np.ndarray], border: int) -> None:
    truth = photograph()
    noisy = np.clip(truth + np.random.default_rng(2).normal(0, 7, truth.shape), 0, 255).astype(np.uint8)
    cut = slice(border, None if not border else -border)
    ours, theirs = noisy[cut, cut], truth[cut, cut]
    found, issues = value_of(pairs([noisy], [truth]), border=border)
    assert issues == []
    assert found.value == pytest.approx(peak_signal_noise_ratio(theirs, ours), rel=1e-12)
    assert found.companions["y_psnr"] == pytest.approx(peak_signal_noise_ratio(rgb2ycbcr(theirs)[..., 0], rgb2ycbcr(ours)[..., 0], data_range=255), rel=1e-9)
    assert found.companions["ssim"] == pytest.approx(ssim_by_scikit_image(ours, theirs), abs=1e-5)  # ours is of float32
    luma, _ = value_of(pairs([noisy], [truth]), border=border, channel="y")
    assert luma.value == luma.companions["y_psnr"] == found.companions["y_psnr"]
    assert luma.companions["ssim"] == pytest.approx(ssim_by_scikit_image(rgb2ycbcr(ours)[..., 0], rgb2ycbcr(theirs)[..., 0]), abs=1e-5)


def test_companions_of_sixteen_bits() -> None:
    truth = np.asarray(data.astronaut()[:90, :120, 0], np.uint16) * 257
    noisy = np.clip(truth + RANDOM.normal(0, 900, truth.shape), 0, 65535).astype(np.uint16)
    found, _ = value_of(pairs([noisy], [truth]))
    assert found.companions["ssim"] == pytest.approx(ssim_by_scikit_image(noisy, truth, 65535.0), abs=1e-5)
    assert found.companions["y_psnr"] == pytest.approx(found.value + 20 * np.log10(255 / 219), rel=1e-9)  # of grey, luma has 219 levels


@settings(max_examples=40)
@given(st.integers(11, 40), st.integers(11, 300), st.integers(0, 2**32 - 1))
def test_ssim_of_any_size(height: int, width: int, seed: int) -> None:
    first, second = np.random.default_rng(seed).integers(0, 256, (2, height, width), dtype=np.uint8)
    assert ssim(first, second, 255.0) == pytest.approx(ssim_by_scikit_image(second, first), abs=1e-5)


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from([np.uint8, np.uint16]), st.integers(0, 2**32 - 1))
def test_squared_errors_are_exact(height: int, width: int, depth: type, seed: int) -> None:
    first, second = np.random.default_rng(seed).integers(0, np.iinfo(depth).max, (2, height, width, 3), dtype=depth, endpoint=True)
    colour, luma = squared_errors(first, second)
    assert colour == sum((int(a) - int(b)) ** 2 for a, b in zip(first.ravel(), second.ravel(), strict=True)) / first.size
    assert luma == pytest.approx(np.mean(((first.astype(float) - second) @ np.array([65.481, 128.553, 24.966]) / 255) ** 2), rel=1e-9)


def test_companions_of_what_is_missing_small_or_not_asked_for() -> None:
    lost = sample("8", None, file_of(encoded(TRUTH[1])))
    small = sample("9", file_of(encoded(TRUTH[0][:10])), file_of(encoded(TRUTH[0][:10])))
    found, _ = value_of([*pairs(NOISY[:1], TRUTH[:1]), lost, small])
    assert found.companions["ssim"] == pytest.approx((ssim_by_scikit_image(NOISY[0], TRUTH[0]) - 1) / 2, abs=1e-5)
    assert "ssim" not in value_of([small])[0].companions
    assert "ssim" not in value_of(pairs(NOISY[:1], TRUTH[:1]), ssim=False)[0].companions
    assert "lpips" not in found.companions


def test_sixteen_bits_use_their_own_peak() -> None:
    truth = RANDOM.integers(0, 65536, (20, 30), dtype=np.uint16)
    noisy = np.clip(truth + RANDOM.normal(0, 900, truth.shape), 0, 65535).astype(np.uint16)
    found, _ = value_of(pairs([noisy], [truth]))
    assert found.value == pytest.approx(peak_signal_noise_ratio(truth, noisy), rel=1e-12)


def test_one_perfect_picture_counts_as_100_dB() -> None:  # noqa: N802
    single = peak_signal_noise_ratio(TRUTH[1], NOISY[1])
    found, _ = value_of(pairs([TRUTH[0], NOISY[1]], TRUTH[:2]))
    assert found.value == pytest.approx((100 + single) / 2, rel=1e-12)
    assert found.companions["perfect_pictures"] == 1


def test_all_perfect_is_infinite_and_has_no_interval() -> None:
    found, _ = value_of(pairs(TRUTH, TRUTH))
    assert found.value == math.inf
    assert found.interval is None


def test_a_missing_picture_is_0_dB() -> None:  # noqa: N802
    found, _ = value_of([*pairs(NOISY[:1], TRUTH[:1]), sample("9", None, file_of(encoded(TRUTH[1])))])
    assert found.value == pytest.approx(peak_signal_noise_ratio(TRUTH[0], NOISY[0]) / 2, rel=1e-12)


def test_the_best_of_several_references_counts() -> None:
    raw = RawSample("1", file_of(encoded(NOISY[0])), (file_of(encoded(255 - TRUTH[0])), file_of(encoded(TRUTH[0]))))
    found, _ = value_of([raw])
    assert found.value == pytest.approx(peak_signal_noise_ratio(TRUTH[0], NOISY[0]), rel=1e-12)


@pytest.mark.parametrize(
    ("guess", "code"),
    [
        (file_of(encoded(TRUTH[0][:, :-1])), "SIZE_MISMATCH"),
        (file_of(encoded(RANDOM.integers(0, 9, TRUTH[0].shape[:2], dtype=np.uint16))), "DEPTH_MISMATCH"),
        (file_of(encoded(TRUTH[0])[:-40]), "MEDIA_TRUNCATED"),
        (file_of(b"no picture at all"), "UNREADABLE"),
        (Content(text="a.png"), "WRONG_TYPE"),
        (Content(json=[1, 2]), "WRONG_TYPE"),
    ],
)
def test_unusable_predictions_are_issues_and_score_0_dB(guess: Content, code: str) -> None:  # noqa: N802
    found, issues = value_of([sample("s", guess, file_of(encoded(TRUTH[0])))])
    assert [(issue.code, issue.severity, issue.sample_id) for issue in issues] == [(code, "prediction", "s")]
    assert issues[0].remedy
    assert found.value == 0.0


def test_a_broken_reference_leaves_the_sample_out() -> None:
    found, issues = value_of([*pairs(NOISY[:1], TRUTH[:1]), sample("b", file_of(encoded(TRUTH[0])), file_of(b"\x89PNG\r\n\x1a\n"))])
    assert [(issue.sample_id, issue.severity) for issue in issues] == [("b", "reference")]
    assert found.excluded == 1
    assert found.value == pytest.approx(peak_signal_noise_ratio(TRUTH[0], NOISY[0]), rel=1e-12)


@pytest.mark.parametrize("parameters", [{"peak": 0}, {"border": -1}, {"channel": "x"}, {"pek": 1.0}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="psnr"):
        Scorer.of(EVALUATOR, "psnr", parameters)


def test_a_border_that_leaves_nothing_is_refused() -> None:
    found, issues = value_of(pairs(NOISY[:1], TRUTH[:1]), border=15)
    assert found.value is None
    assert "border" in issues[0].message
