"""macro_accuracy and f1 against scikit-learn."""

from __future__ import annotations

import random
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import as_table, evaluate, value
from sklearn.metrics import accuracy_score, balanced_accuracy_score, classification_report, f1_score

NAMES = ["causes", "enables", "a, b", "猫", "c#", "-3"]
answers = st.sampled_from([*NAMES, "nonsense", "another"])
tasks = st.lists(st.tuples(answers, st.sampled_from(NAMES)), min_size=1, max_size=15)


def random_task(seed: int, size: int, classes: int) -> list[tuple[str, str]]:
    """(given, expected) of a skewed task with answers outside its classes."""
    source = random.Random(seed)
    names = [f"class {number}" for number in range(classes)]
    expected = source.choices(names, weights=[1 / (1 + place) for place in range(classes)], k=size)
    return [(name if source.random() < 0.6 else source.choice([*names, "nonsense", "other"]), name) for name in expected]


def balanced(task: list[tuple[str, str]]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about classes that only answers name
        return 100 * float(balanced_accuracy_score([right for _, right in task], [left for left, _ in task]))


def sklearn_f1(task: list[tuple[str, str]], average: str, union: bool) -> float:
    left, right = [left for left, _ in task], [right for _, right in task]
    labels = sorted({*left, *right} if union else set(right))
    return 100 * float(f1_score(right, left, labels=labels, average=average, zero_division=0))


def as_samples(task: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    return [(left, [right]) for left, right in task]


@settings(max_examples=150)
@given(tasks)
def test_small_tasks_equal_sklearn(task: list[tuple[str, str]]) -> None:
    assert value("macro_accuracy", as_samples(task)) == pytest.approx(balanced(task), abs=1e-9)
    for average in ("macro", "weighted"):
        for classes in ("reference", "union"):
            ours = value("f1", as_samples(task), average=average, classes=classes)
            assert ours == pytest.approx(sklearn_f1(task, average, classes == "union"), abs=1e-9)


@pytest.mark.parametrize(("size", "classes"), [(2000, 2), (3000, 26), (2000, 300)])
def test_large_tasks_equal_sklearn(size: int, classes: int) -> None:
    task = random_task(classes, size, classes)
    assert value("macro_accuracy", as_samples(task)) == pytest.approx(balanced(task), abs=1e-9)
    for average in ("macro", "weighted"):
        assert value("f1", as_samples(task), average=average) == pytest.approx(sklearn_f1(task, average, False), abs=1e-9)
    assert value("f1", as_samples(task), classes="union") == pytest.approx(sklearn_f1(task, "macro", True), abs=1e-9)


def test_companions_hold_the_class_table_and_the_baselines() -> None:
    task = random_task(1, 500, 5)
    right = [expected for _, expected in task]
    report = classification_report(right, [left for left, _ in task], labels=sorted(set(right)), output_dict=True, zero_division=0)
    for metric in ("macro_accuracy", "f1"):
        result, issues = evaluate(metric, as_samples(task))
        assert issues == []
        assert result.companions["accuracy"] == pytest.approx(100 * accuracy_score(right, [left for left, _ in task]), abs=1e-9)
        assert result.companions["majority_baseline"] == pytest.approx(100 * max(map(right.count, right)) / 500)
        assert result.companions["chance"] == pytest.approx(20.0)
        table = {name: number for name, number in result.companions.items() if name.startswith("class/")}
        assert table == pytest.approx(as_table(report, sorted(set(right))), abs=1e-9)
        assert result.interval is not None
        assert result.value is not None
        assert result.interval.low < result.value < result.interval.high


@pytest.mark.parametrize("metric", ["macro_accuracy", "f1"])
def test_several_annotations_are_votes(metric: str) -> None:
    assert value(metric, [("causes", [["Causes", "enables", "causes."]])]) == 100.0
    assert value(metric, [("causes", ["causes", "enables", "causes"])]) == 100.0
    result, issues = evaluate(metric, [("causes", [["causes", "enables"]]), ("x", ["x"])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", "NO_MAJORITY", "reference")]
    assert (result.value, result.excluded) == (100.0, 1)


@pytest.mark.parametrize("metric", ["macro_accuracy", "f1"])
def test_an_answer_that_names_no_class_or_several_is_wrong(metric: str) -> None:
    result, issues = evaluate(metric, [("", ["a"]), (["a", "b"], ["a"]), ("a<p>b", ["a"]), (None, ["a"]), ("A.", ["a"])])
    assert issues == []
    assert result.companions["unanswered"] == 80.0
    assert result.companions["accuracy"] == 20.0
    result, issues = evaluate(metric, [("a", [""]), ("a", [[]])])
    assert [issue.code for issue in issues] == ["NO_CLASS", "NO_CLASS"]
    assert (result.value, result.reason) == (None, "no_reference")


def test_extractors() -> None:
    labels = {"labels": ["sarcastic", "not sarcastic"]}
    samples = [("It is not sarcastic at all.", ["not sarcastic"]), ("sarcastic, I think", ["sarcastic"])]
    assert value("f1", samples, labels, extractor="label") == 100.0
    assert value("f1", samples, labels) == 0.0
    assert value("macro_accuracy", [("Yes, it is", ["true"]), ("False", ["no"])], extractor="yes_no") == 100.0


def test_answers_outside_the_classes() -> None:
    """They are errors; only classes=union makes a class of each."""
    samples = [("a", ["a"]), ("b", ["b"]), ("what?", ["b"])]
    assert value("f1", samples) == pytest.approx(100 * (1 + 2 / 3) / 2)
    assert value("f1", samples, classes="union") == pytest.approx(100 * (1 + 2 / 3) / 3)


@pytest.mark.parametrize("wrong", [{"a": 1}, [["a"]], [None]])
def test_wrong_forms_are_issues(wrong: object) -> None:
    result, issues = evaluate("f1", [(wrong, ["a"]), ("a", ["a"])])
    assert [(issue.sample_id, issue.code) for issue in issues] == [("0", "WRONG_TYPE")]
    assert result.present == 1


def test_odd_characters() -> None:
    assert value("macro_accuracy", [("\ud800", ["\ud800"]), ("\x00", ["\x00"]), ("é" * 200, ["é" * 200])]) == 100.0
