"""token_f1 against torchmetrics' SQuAD and a derivation of the public variant."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from language_texts import RANDOM, column, evaluate, pairs, real_pairs, value


@cache
def squad() -> Any:
    from torchmetrics.text import SQuAD

    return SQuAD()


def squad_scores(samples: list[tuple[str, list[str]]]) -> dict[str, float]:
    """torchmetrics 1.9, the official v1.1 script in percent, with v2.0's rule for empty answers."""
    metric = squad()
    metric.reset()
    predictions = [{"prediction_text": prediction, "id": str(index)} for index, (prediction, _) in enumerate(samples)]
    targets = [
        {"answers": {"answer_start": [0] * len(references), "text": references}, "id": str(index)}
        for index, (_, references) in enumerate(samples)
    ]
    metric.update(predictions, targets)
    return {name: float(number) for name, number in metric.compute().items()}


def squad_f1(prediction: str, references: list[str]) -> float:
    """The script's arithmetic in float64 on the tokens of torchmetrics, whose own ratio is float32."""
    from torchmetrics.functional.text.squad import _get_tokens

    best = 0.0
    for reference in references:
        left, right = _get_tokens(prediction), _get_tokens(reference)
        if not left or not right:
            best = max(best, float(left == right))
            continue
        same = sum((Counter(left) & Counter(right)).values())
        if same:
            precision, recall = same / len(left), same / len(right)
            best = max(best, 2 * precision * recall / (precision + recall))
    return best


def distinct_raw(prediction: str, references: list[str]) -> float:
    """General-bench-format 2.1: distinct shared tokens over full token counts."""
    best = 0.0
    for reference in references:
        left, right = prediction.split(), reference.split()
        shared = len([token for token in dict.fromkeys(left) if token in right])
        if shared:
            precision, recall = shared / len(left), shared / len(right)
            best = max(best, 2 * precision * recall / (precision + recall))
    return best


@settings(max_examples=50)
@given(pairs)
def test_equals_squad(pair: tuple[str, list[str]]) -> None:
    assert value("token_f1", [pair]) == pytest.approx(100 * squad_f1(*pair), abs=1e-9)


@settings(max_examples=50)
@given(pairs)
def test_equals_the_public_variant(pair: tuple[str, list[str]]) -> None:
    assert value("token_f1", [pair], variant="distinct_raw") == pytest.approx(100 * distinct_raw(*pair), abs=1e-9)


def test_a_thousand_random_cases() -> None:
    assert column("token_f1", RANDOM, "f1") == pytest.approx([squad_f1(*pair) for pair in RANDOM], abs=1e-11)
    assert column("token_f1", RANDOM, "f1", variant="distinct_raw") == pytest.approx(
        [distinct_raw(*pair) for pair in RANDOM], abs=1e-11
    )


def test_real_sentences() -> None:
    real = real_pairs(200)
    expected = squad_scores(real)
    result, _ = evaluate("token_f1", real)
    assert result.value == pytest.approx(expected["f1"], abs=1e-4)  # torchmetrics sums in float32
    assert result.value == pytest.approx(100 * math.fsum(squad_f1(*pair) for pair in real) / len(real), abs=1e-9)
    assert result.companions["squad_exact_match"] == pytest.approx(expected["exact_match"], abs=1e-4)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("", "", 100.0),
        ("the", "", 100.0),
        ("a cat", "", 0.0),
        ("", "cat", 0.0),
        ("the cat the", "cat cat", 200 / 3),
        ("Straße!", "straße", 100.0),
    ],
)
def test_squad_cases(prediction: str, reference: str, expected: float) -> None:
    assert value("token_f1", [(prediction, [reference])]) == pytest.approx(expected, abs=1e-9)


def test_a_text_with_a_repeated_word_against_itself() -> None:
    assert value("token_f1", [("the cat the", ["the cat the"])], variant="distinct_raw") == pytest.approx(200 / 3)
    assert value("token_f1", [("the cat the", ["the cat the"])]) == 100.0


def test_missing_predictions_score_zero() -> None:
    assert value("token_f1", [(None, [""]), ("cat", ["cat"])]) == 50.0
