"""Box AP against pycocotools 2.0.11, its rules one by one, and boxes that are refused."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue, SampleError
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR
from genlevel_image.forms.boxes import decode_boxes
from genlevel_image.forms.objects import label_number
from tests.image.generators import detections, sample

AREAS = ["all", "small", "medium", "large"]
Box = dict[str, Any]


def value_of(samples: list[RawSample], **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "ap_50_box", parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def boxes(guess: list[Box] | None, truth: list[Box], key: str = "1") -> RawSample:
    return sample(key, None if guess is None else Content(json=guess), Content(json=truth))


def box(*corners: float, label: str = "a", **others: Any) -> Box:
    return {"label": label, "box": list(corners), **others}


def coco_box(item: Box) -> list[float]:
    x1, y1, x2, y2 = item["box"]
    return [x1, y1, x2 - x1, y2 - y1]


def pycocotools(samples: list[RawSample], iou: float = 0.5, max_detections: int = 100) -> dict[str, float]:
    """AP in percent by area range, and the recall over all areas, as COCOeval gives them."""
    truth: list[dict[str, Any]] = []
    guess: list[dict[str, Any]] = []
    for raw in samples:
        for item in raw.references[0].json:
            size = coco_box(item)
            area = item.get("area", size[2] * size[3])
            truth.append({"id": len(truth) + 1, "image_id": int(raw.id), "category_id": label_number(item["label"]),
                          "bbox": size, "area": area, "iscrowd": int(item.get("crowd", False))})
        for item in raw.prediction.json if raw.prediction else []:
            guess.append({"image_id": int(raw.id), "category_id": label_number(item["label"]), "bbox": coco_box(item), "score": item["score"]})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": int(raw.id)} for raw in samples], "annotations": truth,
            "categories": [{"id": i} for i in sorted({a["category_id"] for a in truth + guess})],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(guess), "bbox")
        judge.params.iouThrs = np.array([iou])
        judge.params.maxDets = [max_detections]
        judge.evaluate()
        judge.accumulate()
    precision, recall = judge.eval["precision"][0], judge.eval["recall"][0]
    result = {name: float(np.mean(p[p > -1])) * 100 for i, name in enumerate(AREAS) if (p := precision[:, :, i, 0]).max() > -1}
    result["recall"] = float(np.mean(recall[:, 0, 0][recall[:, 0, 0] > -1])) * 100
    return result


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("iou", "max_detections"), [(0.5, 100), (0.75, 100), (0.5, 3), (0.1, 100), (1.0, 100)])
def test_equals_pycocotools(seed: int, iou: float, max_detections: int) -> None:
    samples = detections(np.random.default_rng(seed), 30)
    expected = pycocotools(samples, iou, max_detections)
    found, issues = value_of(samples, iou=iou, max_detections=max_detections, ties="coco")
    assert issues == []
    assert found.value == pytest.approx(expected["all"], abs=1e-9)
    assert found.companions["recall"] == pytest.approx(expected["recall"], abs=1e-9)
    for area in AREAS[1:]:
        assert found.companions.get(f"area_{area}") == pytest.approx(expected.get(area), abs=1e-9)


@pytest.mark.parametrize("area", AREAS[1:])
def test_an_area_range_as_headline(area: str) -> None:
    samples = detections(np.random.default_rng(40), 40)
    assert value_of(samples, area=area)[0].value == pytest.approx(pycocotools(samples)[area], abs=1e-9)


def test_all_scores_equal_follow_coco_order_on_request() -> None:
    samples = detections(np.random.default_rng(41), 30)
    for raw in samples:
        for item in raw.prediction.json if raw.prediction else []:
            item["score"] = 0.5
    expected = pycocotools(samples)["all"]
    found, _ = value_of(samples)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.companions["ties_grouped"] == 0
    assert found.companions["grouped"] == pytest.approx(value_of(samples, ties="grouped")[0].value)
    assert abs(found.companions["grouped"] - expected) > 0.1


def test_without_scores_a_class_is_one_operating_point() -> None:
    """Two of three detections are right and two of four objects are found: precision 2/3 up to recall 1/2, 51 of 101 points."""
    truth = [box(0, 0, 10, 10), box(20, 0, 30, 10), box(40, 0, 50, 10), box(60, 0, 70, 10)]
    guess = [box(0, 0, 10, 10), box(100, 0, 110, 10), box(20, 0, 30, 10)]
    found, _ = value_of([boxes(guess, truth)])
    assert found.value == pytest.approx(100 * 2 / 3 * 51 / 101, rel=1e-12)
    assert found.companions["ties_grouped"] == 1
    assert found.warnings == ("no_scores",)


def test_without_scores_the_order_of_samples_and_boxes_is_free() -> None:
    samples = detections(np.random.default_rng(42), 30, scored=False)
    turned = [boxes(raw.prediction.json[::-1] if raw.prediction else None, raw.references[0].json, str(100 - int(raw.id))) for raw in samples]
    assert value_of(samples)[0].value == pytest.approx(value_of(turned)[0].value, rel=1e-3)


def test_some_scores_missing_is_said() -> None:
    guess = [box(0, 0, 10, 10), box(0, 0, 10, 10, score=0.1)]
    found, _ = value_of([boxes(guess, [box(0, 0, 10, 10)])])
    assert found.warnings == ("some_scores_missing",)
    assert found.value == 100.0


def test_the_threshold_itself_matches() -> None:
    assert value_of([boxes([box(0, 0, 10, 10, score=1)], [box(0, 0, 10, 20)])])[0].value == 100.0
    assert value_of([boxes([box(0, 0, 10, 10, score=1)], [box(0, 0, 10, 20.01)])])[0].value == 0.0


def test_detections_of_classes_without_truth_are_free() -> None:
    guess = [box(0, 0, 10, 10, score=0.5), box(0, 0, 10, 10, label="b", score=0.9)]
    assert value_of([boxes(guess, [box(0, 0, 10, 10)])])[0].value == 100.0


def test_detections_on_a_crowd_are_free() -> None:
    truth = [box(0, 0, 10, 10), box(50, 0, 150, 100, crowd=True)]
    guess = [box(60, 10, 70, 20, score=0.9), box(60, 10, 70, 20, score=0.8), box(0, 0, 10, 10, score=0.5)]
    assert value_of([boxes(guess, truth)])[0].value == 100.0


def test_nothing_to_find_is_undefined() -> None:
    for truth in ([], [box(0, 0, 1, 1, crowd=True)]):
        found, _ = value_of([boxes([box(0, 0, 1, 1, score=1)], truth)])
        assert (found.value, found.reason) == (None, "no_reference")


def test_missing_predictions_find_nothing() -> None:
    samples = [boxes([box(0, 0, 9, 9, score=1)], [box(0, 0, 9, 9)], "1"), boxes(None, [box(0, 0, 9, 9)], "2")]
    assert value_of(samples)[0].value == pytest.approx(100 * 51 / 101, rel=1e-12)


@pytest.mark.parametrize(("form", "given"), [("xyxy", [10, 20, 40, 80]), ("xywh", [10, 20, 30, 60])])
@pytest.mark.parametrize("as_attribute", [True, False])
def test_box_formats(form: str, given: list[float], as_attribute: bool) -> None:
    raw = boxes([{"label": "a", "box": given, "score": 1.0}], [{"label": "a", "box": given, "area": 1800}])
    sized = RawSample(raw.id, raw.prediction, raw.references, raw.presence, {"bbox_format": form} if as_attribute else {})
    found, _ = value_of([sized], **({} if as_attribute else {"bbox_format": form}))
    assert found.value == 100.0
    assert found.companions["area_medium"] == 100.0


@pytest.mark.parametrize(("coordinates", "factor"), [("unit", 1.0), ("per_mille", 1000.0)])
def test_relative_coordinates_need_the_size(coordinates: str, factor: float) -> None:
    raw = boxes([box(0.0, 0.0, 0.5 * factor, 0.25 * factor, score=1)], [box(0.0, 0.0, 0.5 * factor, 0.25 * factor)])
    sized = RawSample(raw.id, raw.prediction, raw.references, raw.presence, {"image_size": [40, 80]})
    found, _ = value_of([sized], coordinates=coordinates)
    assert found.value == 100.0
    assert found.companions["area_small"] == 100.0  # 20 x 20 pixels
    found, issues = value_of([raw], coordinates=coordinates)
    assert found.value is None
    assert {issue.code for issue in issues} == {"NO_IMAGE_SIZE"}


def test_the_interval_brackets_the_value_and_follows_pycocotools() -> None:
    """A bootstrap replicate is the AP of the data set with pictures repeated."""
    from genlevel_image.detection import curves
    from genlevel_image.detection.table import Table

    samples = detections(np.random.default_rng(43), 25)
    scorer = Scorer.of(EVALUATOR, "ap_50_box", {})
    rows, _ = scorer.observe(samples)
    found = scorer.finalize(rows)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    curve = Table.of(rows).curve(0, 0)
    assert 100 * curves.weighted_mean(curve, curves.stops(curve, grouped=False), np.ones(25)) == pytest.approx(found.value, rel=1e-9)
    weights = np.random.default_rng(1).poisson(1.0, 25)
    for grouped in (False, True):
        copies = [boxes(raw.prediction.json if raw.prediction else None, raw.references[0].json, str(100 * i + c))
                  for i, raw in enumerate(samples) for c in range(weights[i])]
        # The weighted curve steps over a repeated picture at once, so it may pass a recall point the copies stop at.
        expected = value_of(copies, ties="grouped" if grouped else "coco")[0].value
        found_here = curves.weighted_mean(curve, curves.stops(curve, grouped), weights.astype(float))
        assert 100 * found_here == pytest.approx(expected, abs=1e-9 if grouped else 1.5)


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        ({"label": "a"}, "WRONG_TYPE", ""),
        ("boxes", "BAD_JSON", ""),
        ([[0, 0, 1, 1]], "WRONG_TYPE", "/0"),
        ([{"box": [0, 0, 1, 1]}], "WRONG_TYPE", "/0/label"),
        ([box(0, 0, 1)], "WRONG_SHAPE", "/0/box"),
        ([box(0, 0, 1, 1), box(0, 0, 1, float("nan"))], "NOT_FINITE", "/1/box/3"),
        ([box(0, 0, 1, 10**400)], "NOT_FINITE", "/0/box/3"),
        ([box(0, 0, 1, True)], "WRONG_TYPE", "/0/box/3"),
        ([box(0, 0, 1, 1, score="0.5")], "WRONG_TYPE", "/0/score"),
        ([box(0, 0, 1, 1, score=float("inf"))], "NOT_FINITE", "/0/score"),
        ([box(0, 0, 1, 1, crowd=1)], "WRONG_TYPE", "/0/crowd"),
        ([box(0, 0, 1, 1, area=-1)], "NEGATIVE_AREA", "/0/area"),
        ([box(0, 0, 1, 1, confidence=0.5)], "UNKNOWN_KEY", "/0"),
        ([box(0, 0, 1, 1)] * 100_001, "TOO_MANY_BOXES", ""),
    ],
)
def test_unusable_boxes(value: Any, code: str, pointer: str) -> None:
    content = Content(text=value) if isinstance(value, str) else Content(json=value)
    with pytest.raises(SampleError) as error:
        decode_boxes(content, {})
    assert (error.value.code, error.value.pointer) == (code, pointer)
    assert error.value.remedy


def test_a_box_that_ends_before_it_begins_names_itself() -> None:
    found, issues = value_of([boxes([box(0, 0, 9, 9), box(5, 5, 1, 9)], [box(0, 0, 9, 9)])])
    assert [(issue.code, issue.severity, issue.pointer) for issue in issues] == [("NEGATIVE_SIZE", "prediction", "/1/box")]
    assert found.value == 0.0


def test_labels_are_trimmed_text() -> None:
    guess = [box(0, 0, 9, 9, label=" a ", score=1), box(20, 0, 29, 9, label=3, score=1)]
    assert value_of([boxes(guess, [box(0, 0, 9, 9), box(20, 0, 29, 9, label="3")])])[0].value == 100.0


def test_more_pairs_than_fit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from genlevel_image.detection import matching

    samples = detections(np.random.default_rng(44), 20)
    whole = value_of(samples)[0]
    monkeypatch.setattr(matching, "_PAIRS", 3)
    assert value_of(samples)[0] == whole


@pytest.mark.parametrize("parameters", [{"iou": 0}, {"iou": 1.5}, {"max_detections": 0}, {"bbox_format": "cxcywh"}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="ap_50_box"):
        Scorer.of(EVALUATOR, "ap_50_box", parameters)


@pytest.mark.parametrize("given", ["cxcywh", "XYWH", 4, None, ["xyxy"]])
def test_a_form_of_boxes_that_is_none_leaves_the_sample_out(given: object) -> None:
    wrong = RawSample("1", Content(json=[box(0, 0, 1, 1, score=1)]), (Content(json=[box(0, 0, 1, 1)]),), attributes={"bbox_format": given})
    value, issues = value_of([wrong])
    assert [(issue.code, issue.severity, issue.pointer) for issue in issues] == [("BAD_ATTRIBUTE", "reference", "/bbox_format")]
    assert (value.value, value.excluded) == (None, 1)


def test_boxes_outside_the_picture_are_scored_and_remarked() -> None:
    """Also where many pictures are observed together."""
    raws = [boxes([box(-20, 0, 10, 10, score=1)], [box(-20, 0, 10, 10)], key) for key in "12"]
    sized = [RawSample(raw.id, raw.prediction, raw.references, raw.presence, {"image_size": [40, 80]}) for raw in raws]
    found, issues = value_of(sized)
    assert [(issue.sample_id, issue.code, issue.severity, issue.pointer) for issue in issues] == [
        (key, "BOX_OUTSIDE_IMAGE", "warning", "/0/box") for key in "12"
    ]
    assert found.value == 100.0


def test_labels_that_no_reference_has_are_said() -> None:
    guess = [box(0, 0, 9, 9, label="0", score=1), box(20, 0, 29, 9, label="0", score=1), box(0, 0, 9, 9, score=0.5)]
    found, _ = value_of([boxes(guess, [box(0, 0, 9, 9)])])
    assert found.value == 100.0
    assert found.companions["unknown_label_share"] == pytest.approx(200 / 3)
    assert found.warnings == ("unknown_labels",)
