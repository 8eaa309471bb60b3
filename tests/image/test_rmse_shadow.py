"""Shadow removal error against scikit-image 0.26 (D65) and Little CMS (D50)."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_image.pixels.lab import lab
from tests.image.files import encoded, file_of, photo, sample
from tests.image.scoring import value_of

RANDOM = np.random.default_rng(8)
TRUTH = [photo(RANDOM, 40, 30 + i) for i in range(3)]
GUESS = [np.clip(t + RANDOM.normal(0, 15, t.shape), 0, 255).astype(np.uint8) for t in TRUTH]
MASK = RANDOM.random((30, 40)) < 0.4


def samples() -> list[RawSample]:
    return [sample(str(i), file_of(encoded(g)), file_of(encoded(t))) for i, (g, t) in enumerate(zip(GUESS, TRUTH, strict=True))]


def masked(attribute: object) -> RawSample:
    return RawSample("1", file_of(encoded(GUESS[0])), (file_of(encoded(TRUTH[0])),), Presence.BOTH, {"mask": attribute})


def in_place(pixels: np.ndarray) -> dict[str, str]:
    return {"name": "m.png", "base64": base64.b64encode(encoded(pixels)).decode()}


def runs(mask: np.ndarray) -> dict[str, object]:
    flat = np.r_[False, mask.T.ravel(), not mask.T.ravel()[-1]]
    counts = np.diff(np.r_[0, np.flatnonzero(flat[1:] != flat[:-1])])
    return {"size": list(mask.shape), "counts": [float(c) for c in counts]}


def difference(index: int) -> np.ndarray:
    return rgb2lab(GUESS[index]) - rgb2lab(TRUTH[index])


def test_scikit_image_gives_the_same() -> None:
    found, issues = value_of("rmse_shadow", samples(), size=0, white="d65")
    assert issues == []
    assert found.value == pytest.approx(np.mean([np.abs(difference(i)).sum(axis=2).mean() for i in range(3)]), rel=1e-5)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_a_root_mean_square_is_less_than_half() -> None:
    absolute = value_of("rmse_shadow", samples(), size=0, white="d65")[0].value
    found, _ = value_of("rmse_shadow", samples(), size=0, white="d65", measure="rms")
    assert found.value == pytest.approx(np.mean([np.sqrt(np.square(difference(i)).mean()) for i in range(3)]), rel=1e-5)
    assert found.value < absolute / 2


def test_d50_is_that_of_colour_profiles() -> None:
    colours = RANDOM.integers(0, 256, (50, 40, 3), dtype=np.uint8)
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB", 5000), "RGB", "LAB", ImageCms.Intent.ABSOLUTE_COLORIMETRIC)
    stored = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform)).astype(np.float64)
    theirs = np.stack([stored[:, :, 0] / 2.55, *(np.where(stored[:, :, c] > 127, stored[:, :, c] - 256, stored[:, :, c]) for c in (1, 2))], axis=2)
    assert np.abs(lab(colours / 255.0) - theirs).max() < 1.6  # stored in 8 bits, and Little CMS interpolates a table
    assert np.abs(lab(colours / 255.0) - theirs).mean() < 0.5
    assert np.abs(rgb2lab(colours) - theirs).mean() > 1.0


def test_the_greys_have_no_colour() -> None:
    greys = np.repeat(np.linspace(0, 1, 33)[:, None], 3, axis=1)
    for white in ("d50", "d65"):
        assert np.abs(lab(greys, white)[:, 1:]).max() < 0.02
        assert np.all(np.diff(lab(greys, white)[:, 0]) > 0)


def test_both_are_scaled_to_256_pixels() -> None:
    planes = []
    for pixels in (GUESS[0], TRUTH[0]):
        scaled = [Image.fromarray((pixels[:, :, c] / 255).astype(np.float32)).resize((256, 256), Image.Resampling.BICUBIC) for c in range(3)]
        planes.append(rgb2lab(np.clip(np.dstack([np.asarray(s) for s in scaled]), 0, 1).astype(np.float64)))
    found, _ = value_of("rmse_shadow", samples()[:1], white="d65")
    assert found.value == pytest.approx(np.abs(planes[0] - planes[1]).sum(axis=2).mean(), rel=1e-4)


@pytest.mark.parametrize("attribute", [in_place((MASK * 255).astype(np.uint8)), runs(MASK)])
def test_regions(attribute: object) -> None:
    each = np.abs(difference(0)).sum(axis=2)
    for region, chosen in (("shadow", MASK), ("lit", ~MASK)):
        found, issues = value_of("rmse_shadow", [masked(attribute)], size=0, white="d65", region=region)
        assert issues == []
        assert found.value == pytest.approx(each[chosen].mean(), rel=1e-5)
    assert found.companions["all_pixels"] == pytest.approx(each.mean(), rel=1e-5)


def test_an_empty_region_is_undefined() -> None:
    found, _ = value_of("rmse_shadow", [masked(in_place(np.zeros((30, 40), np.uint8)))], region="shadow")
    assert (found.value, found.reason) == (None, "no_valid_pixel")


@pytest.mark.parametrize(
    ("attribute", "code"),
    [
        (None, "NO_MASK"), ("m.png", "WRONG_TYPE"), ({"name": "m.png", "base64": "???"}, "BAD_BASE64"),
        (in_place(np.zeros((29, 40), np.uint8)), "SIZE_MISMATCH"), ({"size": [1e6, 1e6], "counts": [1e12]}, "WRONG_SHAPE"),
    ],
)
def test_bad_masks_are_the_references_fault(attribute: object, code: str) -> None:
    found, issues = value_of("rmse_shadow", [masked(attribute)], region="shadow")
    assert [(issue.code, issue.severity) for issue in issues] in ([(code, "reference")], [("IMAGE_TOO_LARGE", "reference")])
    assert issues[0].remedy
    assert found.value is None


def test_another_size_is_remarked_on_or_refused() -> None:
    other = [sample("1", file_of(encoded(GUESS[0][:20])), file_of(encoded(TRUTH[0])))]
    found, issues = value_of("rmse_shadow", other)
    assert [(issue.code, issue.severity) for issue in issues] == [("SIZE_MISMATCH", "warning")]
    assert found.value is not None
    found, issues = value_of("rmse_shadow", other, size=0)
    assert [(issue.code, issue.severity) for issue in issues] == [("SIZE_MISMATCH", "prediction")]
    assert found.value is None


def test_a_missing_picture_lowers_the_coverage() -> None:
    found, _ = value_of("rmse_shadow", [*samples()[:1], sample("9", None, file_of(encoded(TRUTH[0])))])
    assert (found.present, found.expected) == (1, 2)
    assert found.value == value_of("rmse_shadow", samples()[:1])[0].value


def test_a_perfect_picture_of_any_kind_is_zero() -> None:
    dot = np.full((1, 1, 3), 7, np.uint8)
    deep = [file_of(encoded(TRUTH[0][:, :, 0].astype(np.uint16) * 257)), file_of(encoded(TRUTH[0][:, :, 0]))]
    for pair in ([file_of(encoded(dot))] * 2, [file_of(encoded(TRUTH[0]))] * 2, deep):
        assert value_of("rmse_shadow", [sample("1", *pair)])[0].value == pytest.approx(0.0, abs=1e-6)


def test_unreadable_predictions_are_issues() -> None:
    for content, code in ((file_of(encoded(TRUTH[0])[:-40]), "MEDIA_TRUNCATED"), (Content(json=3), "WRONG_TYPE")):
        _, issues = value_of("rmse_shadow", [sample("1", content, file_of(encoded(TRUTH[0])))])
        assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]


@pytest.mark.parametrize("parameters", [{"size": -1}, {"region": "dark"}, {"white": "e"}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="rmse_shadow"):
        value_of("rmse_shadow", [], **parameters)
