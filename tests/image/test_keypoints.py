"""Keypoint AP: what the similarity needs, its parameters, and people who are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR
from genlevel_image.forms.keypoints import decode_keypoints
from tests.image.generators import sample

TWO = {"sigmas": "0.1,0.1"}
TRUE = {"keypoints": [0, 0, 2, 10, 0, 2], "area": 100.0, "box": [0, 0, 10, 10]}
FOUND = {"keypoints": [0, 0, 1, 10, 0, 1], "score": 0.9}


def scored(guess: list[Any], truth: list[Any], **parameters: Any) -> tuple[Any, list[Any]]:
    scorer = Scorer.of(EVALUATOR, "ap_50_keypoint", TWO | parameters)
    rows, issues = scorer.observe([sample("1", Content(json=guess), Content(json=truth))])
    return scorer.finalize(rows), issues


def test_the_similarity_by_hand() -> None:
    """d = 2, area 100, sigma 0.1: exp(-4 / 100 / 0.04 / 2) = exp(-1/2); one exact point beside it gives (1 + 0.6065) / 2 = 0.803."""
    off = {"keypoints": [0, 2, 1, 10, 0, 1], "score": 0.9}
    limit = (1 + np.exp(-0.5)) / 2
    assert scored([off], [TRUE], oks=float(limit - 1e-9))[0].value == 100.0
    assert scored([off], [TRUE], oks=float(limit + 1e-9))[0].value == 0.0


def test_points_without_label_do_not_count() -> None:
    half = TRUE | {"keypoints": [0, 0, 2, 0, 0, 0]}
    assert scored([FOUND], [half], oks=1.0)[0].value == 100.0


def test_nobody_with_labelled_points_is_ignored_with_who_is_in_the_doubled_box() -> None:
    bare = {"keypoints": [0] * 6, "area": 100.0, "box": [100, 100, 110, 110]}
    inside = {"keypoints": [95, 95, 1, 105, 105, 1], "score": 1.0}
    assert scored([inside, FOUND], [TRUE, bare])[0].value == 100.0
    outside = {"keypoints": [300, 95, 1, 305, 105, 1], "score": 1.0}
    assert scored([outside, FOUND], [TRUE, bare])[0].value == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("truth", "code"),
    [
        ({"keypoints": [0, 0, 2, 1, 1, 2]}, "NO_AREA"),
        ({"keypoints": [0] * 6, "area": 1.0}, "NO_BOX"),
        ({"keypoints": [0, 0, 0.5, 1, 1, 2], "area": 1.0}, "BAD_VISIBILITY"),
        ({"keypoints": [0, 0, 2], "area": 1.0}, "KEYPOINT_COUNT"),
        (TRUE | {"box": [5, 5, 0, 0]}, "NEGATIVE_SIZE"),
    ],
)
def test_references_that_cannot_be_used_are_left_out(truth: dict[str, Any], code: str) -> None:
    found, issues = scored([FOUND], [truth])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "reference")]
    assert (found.value, found.excluded) == (None, 1)


def test_the_area_of_the_box_on_request() -> None:
    bare = {key: value for key, value in TRUE.items() if key != "area"}
    assert scored([FOUND], [bare], area_from="box")[0].value == 100.0


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        ({"keypoints": [0, 0, 1]}, "WRONG_TYPE", ""),
        ([[0, 0, 1]], "WRONG_TYPE", "/0"),
        ([{}], "WRONG_SHAPE", "/0/keypoints"),
        ([{"keypoints": [0, 0]}], "WRONG_SHAPE", "/0/keypoints"),
        ([{"keypoints": [0.0] * 3003}], "WRONG_SHAPE", "/0/keypoints"),
        ([{"keypoints": [0, 0, 1]}, {"keypoints": [0, 0, 1] * 2}], "KEYPOINT_COUNT", "/1/keypoints"),
        ([{"keypoints": [0, float("nan"), 1]}], "NOT_FINITE", "/0/keypoints/1"),
        ([{"keypoints": [0, "1", 1]}], "WRONG_TYPE", "/0/keypoints/1"),
        ([{"keypoints": [0, 0, 1], "score": float("nan")}], "NOT_FINITE", "/0/score"),
        ([{"keypoints": [0, 0, 1], "box": [0, 0, 1]}], "WRONG_SHAPE", "/0/box"),
        ([{"keypoints": [0, 0, 1], "bbox": [0, 0, 1, 1]}], "UNKNOWN_KEY", "/0"),
        ([{"keypoints": [0, 0, 1]}] * 10_001, "TOO_MANY_PEOPLE", ""),
    ],
)
def test_unusable_people(value: Any, code: str, pointer: str) -> None:
    with pytest.raises(SampleError) as error:
        decode_keypoints(Content(json=value), {})
    assert (error.value.code, error.value.pointer) == (code, pointer)


@pytest.mark.parametrize("parameters", [{"oks": 0}, {"oks": 1.1}, {"sigmas": "coco17"}, {"sigmas": "0.1,-1"}, {"sigmas": "nan"}, {"max_detections": 0}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="ap_50_keypoint"):
        Scorer.of(EVALUATOR, "ap_50_keypoint", parameters)
