"""micro_f1 against scikit-learn's micro average on a multilabel indicator."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import evaluate, value
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MultiLabelBinarizer

NAMES = ["joy", "fear", "trust", "a, b", "猫", "ß"]
label_lists = st.lists(st.sampled_from([*NAMES, "Joy", " fear ", ""]), max_size=5)
tasks = st.lists(st.tuples(label_lists, label_lists), min_size=1, max_size=12)


def clean(labels: list[str]) -> set[str]:
    return {label.strip().lower() for label in labels if label.strip()}


@settings(max_examples=100)
@given(tasks)
def test_equals_sklearn(samples: list[tuple[list[str], list[str]]]) -> None:
    predicted, expected = [clean(left) for left, _ in samples], [clean(right) for _, right in samples]
    result, issues = evaluate("micro_f1", [(left, [right]) for left, right in samples])
    assert issues == []
    if not any(predicted) and not any(expected):
        assert (result.value, result.reason) == (None, "no_reference")
        return
    # Two labels nobody uses: scikit-learn takes an indicator of one column for a binary task and gives its accuracy.
    indicator = MultiLabelBinarizer().fit([*predicted, *expected, {"never", "ever"}])
    oracle = f1_score(indicator.transform(expected), indicator.transform(predicted), average="micro", zero_division=0)
    assert result.value == pytest.approx(100 * float(oracle), abs=1e-9)


def test_real_size_task() -> None:
    import random

    source = random.Random(5)
    labels = [f"label {number}" for number in range(28)]
    expected = [set(source.sample(labels, k=source.randrange(4))) for _ in range(1500)]
    predicted = [{name for name in labels if (name in true) != (source.random() < 0.05)} for true in expected]
    indicator = MultiLabelBinarizer().fit([labels])
    oracle = f1_score(indicator.transform(expected), indicator.transform(predicted), average="micro")
    ours = value("micro_f1", [("<p>".join(left), [sorted(right)]) for left, right in zip(predicted, expected, strict=True)])
    assert ours == pytest.approx(100 * float(oracle), abs=1e-9)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=20))
def test_with_one_label_each_it_is_accuracy(samples: list[tuple[str, str]]) -> None:
    oracle = accuracy_score([right for _, right in samples], [left for left, _ in samples])
    assert value("micro_f1", [(left, [right]) for left, right in samples]) == pytest.approx(100 * float(oracle), abs=1e-9)


def test_a_comma_inside_a_label_does_not_split() -> None:
    assert value("micro_f1", [("a, b<p>c", [["a, b", "C"]])]) == 100.0
    assert value("micro_f1", [("a", ["a, b"])]) == 0.0


def test_two_empty_sets() -> None:
    """They add nothing; the public scorer counts a hit."""
    samples = [([], [[]]), (["joy"], [["fear"]])]
    assert value("micro_f1", samples) == 0.0
    assert value("micro_f1", samples, empty_pairs="hit") == pytest.approx(50.0)
    result, _ = evaluate("micro_f1", [("", [""])])
    assert (result.value, result.reason) == (None, "no_reference")


def test_case_of_the_prediction() -> None:
    assert value("micro_f1", [("Joy", ["joy"])]) == 100.0
    assert value("micro_f1", [("Joy", ["JOY"])], lower="reference") == 0.0
    assert value("micro_f1", [("joy", ["JOY"])], lower="reference") == 100.0


def test_the_best_reference_counts() -> None:
    result, _ = evaluate("micro_f1", [(["joy"], [["fear", "trust"], ["joy", "trust"]])])
    assert result.value == pytest.approx(200 / 3)
    assert {name: result.companions[name] for name in ("precision", "recall", "exact_sets")} == {"precision": 100.0, "recall": 50.0, "exact_sets": 0.0}


def test_a_missing_prediction_never_pays() -> None:
    """All labels are missed; with none to miss it counts one error."""
    present = (["joy"], [["joy"]])
    assert value("micro_f1", [present, (None, [["fear", "trust"]])]) == pytest.approx(100 * 2 / (2 + 2))
    assert value("micro_f1", [present, (None, [[]])]) == pytest.approx(100 * 2 / (2 + 1))
    assert value("micro_f1", [present, (None, [[]])], empty_pairs="hit") == pytest.approx(100 * 2 / (2 + 1))


@pytest.mark.parametrize("wrong", [{"joy": 1}, [["joy"]], [None]])
def test_wrong_forms_are_issues(wrong: object) -> None:
    result, issues = evaluate("micro_f1", [(wrong, [["joy"]]), (["joy"], [["joy"]])])
    assert [(issue.sample_id, issue.code) for issue in issues] == [("0", "WRONG_TYPE")]
    assert result.value == pytest.approx(100 * 2 / 3)
    assert result.present == 1


def test_interval_holds_the_value() -> None:
    samples = [(["joy"], [["joy" if number % 3 else "fear"]]) for number in range(60)]
    result, _ = evaluate("micro_f1", samples)
    assert result.interval is not None
    assert result.value is not None
    assert result.interval.low < result.value < result.interval.high


@pytest.mark.parametrize(
    ("extractor", "prediction", "reference", "expected"),
    [
        ("none", "The answer is B.", "b", 0.0),
        ("option_letter", "The answer is B.", "b", 100.0),
        ("option_letter", "no idea", "b", 0.0),
        ("option_letter", ["b"], "b", 100.0),
        ("option_letters", "(A) and (C)", "a<p>c", 100.0),
        ("public_choice", "Definitely C", "c", 100.0),
        ("public_choice", "Because of C", "c", 0.0),
    ],
)
def test_labels_in_a_sentence(extractor: str, prediction: Any, reference: str, expected: float) -> None:
    assert value("micro_f1", [(prediction, [reference])], extractor=extractor) == expected
