"""exact_match_1 against a derivation of its rule by regular expressions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from language_texts import evaluate, pairs, value


def rule(text: str) -> str:
    """Lower case, trim, one space for inner white space, one final full stop off."""
    return re.sub(r"\s*\.?$", "", re.sub(r"\s+", " ", text.lower()).strip(), count=1).strip()


@settings(max_examples=60)
@given(pairs)
def test_equals_the_rule(pair: tuple[str, list[str]]) -> None:
    prediction, references = pair
    if any(re.search(r"[\x1c-\x1f\x85]|[.\s]\.\s*$", text) for text in (prediction, *references)):
        return  # control characters that `re` and `str` do not both call white space; runs of full stops have their own test
    assert value("exact_match_1", [pair]) == 100.0 * (rule(prediction) in map(rule, references))


@pytest.mark.parametrize(
    ("prediction", "reference", "correct"),
    [
        ("On the  Left.", "on the left", True),
        ("yes .", "Yes", True),
        ("the table", "table", False),
        ("two", "2", False),
        ("on the left side", "on the left", False),
        ("yes..", "yes", False),
        ("yes!", "yes", False),
        ("", "", True),
        (2, "2", True),
    ],
)
def test_cases(prediction: object, reference: str, correct: bool) -> None:
    assert value("exact_match_1", [(prediction, [reference])]) == 100.0 * correct


def test_the_first_of_ranked_answers_counts() -> None:
    assert value("exact_match_1", [(["left", "right"], ["left"])]) == 100.0
    assert value("exact_match_1", [(["right", "left"], ["left"])]) == 0.0
    assert value("exact_match_1", [([], ["left"])]) == 0.0


def test_any_reference_will_do() -> None:
    assert value("exact_match_1", [("left", ["right", "Left."])]) == 100.0


def test_missing_predictions_are_wrong() -> None:
    assert value("exact_match_1", [("a", ["a"]), (None, [""])]) == 50.0


def test_wrong_forms_are_issues() -> None:
    _, issues = evaluate("exact_match_1", [([{"answer": "a"}], ["a"]), ("a", [["a"]]), ("a", ["a"])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [
        ("0", "WRONG_TYPE", "prediction"),
        ("1", "WRONG_TYPE", "reference"),
    ]
