"""Pixel AP and ROC AUC of maps against scikit-learn 1.9, and what is refused."""

from __future__ import annotations

from bisect import bisect

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from sklearn.metrics import average_precision_score, roc_auc_score

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_image.pixels import score_histograms as histograms
from tests.image.files import array_of, encoded, file_of, run_lengths, sample
from tests.image.scoring import value_of

RANDOM = np.random.default_rng(2)
BOTH = pytest.mark.parametrize(("metric", "judge"), [("ap_anomaly", average_precision_score), ("roc_auc", roc_auc_score)])


def pictures(count: int, levels: int, shape: tuple[int, int] = (23, 17)) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores in whole levels, and masks; every third picture is normal."""
    made = []
    for index in range(count):
        mask = RANDOM.random(shape) < (0.0 if index % 3 == 2 else 0.2)
        made.append((np.rint(levels * np.clip(RANDOM.normal(0.4 + 0.2 * mask, 0.15), 0, 1)).astype(np.uint16), mask))
    return made


def samples(made: list[tuple[np.ndarray, np.ndarray]], dtype: type = np.uint8) -> list[RawSample]:
    return [sample(str(i), file_of(encoded(s.astype(dtype))), file_of(encoded((m * 255).astype(np.uint8)))) for i, (s, m) in enumerate(made)]


def pooled(made: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([m.ravel() for _, m in made]), np.concatenate([s.ravel() for s, _ in made])


@BOTH
@pytest.mark.parametrize(("levels", "dtype"), [(255, np.uint8), (65_535, np.uint16)])
def test_exact_for_maps_of_8_and_16_bits(metric: str, judge: object, levels: int, dtype: type) -> None:
    made = pictures(6, levels)
    found, issues = value_of(metric, samples(made, dtype), size=0)
    assert issues == []
    assert found.value == pytest.approx(100 * judge(*pooled(made)), rel=1e-11)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


@BOTH
def test_floats_to_a_hundredth_of_a_percent(metric: str, judge: object) -> None:
    masks = [RANDOM.random((60, 50)) < 0.1 for _ in range(3)]
    made = [(1 / (1 + np.exp(-RANDOM.normal(m * 1.5, 1))), m) for m in masks]
    found, _ = value_of(metric, [sample(str(i), array_of(s), run_lengths(m)) for i, (s, m) in enumerate(made)], size=0)
    assert found.value == pytest.approx(100 * judge(*pooled(made)), abs=1e-2)


def test_maps_and_masks_at_256_pixels() -> None:
    scores, mask = RANDOM.random((40, 64)).astype(np.float32), RANDOM.random((100, 90)) < 0.3
    large = torch.nn.functional.interpolate(torch.tensor(scores)[None, None], (256, 256), mode="bilinear", align_corners=False)[0, 0].numpy()
    near = torch.nn.functional.interpolate(torch.tensor(mask[None, None].astype(np.float32)), (256, 256), mode="nearest-exact")[0, 0].numpy() > 0
    found, issues = value_of("ap_anomaly", [sample("1", array_of(scores), file_of(encoded(mask)))])
    assert issues == []
    assert found.value == pytest.approx(100 * average_precision_score(near.ravel(), large.ravel()), abs=0.02)
    assert cv2.resize(scores, (256, 256)).shape == large.shape


def test_companions_of_pixels_and_pictures() -> None:
    made = pictures(9, 255)
    found, _ = value_of("ap_anomaly", samples(made), size=0)
    truth, top = [m.any() for _, m in made], [s.max() for s, _ in made]
    assert found.companions["pixel_auroc"] == pytest.approx(100 * roc_auc_score(*pooled(made)), rel=1e-11)
    assert found.companions["image_auroc"] == pytest.approx(100 * roc_auc_score(truth, top), rel=1e-11)
    assert found.companions["image_ap"] == pytest.approx(100 * average_precision_score(truth, top), rel=1e-11)
    assert value_of("roc_auc", samples(made), level="image")[0].value == found.companions["image_auroc"]


def test_pictures_by_one_number() -> None:
    truth, scores = RANDOM.integers(0, 2, 40), np.round(RANDOM.random(40), 1)
    given_numbers = [sample(str(i), Content(json=float(s)), Content(json=int(t))) for i, (s, t) in enumerate(zip(scores, truth, strict=True))]
    found, issues = value_of("roc_auc", given_numbers, level="image")
    assert issues == []
    assert found.value == pytest.approx(100 * roc_auc_score(truth, scores), rel=1e-11)


def test_pictures_whose_numbers_lie_close_together_are_no_ties() -> None:
    """Saturated scores, as of a sigmoid: by 16 bits nearly all would be equal."""
    truth = RANDOM.random(400) < 0.3
    top = 1 / (1 + np.exp(-RANDOM.normal(18 + truth, 2.0)))
    given_numbers = [RawSample(str(i), Content(json=float(a)), (Content(json=int(b)),)) for i, (a, b) in enumerate(zip(top, truth, strict=True))]
    found, issues = value_of("roc_auc", given_numbers, level="image")
    assert issues == []
    assert found.value == pytest.approx(100 * roc_auc_score(truth, top), rel=1e-12)
    assert found.companions["average_precision"] == pytest.approx(100 * average_precision_score(truth, top), rel=1e-12)
    assert found.warnings == ()
    assert found.interval.low < found.value < found.interval.high


def test_more_pictures_than_levels_of_16_bits() -> None:
    top, truth = RANDOM.random(70_000), RANDOM.random(70_000) < 0.5
    places = histograms.places(top)
    assert histograms.percent(histograms.packed(places[truth]), histograms.packed(places[~truth]), "roc") == pytest.approx(100 * roc_auc_score(truth, top), rel=1e-12)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
def test_ties_of_any_kind(pixels: list[tuple[int, bool]]) -> None:
    scores, mask = np.array([[s for s, _ in pixels]], np.uint8), np.array([[m for _, m in pixels]])
    one = [sample("1", file_of(encoded(scores)), file_of(encoded(mask.astype(np.uint8))))]
    area = value_of("roc_auc", one)[0].value
    precision = value_of("ap_anomaly", one, size=0)[0].value
    assert (area is None) == (mask.all() or not mask.any())
    assert (precision is None) == (not mask.any())
    if precision is not None:
        assert precision == pytest.approx(100 * average_precision_score(mask.ravel(), scores.ravel()), rel=1e-11)
    if area is not None:
        assert area == pytest.approx(100 * roc_auc_score(mask.ravel(), scores.ravel()), rel=1e-11)


def overlap_by_mvtec(made: list[tuple[np.ndarray, np.ndarray]], limit: float) -> float:
    """The steps of MVTec's evaluation: every pixel sorted by score, each weighing what it adds to false alarms and to the overlap of regions."""
    scores, alarms, overlaps, regions = [], [], [], 0
    for score, mask in made:
        places, number = label(mask, np.ones((3, 3)))
        sizes = np.bincount(places.ravel())
        scores.append(score.ravel().astype(float))
        alarms.append((places == 0).ravel().astype(float))
        overlaps.append(np.where(places > 0, 1 / sizes[places], 0.0).ravel())
        regions += number
    order = np.argsort(-np.concatenate(scores), kind="stable")
    ranked = np.concatenate(scores)[order]
    rate, overlap = (np.cumsum(np.concatenate(each)[order]) for each in (alarms, overlaps))
    last = np.r_[ranked[1:] != ranked[:-1], True]
    x, y = np.r_[0, rate[last] / rate[-1]], np.r_[0, overlap[last] / regions]
    place = bisect(x.tolist(), limit)
    area = np.trapezoid(y[:place], x[:place])
    if place < len(x):
        area += (limit - x[place - 1]) * (y[place - 1] + np.interp(limit, x[place - 1 : place + 1], y[place - 1 : place + 1])) / 2
    return float(area / limit)


def blobs(count: int, peak: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Maps with regions of many sizes, and normal pictures among them."""
    made = []
    for index in range(count):
        mask = np.zeros((40, 50), bool)
        for _ in range(0 if index % 4 == 3 else int(RANDOM.integers(1, 5))):
            y, x, side = RANDOM.integers(0, 35), RANDOM.integers(0, 45), RANDOM.integers(1, 9)
            mask[y : y + side, x : x + side] = True
        made.append((np.clip(RANDOM.normal(0.3 + 0.25 * mask, 0.2) * peak, 0, peak).astype(np.uint8 if peak < 256 else np.uint16), mask))
    return made


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("peak", [3, 255, 65_535])
def test_overlap_of_regions_by_the_steps_of_mvtec(peak: int, limit: float) -> None:
    made = blobs(9, peak)
    found, issues = value_of("ap_anomaly", samples(made, np.uint8 if peak < 256 else np.uint16), size=0, alarms=limit)
    assert issues == []
    assert found.companions["aupro"] == pytest.approx(100 * overlap_by_mvtec(made, limit), rel=1e-9)


def test_overlap_of_regions_where_maps_are_missing_or_nothing_is_normal() -> None:
    made = blobs(5, 255)
    whole = samples(made)
    lost = [sample("0", None, whole[0].references[0]), *whole[1:]]
    assert 0 < value_of("ap_anomaly", lost, size=0)[0].companions["aupro"] < value_of("ap_anomaly", whole, size=0)[0].companions["aupro"]
    full = [sample("1", array_of(np.full((4, 4), 0.5)), array_of(np.ones((4, 4), bool)))]
    assert "aupro" not in value_of("ap_anomaly", full, size=0)[0].companions
    assert "aupro" not in value_of("ap_anomaly", [sample("1", array_of(np.zeros((4, 4))), Content(json=0))])[0].companions


def test_a_mask_as_the_answer_is_one_operating_point() -> None:
    mask, guess = RANDOM.random((30, 30)) < 0.3, RANDOM.random((30, 30)) < 0.4
    found, _ = value_of("ap_anomaly", [sample("1", file_of(encoded(guess)), file_of(encoded(mask)))], size=0)
    assert found.value == pytest.approx(100 * average_precision_score(mask.ravel(), guess.ravel()), rel=1e-11)


@BOTH
def test_a_missing_map_never_pays(metric: str, judge: object) -> None:
    made = pictures(6, 255)
    whole = value_of(metric, samples(made), size=0)[0].value
    for lost in range(6):
        kept = samples(made)
        kept[lost] = sample(str(lost), None, kept[lost].references[0])
        assert value_of(metric, kept, size=0)[0].value < whole
        worst = [(np.where(m, 0, 255) if i == lost else s, m) for i, (s, m) in enumerate(made)]
        assert value_of(metric, kept, size=0)[0].value <= 100 * judge(*pooled(worst)) + 1e-9
    nothing = [sample(str(i), None, raw.references[0]) for i, raw in enumerate(samples(made))]
    assert value_of(metric, nothing, size=0)[0].value == 0.0


@pytest.mark.parametrize(
    ("guess", "code"),
    [
        (array_of(np.full((23, 17), np.nan)), "NOT_FINITE"),
        (array_of(np.full((23, 17), 1.5)), "OUT_OF_RANGE"),
        (array_of(np.zeros((17, 23))), "SIZE_MISMATCH"),
        (file_of(encoded(np.zeros((23, 17, 4), np.uint8))), "WRONG_TYPE"),
        (file_of(encoded(RANDOM.integers(0, 255, (23, 17), dtype=np.uint8))[:-40]), "MEDIA_TRUNCATED"),
        (Content(json=1.01), "OUT_OF_RANGE"), (Content(json=float("nan")), "OUT_OF_RANGE"), (Content(json=True), "WRONG_TYPE"),
        (Content(json=[0.5]), "WRONG_TYPE"), (Content(text="0.5"), "WRONG_TYPE"),
    ],
)
def test_bad_maps_are_issues_and_score_as_missing(guess: Content, code: str) -> None:
    truth = file_of(encoded(np.eye(23, 17, dtype=np.uint8)))
    found, issues = value_of("roc_auc", [sample("1", guess, truth)])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]
    assert issues[0].remedy
    assert found.value == 0.0


@pytest.mark.parametrize(
    ("truth", "code"),
    [(Content(json=1), "NO_MASK"), (Content(json=2), "WRONG_TYPE"), (Content(json={"size": [2, 2], "counts": [9]}), "BAD_RUN_LENGTHS"),
     (array_of(np.full((2, 2), np.nan)), "NOT_FINITE")],
)
def test_bad_masks_leave_the_sample_out(truth: Content, code: str) -> None:
    found, issues = value_of("ap_anomaly", [sample("1", array_of(np.zeros((2, 2))), truth)])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "reference")]
    assert found.value is None


def test_normal_pictures_only_are_undefined() -> None:
    for metric in ("ap_anomaly", "roc_auc"):
        found, _ = value_of(metric, [sample("1", array_of(np.zeros((4, 4))), Content(json=0))])
        assert (found.value, found.reason) == (None, "single_class")


@pytest.mark.parametrize("parameters", [{"size": -1}, {"size": 10_000}])
@pytest.mark.parametrize("metric", ["ap_anomaly", "roc_auc"])
def test_bad_parameters(metric: str, parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match=metric):
        value_of(metric, [], **parameters)


@BOTH
def test_scores_in_a_sliver_of_the_range_are_called_coarse(metric: str, judge: object) -> None:
    del judge
    made = pictures(3, 65_535)
    for scale, expected in ((1.0, ()), (1e-3, ("coarse_scores",))):
        given = [sample(str(i), array_of((s / 65_535 * scale).astype(np.float32)), run_lengths(m)) for i, (s, m) in enumerate(made)]
        found, _ = value_of(metric, given, size=0)
        assert found.warnings == expected
