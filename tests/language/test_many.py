"""Metrics that take many samples at once: the same state, bit for bit, as from samples one by one, in whatever chunks."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import RANDOM, texts

from genlevel_evaluator import states
from genlevel_evaluator.columns import Columns
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence, Sample
from genlevel_language import many, tokenizers

Texts = list[tuple[str, tuple[str, ...]]]
ODD = [
    "", " ", "ΑΣ ΟΔΟΣ'", "<skipped> a", "<SKIPPED>a b", "hyphen-\nated word", "a\0 b \0 c", "\0", "\u202fᠮᠠ\u202fx ᠤ", "It's 3.5%, (he said).\n", "İ \u212a K",
    "日本語 です。", "&quot;a&amp;b", "the the the cat", "a\x1cb\x85c\u2003d", "Running runners ran, RUNNING", "\ud800 x", "3-4 x- -", "don't 'quote' \"it\"",
]  # fmt: skip
TOKENIZERS = ["nltk", "whitespace", "char", "ptb", "13a", "zh", "intl", "unicode", "code"]
METRICS: list[tuple[str, dict[str, Any]]] = [
    *(("bleu_4", {"tokenizer": name, "lowercase": name in ("13a", "whitespace")}) for name in TOKENIZERS),
    ("bleu_4", {"tokenizer": "13a"}),
    ("bleu_4", {"tokenizer": "unicode", "normalisation": "nfkc"}),
    ("bleu_1", {}),
    ("bleu_1", {"tokenizer": "13a", "references": "together"}),
    ("bleu_1", {"tokenizer": "whitespace", "references": "together", "lowercase": True, "pooling": "corpus"}),
    ("rouge_1_f", {}),
    ("rouge_1_f", {"stemmer": False, "normalisation": "nfkc"}),
    ("rouge_1_f", {"tokenizer": "char"}),
    ("rouge_l_f", {}),
    ("rouge_l_f", {"impl": "coco"}),
    ("rouge_l_f", {"impl": "rouge_score"}),
    ("rouge_l_f", {"impl": "rouge_score", "stemmer": True}),
    ("rouge_l_f", {"impl": "rouge_score", "tokenizer": "zh"}),
]


def mixed() -> Texts:
    source = random.Random(5)
    found: Texts = [(left, tuple(right)) for left, right in RANDOM[:150] if right]
    found += [(one, tuple(source.choices(ODD, k=source.randint(1, 3)))) for one in ODD for _ in range(3)]
    letters = "".join(source.choices("ab ", k=400))
    found += [(letters, tuple("".join(source.choices("ab ", k=source.randrange(60))) for _ in range(310))), (letters, (letters[7:],))]
    source.shuffle(found)
    return found


MIXED = mixed()


def same(one: states.Rows, other: states.Rows) -> None:
    assert one.keys == other.keys
    for name in one.schema:
        assert one.values[name].tobytes() == other.values[name].tobytes(), name
    assert all(one.lengths[name].tolist() == other.lengths[name].tolist() for name in one.lengths)


@pytest.mark.parametrize(("metric", "parameters"), METRICS)
def test_any_chunks_give_the_state_of_one_by_one(metric: str, parameters: dict[str, Any]) -> None:
    scorer = Scorer.of(load("language"), metric, parameters)
    made = [Sample(f"{place:04}", left, right) for place, (left, right) in enumerate(MIXED)]
    columns = scorer.metric.columns
    alone = states.build(columns, [(sample.key, scorer.metric.observe(sample, scorer.parameters)) for sample in made])
    source = random.Random(metric)
    assert scorer.metric.observe_many is not None
    for largest in (7, len(made)):
        parts, start = [], 0
        while start < len(made):
            chunk = made[start : start + source.randint(max(1, largest // 3), largest)]
            found = scorer.metric.observe_many(chunk, scorer.parameters)
            assert isinstance(found, Columns)
            parts.append(found.keyed(columns, [sample.key for sample in chunk], {}))
            start += len(chunk)
        same(states.combine(parts), alone)


def test_the_engine_takes_columns_and_what_it_observes_alone() -> None:
    """Samples without a prediction or a reference stand among those that are counted together."""
    raw = [RawSample(str(place), Content(text=left), tuple(Content(text=one) for one in right)) for place, (left, right) in enumerate(MIXED)]
    raw[3] = RawSample("3", None, (Content(text="a b"),), Presence.PREDICTION_MISSING)
    raw[5] = RawSample("5", Content(text="a b"), ())
    raw[8] = RawSample("8", Content(json={"no": "text"}), (Content(text="a b"),))
    scorer = Scorer.of(load("language"), "bleu_4", {})
    rows, issues = scorer.observe(raw)
    each = [scorer.observe([sample]) for sample in raw]
    same(rows, states.combine([part for part, _ in each]))
    assert issues == [issue for _, found in each for issue in found]
    assert {issue.sample_id for issue in issues} == {"5", "8"}


@settings(max_examples=60)
@given(st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=6))
def test_counts_are_those_of_plain_counting(samples: list[tuple[str, list[str]]]) -> None:
    scorer = Scorer.of(load("language"), "bleu_4", {"tokenizer": "whitespace"})
    assert scorer.metric.observe_many is not None
    rows = scorer.metric.observe_many([Sample(str(place), *sample) for place, sample in enumerate(samples)], scorer.parameters)
    for row, (left, right) in zip(rows, samples, strict=True):
        output, *references = [text.split() for text in (left, *right)]
        for order in range(1, 5):
            own, *others = [Counter(tuple(text[place : place + order]) for place in range(len(text) - order + 1)) for text in (output, *references)]
            clipped = sum(min(times, max(other[gram] for other in others)) for gram, times in own.items())
            assert (row["matches"][order - 1], row["totals"][order - 1]) == (clipped, sum(own.values()))


@settings(max_examples=100)
@given(st.lists(texts | st.sampled_from(ODD), min_size=2, max_size=8), st.sampled_from(TOKENIZERS), st.booleans(), st.sampled_from(["none", "nfkc", "arabic"]))
def test_numbers_of_tokens_are_equal_where_tokens_are(given_texts: list[str], tokenizer: str, lowercase: bool, normalisation: str) -> None:
    found = many.Batch([(given_texts[0], given_texts[1:])]).cut(tokenizer, lowercase, normalisation)
    expected = [tokenizers.cut(text, tokenizer, lowercase, normalisation) for text in given_texts]
    assert found.lengths.tolist() == list(map(len, expected))
    pairs = set(zip(found.words.tolist(), [token for tokens in expected for token in tokens], strict=True))
    assert len(pairs) == len({number for number, _ in pairs}) == len({token for _, token in pairs})


def test_columns_are_rows() -> None:
    import numpy as np

    columns = Columns({"a": np.array([1, 2, 3]), "b": np.arange(4.0)}, {"b": np.array([1, 0, 3])})
    assert [(row["a"], row["b"].tolist()) for row in columns] == [(1, [0.0]), (2, []), (3, [1.0, 2.0, 3.0])]
    assert [row["a"] for row in columns[1:]] == [2, 3]
    with pytest.raises(IndexError, match="row 3 of 3"):
        columns[3]
