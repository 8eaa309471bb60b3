"""PSNR of pictures against scikit-image 0.26, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR
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
