"""PSNR of clips against scikit-image, over files of every form."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from genlevel_evaluator import media
from genlevel_evaluator.engine import Value
from genlevel_evaluator.kinds import Content
from tests.video.files import issue_of, npz, pictures, result, sample, value_of

Frames = NDArray[np.uint8]


def clip(seed: int, frames: int = 3, height: int = 14, width: int = 18) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


def noisy(frames: Frames, seed: int, size: float = 10.0) -> Frames:
    return np.clip(frames + np.random.default_rng(seed).normal(0, size, frames.shape), 0, 255).astype(np.uint8)


def psnr(guess: Frames, truth: Frames, **parameters: object) -> Value:
    return value_of("psnr", [(npz(frames=guess), npz(frames=truth))], **parameters)


def test_equals_scikit_image_over_all_frames() -> None:
    truths = [clip(1), clip(2, 5, 11, 30), clip(3, 1, 40, 20)]
    guesses = [noisy(truth, seed, 2.0 + 20 * seed) for seed, truth in enumerate(truths)]
    value = value_of("psnr", [(npz(frames=guess), npz(frames=truth)) for guess, truth in zip(guesses, truths, strict=True)])
    pairs = [pair for guess, truth in zip(guesses, truths, strict=True) for pair in zip(guess, truth, strict=True)]
    each = [peak_signal_noise_ratio(theirs, ours, data_range=255) for ours, theirs in pairs]
    options = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 2}
    alike = [structural_similarity(theirs, ours, full=True, **options)[1][5:-5, 5:-5].mean() for ours, theirs in pairs]
    assert value.value == pytest.approx(np.mean(each), rel=1e-12)
    assert value.companions["ssim"] == pytest.approx(np.mean(alike), abs=2e-6)
    assert value.companions["frames"] == len(pairs) == 9
    assert value.companions["mean_over_videos"] == pytest.approx(np.mean([np.mean(each[:3]), np.mean(each[3:8]), each[8]]), rel=1e-12)
    assert value.interval is not None
    assert value.interval.low <= (value.value or 0) <= value.interval.high


def test_a_perfect_frame_counts_as_a_hundred() -> None:
    truth = clip(4, 4)
    guess = truth.copy()
    guess[0] = np.where(truth[0] < 128, truth[0] + 10, truth[0] - 10)
    value = psnr(guess, truth)
    assert value.value == pytest.approx((20 * math.log10(25.5) + 300) / 4)
    assert value.companions["perfect_frames"] == 3
    best = psnr(truth, truth)
    assert (best.value, best.interval) == (math.inf, None)
    assert best.companions["ssim"] == 1.0


def test_black_against_white_is_nothing() -> None:
    black = np.zeros((1, 4, 4, 3), np.uint8)
    assert psnr(black, black + np.uint8(255)).value == 0.0


def test_clips_too_small_for_windows_have_no_ssim() -> None:
    value = psnr(noisy(clip(5, 2, 10, 30), 1), clip(5, 2, 10, 30))
    assert "ssim" not in value.companions
    assert "ssim" not in psnr(noisy(clip(5), 1), clip(5), ssim=False).companions


def test_a_missing_clip_is_silence_for_each_of_its_frames() -> None:
    truth, guess = clip(6, 3), noisy(clip(6, 3), 2)
    value, issues = result("psnr", [sample("1", None, npz(frames=truth[:1])), sample("2", npz(frames=guess), npz(frames=truth))])
    assert issues == []
    assert value.value == pytest.approx(3 / 4 * (psnr(guess, truth).value or 0), rel=1e-12)
    assert value.companions["worst"] == 0.0


def test_lists_of_pictures_and_arrays_are_the_same_clip() -> None:
    truth, guess = clip(7), noisy(clip(7), 3)
    forms = [(pictures(guess), pictures(truth)), (npz(frames=guess), pictures(truth)), (pictures(guess), npz(frames=truth))]
    assert {value_of("psnr", [pair]).value for pair in forms} == {psnr(guess, truth).value}


def test_files_are_compared_as_they_are_decoded(tmp_path: Path) -> None:
    truth = clip(8, 6, 16, 32)
    lossless = Content(media=media.from_path(_file(tmp_path / "a.mkv", truth)))
    value = value_of("psnr", [(lossless, npz(frames=truth))])
    assert value.value == math.inf
    assert value_of("psnr", [(lossless, lossless)]).companions["frames"] == 6


def _file(path: Path, frames: Frames) -> Path:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "bgr0"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 14))
def test_laws_of_psnr(seed: int, frames: int, side: int) -> None:
    truth, guess = clip(seed, frames, side, side), clip(seed + 1, frames, side, side)
    value = psnr(guess, truth)
    assert psnr(truth, guess).value == value.value
    assert psnr(guess[::-1], truth[::-1]).value == pytest.approx(value.value)
    assert psnr(guess[:, :, ::-1, ::-1], truth[:, :, ::-1, ::-1]).value == value.value
    one = value_of("psnr", [(npz(frames=guess[:1]), npz(frames=truth[:1]))] * 3)
    assert one.value == pytest.approx(psnr(guess[:1], truth[:1]).value)


TRUTH = clip(9)


def test_another_length_or_size_names_both() -> None:
    _, issues = result("psnr", [sample("1", npz(frames=TRUTH[:2]), npz(frames=TRUTH)), sample("2", npz(frames=TRUTH[:, :, :9]), npz(frames=TRUTH))])
    assert [(issue.code, issue.severity) for issue in issues] == [("FRAME_COUNT_MISMATCH", "prediction"), ("SIZE_MISMATCH", "prediction")]
    assert "2 frames" in issues[0].message
    assert "the reference 3" in issues[0].message
    assert "9 x 14" in issues[1].message
    assert "18 x 14" in issues[1].message


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Content(text="a clip"), "WRONG_TYPE"), (Content(json=[]), "NO_FRAMES"), (npz(frames=TRUTH[:0]), "NO_FRAMES"), (npz(frames=TRUTH.astype(float)), "WRONG_SHAPE"),
        (Content(media=media.from_bytes(b"no video", "a.mp4")), "NOT_A_VIDEO"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_refused(given: Content, code: str) -> None:
    assert issue_of("psnr", given, npz(frames=TRUTH)) == (code, "prediction")


def test_a_damaged_frame_belongs_to_its_side() -> None:
    found = pictures(TRUTH).json
    cut = Content(json=[*found[:2], media.from_bytes(found[2].read()[:200], "cut.png")])
    assert issue_of("psnr", cut, npz(frames=TRUTH))[1] == "prediction"
    assert issue_of("psnr", npz(frames=TRUTH), cut)[1] == "reference"


def test_a_reference_that_cannot_be_counted_is_no_fault_of_the_prediction(tmp_path: Path) -> None:
    truth = clip(8, 6, 16, 32)
    whole = _file(tmp_path / "a.mkv", truth).read_bytes()
    cut = Content(media=media.from_bytes(whole[: len(whole) // 2], "cut.mkv"))
    value, issues = result("psnr", [sample("1", npz(frames=truth), cut)])
    assert value.reason == "no_reference"
    assert [issue.severity for issue in issues] == ["reference"]


def test_long_clips_are_held_frame_by_frame() -> None:
    """A clip of 60 frames of 2 MB each is compared while no more than a few of them are there."""
    import tracemalloc

    blank = np.zeros((720, 960, 3), np.uint8)
    buffer = io.BytesIO()
    from PIL import Image

    Image.fromarray(blank).save(buffer, "PNG", compress_level=1)
    long = Content(json=[media.from_bytes(buffer.getvalue(), f"{place}.png") for place in range(60)])
    tracemalloc.start()
    value = value_of("psnr", [(long, long)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert value.companions["frames"] == 60
    assert peak < 12 * blank.nbytes
