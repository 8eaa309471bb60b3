"""Texts the oracle tests run on, and the metric in one call."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from hypothesis import strategies as st

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

WORDS = [
    "the",
    "a",
    "an",
    "cat",
    "cats",
    "Cat",
    "sat",
    "sitting",
    "mat.",
    "mat,",
    "'mat'",
    '"mat"',
    "isn't",
    "don't",
    "cannot",
    "gonna",
    "U.S.",
    "3.5",
    "3,000",
    "$4",
    "--",
    "(x)",
    "[y]",
    "naïve",
    "Größe",
    "GROẞE",
    "猫",
    "坐在",
    "垫子",
    "上。",
    "Привет",
    "नमस्ते",
    "مرحبا",
    "😀",
    "é",
    "é",
    "İ",
    "ﬁne",
    "running",
    "runner",
    "generalisation",
    "a.",
    "...",
    "?",
    "!",
]
SPACES = [" ", " ", " ", "  ", "\t", "\n", "\u00a0", "\u3000"]


@st.composite
def _sentences(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), max_size=25))
    return "".join(word + draw(st.sampled_from(SPACES)) for word in words)


texts = st.one_of(_sentences(), st.text(max_size=40), st.sampled_from(["", " ", ".", "...", "a", "the", "\n"]))
reference_lists = st.lists(texts, min_size=1, max_size=5)
pairs = st.tuples(texts, reference_lists)


def real_pairs(count: int, seed: int = 3) -> list[tuple[str, list[str]]]:
    """Sentences of installed packages' descriptions; the prediction is a disturbed copy of one of the references."""
    found: list[str] = []
    for name in ("rich", "nltk", "sacrebleu", "jiwer", "hypothesis", "typer", "torchmetrics", "scikit-learn"):
        body = metadata.metadata(name).get_payload()
        assert isinstance(body, str), name
        found += [" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n\n", body) if 20 < len(part) < 400]
    assert len(found) > 200
    source = random.Random(seed)
    result = []
    for _ in range(count):
        references = source.sample(found, k=source.choice([1, 1, 2, 4]))
        words = source.choice(references).split()
        for _ in range(source.randrange(6)):
            place = source.randrange(len(words))
            words[place : place + source.randrange(3)] = source.choice(found).split()[: source.randrange(4)]
            words = words or ["."]
        result.append((" ".join(words), references))
    return result


def random_pairs(count: int, seed: int = 5) -> list[tuple[str, list[str]]]:
    """Seeded texts of awkward words: empty, repeated, non-ASCII, with odd white space; one to five references."""
    source = random.Random(seed)

    def text() -> str:
        vocabulary = source.sample(WORDS, k=source.choice([2, 8, len(WORDS)]))
        return "".join(source.choice(vocabulary) + source.choice(SPACES) for _ in range(source.choice([0, 1, 4, 12, 30])))

    return [(text(), [text() for _ in range(source.choice([1, 1, 2, 5]))]) for _ in range(count)]


RANDOM = random_pairs(1000)


def column(metric: str, samples: Sequence[tuple[str, Sequence[str]]], name: str, **parameters: Any) -> list[float]:
    """One column of the state, in the order of the samples."""
    raw = [
        RawSample(str(i), Content(text=left), tuple(Content(text=right) for right in rights))
        for i, (left, rights) in enumerate(samples)
    ]
    rows, issues = Scorer.of(load("language"), metric, parameters).observe(raw)
    assert issues == []
    return [float(number) for number in rows.column(name)]


def evaluate(
    metric: str, samples: Sequence[tuple[Any, Sequence[Any]]], attributes: dict[str, Any] | None = None, **parameters: Any
) -> tuple[Value, list[Issue]]:
    """The value over `(prediction, references)` pairs; a prediction of None is missing."""
    scorer = Scorer.of(load("language"), metric, parameters)
    raw = [
        RawSample(
            str(index), None if prediction is None else _content(prediction), tuple(map(_content, references)),
            Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH, attributes or {},
        )
        for index, (prediction, references) in enumerate(samples)
    ]  # fmt: skip
    rows, issues = scorer.observe(raw)
    return scorer.finalize(rows), issues


def value(
    metric: str, samples: Sequence[tuple[Any, Sequence[Any]]], attributes: dict[str, Any] | None = None, **parameters: Any
) -> float:
    """As `evaluate`, the number alone; no sample may have an issue."""
    result, issues = evaluate(metric, samples, attributes, **parameters)
    assert issues == []
    assert result.value is not None
    return result.value


def _content(given: Any) -> Content:
    return Content(text=given) if isinstance(given, str) else Content(json=given)


def as_table(report: dict[str, Any], names: Sequence[str]) -> dict[str, float]:
    """scikit-learn's classification report as companions."""
    found: dict[str, float] = {}
    for name in names:
        scores = report[name]
        found |= {f"class/{name}/precision": 100 * scores["precision"], f"class/{name}/recall": 100 * scores["recall"]}
        found |= {f"class/{name}/f1": 100 * scores["f1-score"], f"class/{name}/n": scores["support"]}
    return found
