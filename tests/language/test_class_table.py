"""Class tables of accuracy and micro_f1 against scikit-learn, and what is no class."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_texts import as_table, evaluate
from sklearn.metrics import accuracy_score, classification_report, f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from genlevel_evaluator import states
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_language import class_table

NAMES = ["yes", "no", "maybe", "猫", "a/b"]


def table(companions: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in companions.items() if name.startswith("class/")}


def one_label(seed: int, count: int = 400) -> tuple[list[str], list[str]]:
    source = random.Random(seed)
    right = source.choices(NAMES, [5, 4, 3, 2, 1], k=count)
    return [name if source.random() < 0.6 else source.choice([*NAMES, "whatever"]) for name in right], right


def test_accuracy_is_the_report_of_sklearn() -> None:
    left, right = one_label(1)
    result, _ = evaluate("accuracy", [(one, [other]) for one, other in zip(left, right, strict=True)])
    report = classification_report(right, left, labels=NAMES, output_dict=True, zero_division=0)
    assert table(dict(result.companions)) == pytest.approx(as_table(report, NAMES), abs=1e-9)
    assert result.value == pytest.approx(100 * accuracy_score(right, left))
    assert result.companions["classes"] == 5
    assert result.companions["chance"] == pytest.approx(20.0)
    assert result.companions["majority_baseline"] == pytest.approx(100 * right.count("yes") / 400)
    assert result.companions["no_known_class"] == pytest.approx(100 * left.count("whatever") / 400)


def test_micro_f1_is_the_report_of_sklearn() -> None:
    source = random.Random(2)
    right = [source.sample(NAMES, source.randint(0, 3)) for _ in range(300)]
    left = [[name for name in [*NAMES, "other"] if source.random() < (0.7 if name in one else 0.2)] for one in right]
    result, _ = evaluate("micro_f1", [(one, [other]) for one, other in zip(left, right, strict=True)])
    binary = MultiLabelBinarizer(classes=NAMES).fit([NAMES])
    report = classification_report(
        binary.transform(right), binary.transform([[name for name in one if name in NAMES] for one in left]),
        target_names=NAMES, output_dict=True, zero_division=0,
    )  # fmt: skip
    assert table(dict(result.companions)) == pytest.approx(as_table(report, NAMES), abs=1e-9)
    most = max(NAMES, key=lambda name: sum(name in one for one in right))
    always = f1_score(binary.transform(right), binary.transform([[most]] * 300), average="micro")
    assert result.companions["majority_baseline"] == pytest.approx(100 * always)
    chance = [f1_score(binary.transform(right), binary.transform([[name]] * 300), average="micro") for name in NAMES]
    assert result.companions["chance"] == pytest.approx(100 * sum(chance) / 5)


def test_with_one_label_each_micro_f1_and_accuracy_have_one_table() -> None:
    left, right = one_label(3)
    results = [evaluate(metric, [(one, [other]) for one, other in zip(left, right, strict=True)])[0] for metric in ("accuracy", "micro_f1")]
    assert table(dict(results[0].companions)) == table(dict(results[1].companions))
    for name in ("classes", "chance", "majority_baseline", "no_known_class"):
        assert results[0].companions[name] == pytest.approx(results[1].companions[name])


@pytest.mark.parametrize(
    "answers",
    [
        [f"the answer to question {i}" for i in range(50)],
        ["a", "b"],
        ["a sentence that is much longer than the name of a class would be"] * 30,
        [*["yes"] * 4, *(f"text {i}" for i in range(20))],
    ],
    ids=["texts", "two", "long", "mostly texts"],
)
def test_texts_are_no_classes(answers: list[str]) -> None:
    result, _ = evaluate("accuracy", [(answer, [answer]) for answer in answers])
    assert set(result.companions) == {"unparsed", "majority_baseline"}
    labels, _ = evaluate("micro_f1", [([answer], [[answer]]) for answer in answers])
    assert set(labels.companions) == {"precision", "recall", "exact_sets"}


def test_a_name_of_one_sample_is_not_shown() -> None:
    answers = [*["yes"] * 9, *["no"] * 7, "a secret"]
    result, _ = evaluate("accuracy", [(answer, [answer]) for answer in answers])
    assert "secret" not in "".join(result.companions)
    assert (result.companions["classes"], result.companions["classes_not_listed"]) == (3, 1)


def test_the_largest_classes_are_listed() -> None:
    answers = [f"class {i}" for i in range(70) for _ in range(2 + (i < 30))]
    result, _ = evaluate("accuracy", [("class 1", [answer]) for answer in answers])
    sizes = [value for name, value in result.companions.items() if name.startswith("class/") and name.endswith("/n")]
    assert (len(sizes), sum(sizes)) == (50, 30 * 3 + 20 * 2)
    assert result.companions["classes_not_listed"] == 20
    assert result.companions["class/class 1/recall"] == 100.0
    assert result.companions["class/class 2/recall"] == 0.0


def test_missing_and_unreadable_answers_miss_their_class() -> None:
    samples = [("B", ["B"]), ("no idea", ["B"]), (None, ["B"]), ("A", ["A"]), ("B", ["A"])]
    result, _ = evaluate("accuracy", samples, extractor="option_letter")
    assert result.companions["class/b/recall"] == pytest.approx(100 / 3)
    assert result.companions["class/b/precision"] == pytest.approx(50.0)
    assert result.companions["class/a/recall"] == 50.0
    assert result.companions["no_known_class"] == 40.0
    assert result.companions["unparsed"] == 20.0


def test_the_state_is_small_and_of_any_sharding() -> None:
    left, right = one_label(4)
    raw = [RawSample(str(i), Content(text=one), (Content(text=other),)) for i, (one, other) in enumerate(zip(left, right, strict=True))]
    for metric, most in (("accuracy", 45), ("micro_f1", 65)):
        scorer = Scorer.of(load("language"), metric)
        whole, _ = scorer.observe(raw)
        parts = [scorer.observe(raw[start::3])[0] for start in range(3)]
        assert scorer.finalize(states.combine(parts)).companions == scorer.finalize(whole).companions
        assert (whole.nbytes() + sum(sizes.nbytes for sizes in whole.lengths.values())) / 400 < most


names = st.lists(st.text(min_size=1, max_size=12), max_size=3, unique=True)


@given(names, names, names)
def test_cells_are_read_as_they_were_written(hits: list[str], missed: list[str], surplus: list[str]) -> None:
    cell = class_table.cell(hits, missed, surplus)
    if cell == [0]:
        assert len(hits) + len(missed) + len(surplus) > 8 or any(len(name.encode("utf-8", "replace")) > 40 for name in [*hits, *missed])
        return
    expected = [(kind, name) for kind, group in ((1, hits), (2, missed), (3, surplus)) for name in sorted(group)]
    written = [(kind, name.encode("utf-8", "replace")) for kind, name in expected]
    read = [(kind, name.encode()) for kind, name in class_table._labels(bytes(cell))]
    assert read == [(kind, name if len(name) <= 40 else b"") for kind, name in written]
