"""Visual grounding accuracy against torchvision's box_iou, its forms of answers, and those that are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue, SampleError
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR
from genlevel_image.forms.grounding import decode_answer, decode_truth
from tests.image.generators import guessed_box, sample, true_box


def value_of(samples: list[RawSample], **parameters: Any) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "ap_10", parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def pair(guess: Any, truth: Any) -> RawSample:
    return sample("1", Content(json=guess), Content(json=truth))


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.75])
def test_equals_torchvision(threshold: float) -> None:
    random = np.random.default_rng(9)
    truth = [true_box(random) for _ in range(2000)]
    guess = [guessed_box(random, item, scored=False)["box"] for item in truth]
    overlap = [float(box_iou(torch.tensor([g], dtype=torch.float64), torch.tensor([t["box"]], dtype=torch.float64))) for g, t in zip(guess, truth, strict=True)]
    found, issues = value_of([sample(str(i), Content(json=g), Content(json=t["box"])) for i, (g, t) in enumerate(zip(guess, truth, strict=True))], iou=threshold)
    assert issues == []
    assert found.value == pytest.approx(100 * np.mean(np.array(overlap) >= threshold))
    assert found.companions["mean_iou"] == pytest.approx(100 * np.mean(overlap), rel=1e-12)
    assert found.warnings == (("loose_threshold",) if threshold < 0.5 else ())


@pytest.mark.parametrize(
    ("guess", "expected"),
    [
        ([0, 0, 10, 10], 100.0),
        ({"box": [0, 0, 10, 10]}, 100.0),
        ([{"box": [0, 0, 10, 10]}, {"box": [50, 0, 60, 10]}], 100.0),
        ([{"box": [50, 0, 60, 10]}, {"box": [0, 0, 10, 10]}], 0.0),
        ([{"box": [50, 0, 60, 10], "score": 0.1}, {"box": [0, 0, 10, 10], "score": 0.2}], 100.0),
        ([{"box": [50, 0, 60, 10]}, {"box": [0, 0, 10, 10], "score": 0.2}], 100.0),
        ([], 0.0),
        ([5, 5, 5, 5], 0.0),
        ([0, 0, 10, 20], 100.0),
        ([0, 0, 10, 20.01], 0.0),
    ],
)
def test_forms_of_an_answer(guess: Any, expected: float) -> None:
    found, issues = value_of([pair(guess, [0, 0, 10, 10])])
    assert (found.value, issues) == (expected, [])
    assert found.companions["unanswered"] == (100.0 if guess == [] else 0.0)


def test_the_best_of_several_references_counts() -> None:
    raw = replace(pair([0, 0, 10, 10], [50, 0, 60, 10]), references=(Content(json=[50, 0, 60, 10]), Content(json=[0, 0, 10, 10])))
    assert value_of([raw])[0].value == 100.0


def test_an_answer_outside_the_picture_is_remarked() -> None:
    raw = replace(pair([0, 0, 900, 900], [0, 0, 40, 40]), attributes={"image_size": [64, 48]})
    found, issues = value_of([raw])
    assert [(issue.code, issue.severity) for issue in issues] == [("BOX_OUTSIDE_IMAGE", "warning")]
    assert found.value == 0.0
    assert value_of([raw], coordinates="per_mille")[0].companions["mean_iou"] == pytest.approx(100 * 1600 / 810_000)


@pytest.mark.parametrize("truth", [[5, 5, 5, 9], [9, 9, 1, 1]])
def test_a_reference_that_nothing_overlaps_is_left_out(truth: list[int]) -> None:
    found, issues = value_of([pair([0, 0, 1, 1], truth)])
    assert [issue.severity for issue in issues] == ["reference"]
    assert (found.value, found.excluded) == (None, 1)


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        ("on the left", "BAD_JSON", ""),
        ("[NaN, 0, 1, 1]", "BAD_JSON", ""),
        (7, "WRONG_TYPE", ""),
        ([1, 2, 3], "WRONG_SHAPE", ""),
        ([1, 2, 3, None], "WRONG_TYPE", "/3"),
        ([{"box": [1, 2, 3, 4]}, 5], "WRONG_TYPE", "/1"),
        ([{"box": [1, 2, 3, 4], "label": "a"}], "UNKNOWN_KEY", "/0"),
        ([{"score": 1}], "WRONG_SHAPE", "/0/box"),
        ({"box": [1, 2, 3, 4], "score": float("nan")}, "NOT_FINITE", "/score"),
        ([{"box": [0, 0, 1, 1]}] * 10_001, "TOO_MANY_BOXES", ""),
    ],
)
def test_unusable_answers(value: Any, code: str, pointer: str) -> None:
    with pytest.raises(SampleError) as error:
        decode_answer(Content(text=value) if isinstance(value, str) else Content(json=value), {})
    assert (error.value.code, error.value.pointer) == (code, pointer)


def test_a_reference_is_one_box() -> None:
    with pytest.raises(SampleError, match="four numbers"):
        decode_truth(Content(json=[]), {})


@pytest.mark.parametrize("parameters", [{"iou": 0}, {"iou": 2}, {"bbox_format": "yolo"}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="ap_10"):
        Scorer.of(EVALUATOR, "ap_10", parameters)
