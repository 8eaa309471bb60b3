"""accuracy against scikit-learn on extracted labels, and its extractors and matches case by case."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import evaluate, pairs, value
from sklearn.metrics import accuracy_score

from genlevel_language.extract import EXTRACTORS


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD")), min_size=1, max_size=40), st.sampled_from(range(5)))
def test_option_letters_equal_sklearn(letters: list[tuple[str, str]], form: int) -> None:
    """The letter is found in whatever form models write it; then it is plain accuracy."""
    forms = ["{}", "({}) something", "The answer is {}.", "Answer: {}. Because all others fail", "I choose option {}"]
    samples = [(forms[form].format(left), [right]) for left, right in letters]
    oracle = accuracy_score([right for _, right in letters], [left for left, _ in letters])
    assert value("accuracy", samples, extractor="option_letter") == pytest.approx(100 * float(oracle), abs=1e-9)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=40))
def test_counts_equal_sklearn(counts: list[tuple[int, int]]) -> None:
    oracle = accuracy_score([right for _, right in counts], [left for left, _ in counts])
    samples = [(f"I count {left} birds", [right]) for left, right in counts]
    assert value("accuracy", samples, extractor="integer") == pytest.approx(100 * float(oracle), abs=1e-9)


@settings(max_examples=50)
@given(pairs)
def test_public_variants_follow_their_text(pair: tuple[str, list[str]]) -> None:
    """General-bench-format 2.1 and 2.5, written out."""
    prediction, references = pair
    strict = any(prediction.strip() == reference.strip() for reference in references)
    assert value("accuracy", [pair], match="public") == 100.0 * strict
    contained = any(
        reference.lower() in prediction.lower()
        if ("yes" in reference.lower() or "no" in reference.lower())
        else reference in prediction
        for reference in references
    )
    assert value("accuracy", [pair], match="substring") == 100.0 * contained
    assert value("accuracy", [pair], match="lowered_substring") == 100.0 * any(r in prediction.lower() for r in references)


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_an_answer_equals_itself_in_any_dress(text: str) -> None:
    for dressed in (text, f"  {text}\n", f'"{text}"', f"({text})", unicodedata.normalize("NFD", text)):
        if (
            text.strip()
            and text[:1] not in "-#."
            and unicodedata.is_normalized("NFC", text)
            and unicodedata.category(text[-1])[0] in "LN"
        ):
            assert value("accuracy", [(dressed, [text])]) == 100.0


@pytest.mark.parametrize(
    ("prediction", "reference", "parameters", "correct"),
    [
        ("Yes.", "yes", {}, True),
        ("ＡＢ", "ab", {}, True),
        ("Straße", "STRASSE", {}, True),
        ("-3", "3", {}, False),
        ("C#", "C", {}, False),
        ("50%", "50%.", {}, True),
        ("12", "1", {}, False),
        ("12", "1", {"match": "substring"}, True),
        ("a PIANO", "piano", {"match": "substring"}, True),
        ("a VIOLA", "viola", {"match": "substring"}, False),
        ("A Siren", "siren", {"match": "lowered_substring"}, True),
        ("Yes", "yes", {"match": "public"}, False),
        ("Yes.", "yes", {"match": "casefold"}, False),
        ("Bright, percussive", "percussive, bright", {"match": "set"}, True),
        ("bright", "percussive, bright", {"match": "set"}, False),
        ("", "", {}, True),
        ("?", "!", {}, False),
        ("True, it is", "yes", {"extractor": "yes_no"}, True),
        ("I know nothing", "no", {"extractor": "yes_no"}, False),
        ("so the final answer is 42.", "42", {"extractor": "final_answer"}, True),
    ],
)
def test_cases(prediction: str, reference: str, parameters: dict[str, str], correct: bool) -> None:
    assert value("accuracy", [(prediction, [reference])], **parameters) == 100.0 * correct


@pytest.mark.parametrize(
    ("extractor", "text", "attributes", "expected"),
    [
        ("option_letter", "(b)", {}, "B"),
        ("option_letter", "The answer is C because All others fail", {}, "C"),
        ("option_letter", "A cat and a dog", {}, None),
        ("option_letter", "I think it is B", {}, "B"),
        ("option_letter", "The answer is A", {}, "A"),
        ("option_letter", "Answer: polar bear", {"options": ["dog", "Polar bear"]}, "B"),
        ("option_letter", "", {}, None),
        ("public_option_letter", "The answer is C because All others fail", {}, "A"),
        ("public_option_letter", "The answer is C", {}, "C"),
        ("public_option_letter", "C", {}, "A"),
        ("public_option_letter", "ANSWER is C", {}, "A"),
        ("public_option_letter", "The answer: E", {"options": ["1", "2", "3", "4", "5"]}, "E"),
        ("yes_no", "It is not, no", {}, "no"),
        ("yes_no", "0", {}, "no"),
        ("yes_no", "10", {}, None),
        ("integer", "minus −4", {}, "-4"),
        ("integer", "1,234,567 people", {}, "1234567"),
        ("integer", "thirty five", {}, "35"),
        ("integer", "forty", {}, "40"),
        ("integer", "sixty birds, 3 dogs", {}, "60"),
        ("integer", "none", {}, None),
        ("label", "a Polar Bear", {"labels": ["bear", "polar bear"]}, "polar bear"),
        ("label", "bear or dog", {"labels": ["bear", "dog"]}, None),
        ("label", "bearing", {"labels": ["bear", "dog"]}, None),
        ("final_answer", "Answer: 3\nAnswer: 4\nbye", {}, "4"),
        ("final_answer", r"\boxed{1} then \boxed{2}", {}, "2"),
    ],
)
def test_extractors(extractor: str, text: str, attributes: dict[str, object], expected: str | None) -> None:
    assert EXTRACTORS[extractor](text, attributes) == expected


def test_an_unreadable_answer_is_wrong_and_counted() -> None:
    samples = [("no idea", ["B"]), ("B", ["B"]), (None, ["C"])]
    result, _ = evaluate("accuracy", samples, extractor="option_letter")
    assert result.value == pytest.approx(100 / 3)
    assert result.companions["unparsed"] == pytest.approx(100 / 3)
    assert result.companions["majority_baseline"] == pytest.approx(200 / 3)


def test_the_reference_may_be_the_text_of_an_option() -> None:
    options = {"options": ["a dog", "a cat"]}
    assert value("accuracy", [("(B)", ["A cat."])], options, extractor="option_letter") == 100.0


@pytest.mark.parametrize("attributes", [{}, {"labels": "dog"}, {"labels": [["dog"]]}, {"labels": [" "]}])
def test_labels_are_needed(attributes: dict[str, object]) -> None:
    """A task that does not list its labels is the task's fault: the sample is left out and named, the model keeps its score."""
    result, issues = evaluate("accuracy", [("dog", ["dog"]), (None, ["dog"])], attributes, extractor="label")
    assert [issue.severity for issue in issues] == ["reference", "reference"]
    assert issues[0].remedy
    assert (result.value, result.excluded) == (None, 2)


def test_small_tasks_have_a_wilson_interval() -> None:
    result, _ = evaluate("accuracy", [("a", ["a"])] * 5)
    assert result.interval is not None
    assert result.interval.method == "wilson"
