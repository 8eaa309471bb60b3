"""Recall@50 of triples against SciPy's maximum matching and a transcription of the definition, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from tests.image.files import sample
from tests.image.map_generators import guessed_triples, random_triple
from tests.image.scoring import value_of

NAMES = ("subject", "predicate", "object")


def raw(guess: Any, truth: Any, key: str = "1", **attributes: Any) -> RawSample:
    return RawSample(key, Content(json=guess), (Content(json=truth),), Presence.BOTH, attributes)


def triple(subject: str, predicate: str, thing: str, **more: Any) -> dict[str, Any]:
    return {"subject": subject, "predicate": predicate, "object": thing, **more}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in NAMES)


def ranked(guess: list[dict[str, Any]], k: int) -> list[dict[str, Any]]:
    return sorted(guess, key=lambda item: -item.get("score", 0.0))[:k]


def hits_by_boxes(guess: list[dict[str, Any]], truth: list[dict[str, Any]]) -> int:
    """Rank by rank, the free triple with the best overlap of its worse box."""
    free = list(truth)
    for item in guess:
        fits = [(iou_of(item, other), -place) for place, other in enumerate(free) if same(item, other)]
        if fits and max(fits)[0] >= 0.5:
            free.pop(-max(fits)[1])
    return len(truth) - len(free)


def iou_of(one: dict[str, Any], other: dict[str, Any]) -> float:
    pairs = [(torch.tensor([one[key]], dtype=torch.float64), torch.tensor([other[key]], dtype=torch.float64)) for key in ("subject_box", "object_box")]
    return min(float(box_iou(*pair)) for pair in pairs)


@pytest.mark.parametrize("k", [3, 50])
@pytest.mark.parametrize("scored", [False, True])
def test_names_by_maximum_matching(k: int, scored: bool) -> None:
    random, samples, expected = np.random.default_rng(1), [], []
    for index in range(30):
        truth = [random_triple(random, False) for _ in range(int(random.integers(1, 8)))]
        guess = guessed_triples(random, truth, False, scored)
        fits = np.array([[same(g, t) for t in truth] for g in ranked(guess, k)]).reshape(-1, len(truth))
        expected.append(fits[linear_sum_assignment(-fits.astype(float))].sum() / len(truth))
        samples.append(raw(guess, truth, str(index)))
    found, issues = value_of("recall_at_50", samples, k=k, one_predicate=False)
    assert issues == []
    assert found.value == pytest.approx(100 * np.mean(expected), rel=1e-12)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


@pytest.mark.parametrize("scored", [False, True])
def test_boxes_by_the_definition(scored: bool) -> None:
    random, samples, expected = np.random.default_rng(2), [], []
    for index in range(30):
        truth = [random_triple(random, True) for _ in range(int(random.integers(1, 8)))]
        guess = guessed_triples(random, truth, True, scored)
        expected.append(hits_by_boxes(ranked(guess, 50), truth) / len(truth))
        samples.append(raw(guess, truth, str(index)))
    found, _ = value_of("recall_at_50", samples, one_predicate=False)
    assert found.value == pytest.approx(100 * np.mean(expected), rel=1e-12)
    assert 20 < found.value < 90


def test_one_predicate_a_pair() -> None:
    truth = [triple("man", "on", "horse"), triple("man", "near", "horse"), triple("man", "on", "horse")]
    guess = [triple("man", "on", "horse"), triple("man", "near", "horse"), triple("man", "on", "horse")]
    assert value_of("recall_at_50", [raw(guess, truth)])[0].value == pytest.approx(200 / 3)
    assert value_of("recall_at_50", [raw(guess, truth)], one_predicate=False)[0].value == 100.0
    boxes = [{"subject_box": [x, 0, x + 9, 9], "object_box": [0, 0, 9, 9]} for x in (0, 50)]
    both = [triple("man", "on", "horse", **boxes[0]), triple("man", "near", "horse", **boxes[1])]
    assert value_of("recall_at_50", [raw(both, both)])[0].value == 100.0  # two men


def test_only_the_best_fifty_count() -> None:
    noise = [triple("a", "b", str(place)) for place in range(50)]
    wanted = triple("x", "y", "z")
    assert value_of("recall_at_50", [raw([*noise, wanted], [wanted])])[0].value == 0.0
    assert value_of("recall_at_50", [raw([*noise[1:], wanted], [wanted])])[0].value == 100.0
    scored = [{**item, "score": 0.1} for item in noise] + [{**wanted, "score": 0.2}]
    assert value_of("recall_at_50", [raw(scored, [wanted])])[0].value == 100.0


def test_companions() -> None:
    truth = [triple("a", "on", "b"), triple("c", "on", "d"), triple("e", "has", "f")]
    guess = [triple("a", "on", "b"), triple("e", "has", "f"), triple("x", "on", "y"), triple("u", "on", "v")]
    found, _ = value_of("recall_at_50", [raw(guess, truth)])
    assert found.companions["precision"] == 50.0
    assert found.companions["mean_recall"] == 75.0  # a half of `on`, all of `has`
    assert found.companions["predicates"] == 2


def test_pictures_without_triples_are_left_out() -> None:
    some = [triple("a", "on", "b")]
    found, _ = value_of("recall_at_50", [raw(some, [], "1"), raw(some, some, "2")])
    assert (found.value, found.companions["pictures"]) == (100.0, 1)
    nothing, _ = value_of("recall_at_50", [raw(some, [])])
    assert (nothing.value, nothing.reason) == (None, "no_reference")


def test_a_missing_answer_finds_nothing() -> None:
    some = [triple("a", "on", "b")]
    assert value_of("recall_at_50", [raw(some, some, "1"), sample("2", None, Content(json=some))])[0].value == 50.0
    assert value_of("recall_at_50", [raw([], some)])[0].value == 0.0


def test_boxes_of_the_reference_must_be_met() -> None:
    box = {"subject_box": [0, 0, 10, 10], "object_box": [0, 0, 10, 10]}
    truth, bare = [triple("a", "on", "b", **box)], [triple("a", "on", "b")]
    assert value_of("recall_at_50", [raw(bare, truth)])[0].value == 0.0
    assert value_of("recall_at_50", [raw(truth, bare)])[0].value == 100.0
    half = [triple("a", "on", "b", subject_box=[0, 0, 10, 20], object_box=[0, 0, 10, 10])]
    assert value_of("recall_at_50", [raw(half, truth)])[0].value == 100.0  # an IoU of one half is enough
    assert value_of("recall_at_50", [raw(half, truth)], iou=0.51)[0].value == 0.0
    shares = [triple("a", "on", "b", subject_box=[0, 0, 0.1, 0.1], object_box=[0, 0, 0.1, 0.1])]
    assert value_of("recall_at_50", [raw(shares, shares, image_size=[100, 100])], coordinates="unit")[0].value == 100.0


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_bounds_and_more_guesses_never_hurt(seed: int, boxed: bool) -> None:
    random = np.random.default_rng(seed)
    truth = [random_triple(random, boxed) for _ in range(int(random.integers(1, 6)))]
    guess = guessed_triples(random, truth, boxed, False)
    values = [value_of("recall_at_50", [raw(guess[:count], truth)])[0].value for count in range(len(guess) + 1)]
    assert values[0] == 0.0
    assert values == sorted(values)
    assert values[-1] <= 100.0
    assert value_of("recall_at_50", [raw(truth, truth)], one_predicate=False)[0].value == 100.0


@pytest.mark.parametrize(
    ("guess", "code"),
    [
        ({"subject": "a"}, "WRONG_TYPE"), (["a on b"], "WRONG_TYPE"), ([{"subject": "a", "object": "b"}], "WRONG_TYPE"),
        ([triple("a", "on", "b", weight=1)], "UNKNOWN_KEY"), ([triple("a", "on", "b", score=float("nan"))], "NOT_FINITE"),
        ([triple("a", "on", "b", subject_box=[1, 2, 3])], "WRONG_SHAPE"),
        ([triple("a", "on", "b", subject_box=[5, 5, 1, 1], object_box=[0, 0, 1, 1])], "NEGATIVE_SIZE"),
        ([triple("a", "on", "b")] * 10_001, "TOO_MANY_TRIPLES"),
    ],
)
def test_bad_answers_are_issues_and_score_0(guess: Any, code: str) -> None:
    found, issues = value_of("recall_at_50", [raw(guess, [triple("a", "on", "b")])])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]
    assert issues[0].remedy
    assert found.value == 0.0


def test_mixed_boxes_of_a_reference_are_refused() -> None:
    truth = [triple("a", "on", "b"), triple("a", "on", "b", subject_box=[0, 0, 1, 1], object_box=[0, 0, 1, 1])]
    _, issues = value_of("recall_at_50", [raw([], truth)])
    assert [(issue.code, issue.severity) for issue in issues] == [("MIXED_BOXES", "reference")]


@pytest.mark.parametrize("parameters", [{"k": 0}, {"iou": 0}, {"iou": 1.5}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="recall_at_50"):
        value_of("recall_at_50", [], **parameters)
