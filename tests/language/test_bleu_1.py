"""bleu_1 against NLTK, sacrebleu and the arithmetic of pycocoevalcap."""

from __future__ import annotations

import math
import warnings

import nltk
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import RANDOM, column, evaluate, pairs, real_pairs, texts, value
from nltk.translate.bleu_score import corpus_bleu, sentence_bleu

REAL = real_pairs(150)
WEIGHTS = (1, 0, 0, 0)
corpora = st.lists(pairs, min_size=1, max_size=6)


def words(text: str) -> list[str]:
    """NLTK's own entry point; preserve_line leaves out the sentence splitter, whose data no package ships."""
    return list(nltk.word_tokenize(text, preserve_line=True))


def nltk_sentence(references: list[list[str]], hypothesis: list[str]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about higher orders without overlap, which have weight 0
        return float(sentence_bleu(references, hypothesis, weights=(1.0,)))


def coco_bleu_1(samples: list[tuple[list[str], list[list[str]]]]) -> float:
    """pycocoevalcap.bleu.bleu_scorer.BleuScorer at order 1, reference length "closest", from its published definition."""
    tiny, small = 1e-15, 1e-9
    matches = total = reference_length = 0
    for hypothesis, references in samples:
        reference_length += min((abs(len(reference) - len(hypothesis)), len(reference)) for reference in references)[1]
        total += len(hypothesis)
        for word in set(hypothesis):
            matches += min(hypothesis.count(word), max(reference.count(word) for reference in references))
    bleu = (matches + tiny) / (total + small)
    ratio = (total + tiny) / (reference_length + small)
    return bleu * math.exp(1 - 1 / ratio) if ratio < 1 else bleu


@settings(max_examples=50)
@given(pairs)
def test_best_single_reference_equals_nltk(pair: tuple[str, list[str]]) -> None:
    prediction, references = pair
    expected = max(nltk_sentence([words(reference)], words(prediction)) for reference in references)
    assert value("bleu_1", [pair]) == pytest.approx(100 * expected, abs=1e-9)


@settings(max_examples=50)
@given(pairs)
def test_references_together_equal_nltk(pair: tuple[str, list[str]]) -> None:
    prediction, references = pair
    expected = nltk_sentence([reference.split() for reference in references], prediction.split())
    assert value("bleu_1", [pair], references="together", tokenizer="whitespace") == pytest.approx(100 * expected, abs=1e-9)


@settings(max_examples=40)
@given(corpora)
def test_corpus_equals_nltk_and_coco(samples: list[tuple[str, list[str]]]) -> None:
    tokens = [
        (prediction.lower().split(), [reference.lower().split() for reference in references])
        for prediction, references in samples
    ]
    ours = value("bleu_1", samples, pooling="corpus", references="together", tokenizer="whitespace", lowercase=True)
    hypotheses, references = [hypothesis for hypothesis, _ in tokens], [reference for _, reference in tokens]
    if all(hypotheses):  # NLTK counts an empty output as one wrong word; the others, and we, as none
        assert ours == pytest.approx(100 * float(corpus_bleu(references, hypotheses, weights=(1.0,))), abs=1e-9)
    if any(hypotheses):
        assert ours == pytest.approx(100 * coco_bleu_1(tokens), abs=2e-7)
    else:
        assert ours == 0.0


@settings(max_examples=40)
@given(st.lists(st.tuples(texts, st.lists(texts, min_size=2, max_size=2)), min_size=1, max_size=5))
def test_corpus_equals_sacrebleu(samples: list[tuple[str, list[str]]]) -> None:
    """By white space and by character. sacrebleu treats an empty reference as absent, so there are none here."""
    samples = [(prediction, [reference + " x" for reference in references]) for prediction, references in samples]
    systems = [prediction for prediction, _ in samples]
    streams = [[references[place] for _, references in samples] for place in range(2)]
    for ours, theirs in (("whitespace", "none"), ("char", "char")):
        oracle = sacrebleu.BLEU(max_ngram_order=1, tokenize=theirs, smooth_method="none", force=True)
        expected = oracle.corpus_score(systems, streams).score
        assert value("bleu_1", samples, pooling="corpus", references="together", tokenizer=ours) == pytest.approx(
            expected, abs=1e-9
        )


def test_a_thousand_random_cases() -> None:
    """Every sample by itself: matches and lengths under both rules for several references."""
    ours = [column("bleu_1", RANDOM, name) for name in ("matches", "hypothesis_length", "reference_length")]
    each = [bleu_of(*counts) for counts in zip(*ours, strict=True)]
    expected = [max(nltk_sentence([words(one)], words(prediction)) for one in references) for prediction, references in RANDOM]
    assert each == pytest.approx(expected, abs=1e-11)
    split = {"references": "together", "tokenizer": "whitespace"}
    ours = [column("bleu_1", RANDOM, name, **split) for name in ("matches", "hypothesis_length", "reference_length")]
    each = [bleu_of(*counts) for counts in zip(*ours, strict=True)]
    expected = [nltk_sentence([one.split() for one in references], prediction.split()) for prediction, references in RANDOM]
    assert each == pytest.approx(expected, abs=1e-11)


def bleu_of(matches: float, length: float, wanted: float) -> float:
    """The definition, from the three counts of the state."""
    if not length:
        return 0.0
    return matches / length * min(1.0, math.exp(1 - wanted / length))


def test_real_sentences() -> None:
    each = [
        max(nltk_sentence([words(reference)], words(prediction)) for reference in references) for prediction, references in REAL
    ]
    assert value("bleu_1", REAL) == pytest.approx(100 * math.fsum(each) / len(each), abs=1e-9)
    tokens = [(prediction.split(), [reference.split() for reference in references]) for prediction, references in REAL]
    pooled = value("bleu_1", REAL, pooling="corpus", references="together", tokenizer="whitespace")
    assert pooled == pytest.approx(
        100 * float(corpus_bleu([r for _, r in tokens], [h for h, _ in tokens], weights=(1.0,))), abs=1e-9
    )


def test_smoothing_has_no_effect_at_order_1() -> None:
    """The public scorer passes NLTK's method 4; at order 1 it changes nothing."""
    from nltk.translate.bleu_score import SmoothingFunction

    for prediction, references in REAL[:30]:
        tokens = words(references[0]), words(prediction)
        smoothed = sentence_bleu([tokens[0]], tokens[1], weights=WEIGHTS, smoothing_function=SmoothingFunction().method4)
        assert value("bleu_1", [(prediction, references[:1])]) == pytest.approx(100 * float(smoothed), abs=1e-9)


def test_pooling_is_not_averaging() -> None:
    samples = [(" ".join("abcdefghij"), [" ".join("abcdefghij")]), ("x", ["y"])]
    assert value("bleu_1", samples, tokenizer="whitespace") == 50.0
    assert value("bleu_1", samples, tokenizer="whitespace", pooling="corpus") == pytest.approx(100 * 10 / 11)


def test_missing_prediction_counts_its_reference_in_a_corpus() -> None:
    """Leaving out a sample must not pay: its reference words still lengthen the corpus."""
    result, _ = evaluate(
        "bleu_1", [("a b", ["a b"]), (None, ["c d e", "c d"])], pooling="corpus", tokenizer="whitespace", references="together"
    )
    assert result.value == pytest.approx(100 * math.exp(1 - 4 / 2))
    assert (result.expected, result.present) == (2, 1)


def test_pooling_stands_in_the_signature() -> None:
    result, _ = evaluate("bleu_1", [("a b", ["a b"])], pooling="corpus")
    assert result.signature.text.startswith("bleu_1|v:2|pooling:corpus|tokenizer:nltk|")


@settings(max_examples=25)
@given(pairs)
def test_order_of_references_plays_no_part(pair: tuple[str, list[str]]) -> None:
    prediction, references = pair
    turned = list(reversed(references))
    for together in ("best", "together"):
        first, _ = evaluate("bleu_1", [(prediction, references), ("a", ["b c"])], references=together, pooling="corpus")
        second, _ = evaluate("bleu_1", [(prediction, turned), ("a", ["b c"])], references=together, pooling="corpus")
        assert first.value == second.value


def test_interval_holds_the_value() -> None:
    for pooling in ("sample", "corpus"):
        result, _ = evaluate("bleu_1", REAL, pooling=pooling)
        assert result.interval is not None
        assert result.value is not None
        assert result.interval.low < result.value < result.interval.high
