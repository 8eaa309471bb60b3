"""Every AP of COCO's family against pycocotools 2.0.11 on random pictures: thresholds, areas, limits, and the values beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.metric import Score
from genlevel_image.app import EVALUATOR
from tests.image import coco_oracle, generators

KINDS = {
    "ap_50_box": ("bbox", generators.detections, 100), "ap_75_box": ("bbox", generators.detections, 100),
    "ap_50_mask": ("segm", generators.instances, 100), "ap_50_keypoint": ("keypoints", generators.people, 20),
}


def value_of(metric: str, samples: list[RawSample], **parameters: Any) -> Score:
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    rows, issues = scorer.observe(samples)
    assert [issue for issue in issues if issue.severity != "warning"] == []
    score: Score = scorer.metric.score(rows, scorer.parameters)  # without its interval
    return score


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("metric", KINDS)
def test_the_value_and_all_beside_it(metric: str, seed: int) -> None:
    kind, generate, limit = KINDS[metric]
    samples = generate(np.random.default_rng([seed, 5]), 30)
    expected = coco_oracle.summary(coco_oracle.evaluate(samples, kind))
    found = value_of(metric, samples, ties="coco")
    beside = found.companions
    assert found.value == pytest.approx(expected["ap_75" if "75" in metric else "ap_50"], abs=1e-9)
    assert beside["ap_50"] == pytest.approx(expected["ap_50"], abs=1e-9)
    assert beside["ap_75"] == pytest.approx(expected["ap_75"], abs=1e-9)
    for area in ("", "_small", "_medium", "_large"):
        assert beside.get(f"ap_50_95{area}") == pytest.approx(expected.get(f"ap{area}"), abs=1e-9)
        assert beside.get(f"ar_{limit}{area}") == pytest.approx(expected.get(f"ar{area}"), abs=1e-9)
        if area:
            headline = "ap_75" if "75" in metric else "ap_50"
            assert beside.get(f"area{area}") == pytest.approx(expected.get(f"{headline}{area}"), abs=1e-9)
    averaged = value_of(metric, samples, ties="coco", average="coco")
    assert averaged.value == pytest.approx(expected["ap"], abs=1e-9)


@pytest.mark.parametrize("metric", KINDS)
@pytest.mark.parametrize(("threshold", "limit"), [(0.1, 100), (0.33, 2), (0.6, 1), (0.95, 100), (1.0, 3)])
def test_any_threshold_and_limit(metric: str, threshold: float, limit: int) -> None:
    kind, generate, _ = KINDS[metric]
    samples = generate(np.random.default_rng(71), 40)
    expected = coco_oracle.summary(coco_oracle.evaluate(samples, kind, [threshold], limit))
    name = "oks" if kind == "keypoints" else "iou"
    found = value_of(metric, samples, ties="coco", max_detections=limit, **{name: threshold})
    assert found.value == pytest.approx(expected["ap"], abs=1e-9)
    assert found.companions["recall"] == pytest.approx(expected["ar"], abs=1e-9)


@pytest.mark.parametrize("metric", KINDS)
def test_equal_scores_everywhere(metric: str) -> None:
    kind, generate, _ = KINDS[metric]
    samples = generate(np.random.default_rng(72), 40)
    for raw in samples:
        for item in raw.prediction.json if raw.prediction else []:
            item["score"] = 0.5
    expected = coco_oracle.summary(coco_oracle.evaluate(samples, kind))
    assert value_of(metric, samples, average="coco").value == pytest.approx(expected["ap"], abs=1e-9)


@pytest.mark.parametrize("metric", KINDS)
def test_thousands_of_small_pictures_one_by_one(metric: str) -> None:
    """AP of each picture alone is what COCOeval gives for a data set of that picture."""
    kind, generate, _ = KINDS[metric]
    samples = generate(np.random.default_rng(73), 250)
    scorer = Scorer.of(EVALUATOR, metric, {"ties": "coco", "average": "coco"})
    rows, _ = scorer.observe(samples)
    assert scorer.metric.samples is not None
    alone = scorer.metric.samples(rows, scorer.parameters)
    for raw, value in zip(samples, alone, strict=True):
        if raw.prediction is None or not raw.prediction.json:
            assert np.isnan(value) or value == 0
            continue
        expected = coco_oracle.summary(coco_oracle.evaluate([raw], kind)) if raw.references[0].json else {}
        assert value == pytest.approx(expected.get("ap", np.nan), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("metric", KINDS)
def test_the_best_operating_point_is_the_best_of_all(metric: str) -> None:
    kind, generate, _ = KINDS[metric]
    samples = generate(np.random.default_rng(74), 20)
    judge = coco_oracle.evaluate(samples, kind, [0.75 if "75" in metric else 0.5])
    every = [image for image in judge.evalImgs if image is not None and image["aRng"] == judge.params.areaRng[0]]
    counted = {c for image in every if (c := image["category_id"]) and (np.array(image["gtIgnore"]) == 0).any()}
    every = [image for image in every if image["category_id"] in counted]
    truths = sum(int((np.array(image["gtIgnore"]) == 0).sum()) for image in every)
    scores = np.concatenate([image["dtScores"] for image in every])
    hit = np.concatenate([(image["dtMatches"][0] > 0) & ~image["dtIgnore"][0] for image in every])
    miss = np.concatenate([(image["dtMatches"][0] == 0) & ~image["dtIgnore"][0] for image in every])
    values = {s: 200 * hit[scores >= s].sum() / (hit[scores >= s].sum() + miss[scores >= s].sum() + truths) for s in scores.tolist()}
    found = value_of(metric, samples).companions
    assert found["best_f1"] == pytest.approx(max(values.values()))
    assert values[found["best_f1_score"]] == pytest.approx(found["best_f1"])
