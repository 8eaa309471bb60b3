"""MS-SSIM against SciPy and scikit-image (weighted sum), pytorch-msssim 1.0.0 and torchmetrics 1.9 (weighted product)."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_msssim
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import convolve1d, gaussian_filter
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.pixels.structural_similarity import WEIGHTS, arithmetic, product, ssim_map
from tests.image.files import encoded, file_of, photo, sample
from tests.image.scoring import value_of

RANDOM = np.random.default_rng(3)


def pair(width: int, height: int, noise: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    truth = photo(RANDOM, width, height)
    return np.clip(truth + RANDOM.normal(0, noise, truth.shape), 0, 255).astype(np.uint8), truth


def grey(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])


def ssim_by_scipy(x: np.ndarray, y: np.ndarray) -> float:
    mean_x, mean_y, xx, yy, xy = (gaussian_filter(v, 1.5, mode="nearest", radius=5) for v in (x, y, x * x, y * y, x * y))
    top = (2 * mean_x * mean_y + 2.55**2) * (2 * (xy - mean_x * mean_y) + 7.65**2)
    return float((top / ((mean_x**2 + mean_y**2 + 2.55**2) * (xx - mean_x**2 + yy - mean_y**2 + 7.65**2))).mean())


def reduced(x: np.ndarray) -> np.ndarray:
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    return convolve1d(convolve1d(x, kernel, axis=0, mode="mirror"), kernel, axis=1, mode="mirror")[::2, ::2]


def sum_by_scipy(x: np.ndarray, y: np.ndarray) -> float:
    value = 0.0
    for weight in (0.0448, 0.2856, 0.3001, 0.2363, 0.1333):
        value += weight * ssim_by_scipy(x, y)
        x, y = reduced(x), reduced(y)
    return value


def test_the_weighted_sum_by_scipy() -> None:
    pairs = [pair(150, 90), pair(97, 131), pair(64, 64, 60.0)]
    samples = [sample(str(i), file_of(encoded(g)), file_of(encoded(t))) for i, (g, t) in enumerate(pairs)]
    found, issues = value_of("ms_ssim", samples, area=0)
    assert issues == []
    assert found.value == pytest.approx(np.mean([sum_by_scipy(grey(g), grey(t)) for g, t in pairs]), abs=1e-9)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_one_level_is_scikit_images_ssim() -> None:
    first, second = (grey(p) / 255 for p in pair(80, 60))
    expected, whole = structural_similarity(
        first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, full=True
    )
    ours = ssim_map(first, second)[0]
    assert np.allclose(ours[5:-5, 5:-5], whole[5:-5, 5:-5], atol=1e-12)
    assert ours[5:-5, 5:-5].mean() == pytest.approx(expected, abs=1e-12)


def test_the_reference_is_scaled_to_an_area_and_the_result_to_it() -> None:
    guess, truth = pair(60, 45)[0], photo(RANDOM, 200, 120)
    size = (100, 60)
    scaled = [np.clip(np.asarray(Image.fromarray((grey(p) / 255).astype(np.float32)).resize(size, Image.Resampling.BICUBIC)), 0, 1) for p in (guess, truth)]
    expected = sum_by_scipy(*(255.0 * plane.astype(np.float64) for plane in scaled))
    found, _ = value_of("ms_ssim", [sample("1", file_of(encoded(guess)), file_of(encoded(truth)))], area=6000)
    assert found.value == pytest.approx(expected, abs=5e-6)  # its window is of float32


def test_the_default_area_leaves_a_single_pixel_and_a_page_comparable() -> None:
    dot, page = np.full((1, 1, 3), 90, np.uint8), photo(RANDOM, 40, 30)
    found, issues = value_of("ms_ssim", [sample("1", file_of(encoded(dot)), file_of(encoded(page))), sample("2", file_of(encoded(page)), file_of(encoded(dot)))])
    assert issues == []
    assert found.value is not None
    assert -1 <= found.value < 1


@pytest.mark.parametrize("size", [(176, 192), (320, 208)])
def test_the_product_of_pytorch_msssim(size: tuple[int, int]) -> None:
    guess, truth = pair(*size)
    tensors = [torch.tensor(p).permute(2, 0, 1)[None].double() for p in (guess, truth)]
    expected = float(pytorch_msssim.ms_ssim(*tensors, data_range=255))
    found, _ = value_of("ms_ssim", [sample("1", file_of(encoded(guess)), file_of(encoded(truth)))], variant="wang", channel="rgb")
    assert found.value == pytest.approx(expected, abs=5e-6)  # its window is of float32
    one = [torch.from_numpy(grey(p))[None, None] for p in (guess, truth)]
    found, _ = value_of("ms_ssim", [sample("1", file_of(encoded(guess)), file_of(encoded(truth)))], variant="wang")
    assert found.value == pytest.approx(float(pytorch_msssim.ms_ssim(*one, data_range=255)), abs=5e-6)


def test_odd_sizes_are_near_both_libraries_which_pad_differently() -> None:
    guess, truth = pair(181, 203)
    one = [torch.from_numpy(grey(p))[None, None] for p in (guess, truth)]
    ours = product(*(grey(p) / 255 for p in (guess, truth)))
    theirs = multiscale_structural_similarity_index_measure(*one, data_range=255.0, betas=WEIGHTS, normalize="relu")
    assert ours == pytest.approx(float(theirs), abs=2e-4)
    assert ours == pytest.approx(float(pytorch_msssim.ms_ssim(*one, data_range=255)), abs=2e-3)


def test_unlike_structure_counts_as_nothing_in_the_product() -> None:
    plane = RANDOM.random((176, 176))
    assert product(plane, 1 - plane) == 0.0
    assert arithmetic(plane, 1 - plane) < 0


@settings(max_examples=25)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_bounded_symmetric_and_one_for_equal(height: int, width: int, seed: int) -> None:
    first, second = np.random.default_rng(seed).random((2, height, width))
    value = arithmetic(first, second)
    assert -1.0001 <= value <= 1.0001
    assert value == pytest.approx(arithmetic(second, first), abs=1e-12)
    assert arithmetic(first, first) == pytest.approx(1.0001, abs=1e-9)


def test_a_perfect_picture_is_one_and_a_missing_one_minus_one() -> None:
    truth = photo(RANDOM, 30, 30)
    perfect = sample("1", file_of(encoded(truth)), file_of(encoded(truth)))
    assert value_of("ms_ssim", [perfect])[0].value == 1.0
    assert value_of("ms_ssim", [perfect, sample("2", None, file_of(encoded(truth)))])[0].value == 0.0


def test_sixteen_bits_palette_and_alpha() -> None:
    truth = photo(RANDOM, 40, 30)
    deep = file_of(encoded((truth[:, :, 0].astype(np.uint16)) * 257))
    flat = file_of(encoded(truth[:, :, 0]))
    assert value_of("ms_ssim", [sample("1", deep, flat)])[0].value == pytest.approx(1.0, abs=1e-6)
    opaque = file_of(encoded(np.dstack([truth, np.full(truth.shape[:2], 77, np.uint8)])))
    assert value_of("ms_ssim", [sample("1", opaque, file_of(encoded(truth)))])[0].value == 1.0


@pytest.mark.parametrize(
    ("guess", "parameters", "code"),
    [
        (file_of(encoded(np.zeros((50, 49, 3), np.uint8))), {"area": 0}, "SIZE_MISMATCH"),
        (file_of(encoded(np.zeros((50, 49, 3), np.uint8))), {"variant": "wang"}, "SIZE_MISMATCH"),
        (file_of(encoded(np.zeros((50, 50, 3), np.uint8))[:-30]), {}, "MEDIA_TRUNCATED"),
        (file_of(b"GIF89a"), {}, "UNREADABLE"),
        (Content(text="a.png"), {}, "WRONG_TYPE"),
    ],
)
def test_unusable_predictions_score_minus_one(guess: Content, parameters: dict[str, object], code: str) -> None:
    found, issues = value_of("ms_ssim", [sample("1", guess, file_of(encoded(photo(RANDOM, 50, 50))))], **parameters)
    assert [issue.code for issue in issues] == [code]
    assert found.value == -1.0


def test_too_small_for_five_levels() -> None:
    small = file_of(encoded(photo(RANDOM, 175, 400)))
    found, issues = value_of("ms_ssim", [sample("1", small, small)], variant="wang")
    assert [(issue.code, issue.severity) for issue in issues] == [("TOO_SMALL", "reference")]
    assert found.value is None


@pytest.mark.parametrize("parameters", [{"area": -1}, {"area": 1 << 40}, {"channel": "rgb"}, {"variant": "x"}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="ms_ssim"):
        value_of("ms_ssim", [], **parameters)
