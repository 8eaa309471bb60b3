"""anls against package anls and a derivation of the competition's rule."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import pytest
from anls.metrics import anls_score
from anls.metrics.dist import levenshtein_distance
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import RANDOM, column, evaluate, pairs, real_pairs, value

from genlevel_evaluator.metric import Sample
from genlevel_language.metrics import anls


def plates(count: int) -> list[tuple[str, list[str]]]:
    """Short strings with a few characters changed, where a similarity of exactly one half is common; empty ones too."""
    source = random.Random(6)

    def changed(text: str) -> str:
        letters = list(text)
        for _ in range(source.randrange(6)):
            place = source.randrange(len(letters) + 1)
            letters[place : place + source.randrange(2)] = source.choices("AB 12京é", k=source.randrange(3))
        return "".join(letters)

    truths = ["".join(source.choices("ABCD1234 京", k=source.randrange(9))) for _ in range(count)]
    return [(changed(text), [text, *(changed(text) for _ in range(source.randrange(3)))]) for text in truths]


def kept(prediction: str, references: list[str]) -> float:
    """The competition's rule, from the plain recursion: nothing above one half, one half itself counts."""

    def distance(left: str, right: str) -> int:
        row = list(range(len(right) + 1))
        for i, one in enumerate(left, 1):
            above, row = row, [i]
            for j, other in enumerate(right, 1):
                row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (one != other)))
        return row[-1]

    best = 0.0
    for reference in references:
        left, right = (" ".join(text.lower().split()) for text in (prediction, reference))
        longest = max(len(left), len(right))
        share = distance(left, right) / longest if longest else 0.0
        best = max(best, 1.0 - share if share <= 0.5 else 0.0)
    return best


PLATES = plates(2000)


def composed(samples: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """The oracle does not compose accents, and counts lengths in upper case, where ß is two letters."""

    def form(text: str) -> str:
        text = unicodedata.normalize("NFC", text.lower())
        return "".join(letter if len(letter.upper()) == 1 else "s" for letter in text)

    return [(form(prediction), [form(reference) for reference in references]) for prediction, references in samples]


@pytest.mark.parametrize("samples", [PLATES, RANDOM, real_pairs(100)], ids=["plates", "random", "real"])
def test_equals_package_anls_and_the_competition(samples: list[tuple[str, list[str]]]) -> None:
    samples = composed(samples)
    strict = [float(anls_score(prediction, references)) for prediction, references in samples]
    assert column("anls", samples, "similarity", boundary="strict") == pytest.approx(strict, abs=1e-12)
    short = [sample for sample in samples if len(sample[0]) < 80]
    assert column("anls", short, "similarity") == pytest.approx([kept(*sample) for sample in short], abs=1e-12)


@settings(max_examples=200)
@given(pairs, st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]))
def test_equals_package_anls_at_any_threshold(pair: tuple[str, list[str]], threshold: float) -> None:
    samples = composed([pair])
    oracle = float(anls_score(*samples[0], threshold=threshold))
    assert value("anls", samples, boundary="strict", threshold=threshold) == pytest.approx(100 * oracle, abs=1e-9)


def test_the_boundary_is_common_on_plates() -> None:
    both = [column("anls", PLATES, "similarity", boundary=rule) for rule in ("kept", "strict")]
    differing = [(one, other) for one, other in zip(*both, strict=True) if one != other]
    assert len(differing) > 50
    assert set(differing) == {(0.5, 0.0)}


def test_forms_that_are_equal() -> None:
    assert value("anls", [("  New\n York ", ["new york"]), ("é", ["é"]), ("", [""]), ("", ["", "a"])]) == 100.0
    assert value("anls", [("", ["a"]), ("a", [""]), (None, [""])]) == 0.0


def test_long_texts_are_aligned_or_refused() -> None:
    assert value("anls", [("ab" * 5000, ["ba" * 5000])]) == pytest.approx(100 * (1 - 2 / 10000))
    result, issues = evaluate("anls", [("a" * 500_000, ["b" * 500_000])])
    assert [(issue.code, issue.severity) for issue in issues] == [("TEXT_TOO_LONG", "prediction")]
    assert result.value == 0.0


@settings(max_examples=150)
@given(st.lists(pairs, max_size=5), st.sampled_from(["kept", "strict"]), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_many_samples_at_once_are_those_one_by_one(samples: list[tuple[str, list[str]]], boundary: Any, threshold: float) -> None:
    parameters = anls.AnlsParameters(boundary=boundary, threshold=threshold)
    made = [Sample(str(place), prediction, tuple(references)) for place, (prediction, references) in enumerate(samples)]
    together = anls.observe_many(made, parameters)
    assert together == [anls.observe(sample, parameters) for sample in made]
    alone = [max(_one(sample.prediction, text, parameters) for text in sample.references) for sample in made]
    assert [row["similarity"] for row in together] == pytest.approx(alone, abs=1e-12)


def _one(left: str, right: str, parameters: anls.AnlsParameters) -> float:
    """The normal form of each text by itself, and the textbook's distance."""
    left, right = (unicodedata.normalize("NFC", " ".join(text.lower().split())) for text in (left, right))
    share = levenshtein_distance(left, right) / max(len(left), len(right), 1)
    return 1.0 - share if share < parameters.threshold or (share == parameters.threshold and parameters.boundary == "kept") else 0.0


def test_texts_with_separators_surrogates_and_controls() -> None:
    samples = [("a\0b", ["a\0b"]), (" x\x1cy ", ["x y"]), ("\ud800 A", ["\ud800 a"]), ("\0", ["\0\0\0"]), ("ΑΣ", ["ας"])]
    assert column("anls", samples, "similarity") == [1.0, 1.0, 1.0, 0.0, 1.0]


def test_one_text_too_long_leaves_its_neighbours_alone() -> None:
    samples = [("new york", ["new york"]), ("a" * 500_000, ["b" * 500_000]), ("plate", ["plata"])]
    result, issues = evaluate("anls", samples)
    assert [issue.sample_id for issue in issues] == ["1"]
    assert result.value == pytest.approx(100 * 1.8 / 3)


def test_interval_and_exact_share() -> None:
    result, _ = evaluate("anls", PLATES)
    assert result.interval is not None
    assert result.value is not None
    assert result.interval.low < result.value < result.interval.high
    assert 0.0 < result.companions["exact"] < result.value
