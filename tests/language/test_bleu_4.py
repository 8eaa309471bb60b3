"""bleu_4 against pycocoevalcap, sacrebleu and NLTK; what stands beside it against sacrebleu."""

from __future__ import annotations

import contextlib
import io
import random
from collections import Counter

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import RANDOM, evaluate, pairs, real_pairs, texts, value
from nltk.translate.bleu_score import corpus_bleu
from pycocoevalcap.bleu.bleu import Bleu

from genlevel_evaluator.statistics import ngrams, ngrams_bleu
from genlevel_language import segment

REAL = real_pairs(250)
Samples = list[tuple[str, list[str]]]
corpora = st.lists(pairs, min_size=1, max_size=6)


def letters(count: int) -> Samples:
    """Texts of few different words, so that all orders match and words repeat; empty ones too."""
    source = random.Random(9)

    def text() -> str:
        return " ".join(source.choices("abcde", k=source.randrange(15)))

    return [(text(), [text() for _ in range(source.randint(1, 5))]) for _ in range(count)]


LETTERS = letters(1500)


def coco(samples: Samples) -> list[float]:
    """BLEU-1 to 4 of words between white space."""
    with contextlib.redirect_stdout(io.StringIO()):
        scores, _ = Bleu(4).compute_score(
            {place: references for place, (_, references) in enumerate(samples)},
            {place: [prediction] for place, (prediction, _) in enumerate(samples)},
            verbose=0,
        )
    return [100 * float(score) for score in scores]


def streams(samples: Samples) -> list[list[str | None]]:
    """References as sacrebleu takes them: by place, None where a sample has fewer."""
    most = max(len(references) for _, references in samples)
    return [[refs[place] if place < len(refs) else None for _, refs in samples] for place in range(most)]


def sacre(samples: Samples, smooth: str = "none", tokenize: str = "none") -> float:
    oracle = sacrebleu.BLEU(tokenize=tokenize, smooth_method=smooth, force=True)
    return float(oracle.corpus_score([prediction for prediction, _ in samples], streams(samples)).score)


def filled(samples: Samples) -> Samples:
    """sacrebleu takes an empty reference as absent, so there is none here."""
    return [(prediction, [reference + " x" for reference in references]) for prediction, references in samples]


@settings(max_examples=60)
@given(corpora)
def test_equals_sacrebleu_and_nltk(samples: Samples) -> None:
    samples = filled(samples)
    ours = value("bleu_4", samples, tokenizer="whitespace")
    assert ours == pytest.approx(sacre(samples), abs=1e-9)
    if all(len(prediction.split()) >= 4 for prediction, _ in samples):  # NLTK gives a shorter text one n-gram too many
        oracle = corpus_bleu([[one.split() for one in right] for _, right in samples], [left.split() for left, _ in samples])
        assert ours == pytest.approx(100 * float(oracle), abs=1e-9)


@pytest.mark.parametrize("samples", [LETTERS, REAL, RANDOM, LETTERS[:20]], ids=["letters", "real", "random", "few"])
def test_large_corpora_equal_pycocoevalcap(samples: Samples) -> None:
    """All four orders. It adds 1e-9 to every total and 1e-15 to every match, hence the tolerance, and its 1e-4 where we say 0."""
    for lowercase in (False, True):
        plain = [(left.lower(), [one.lower() for one in right]) for left, right in samples] if lowercase else samples
        result, issues = evaluate("bleu_4", samples, tokenizer="whitespace", lowercase=lowercase)
        assert issues == []
        assert result.value is not None
        ours = [*(result.companions[f"bleu_{n}"] for n in (1, 2, 3)), result.value]
        assert ours == pytest.approx([score if score > 1e-3 else 0.0 for score in coco(plain)], rel=1e-9)


def test_outputs_of_four_words_and_more_equal_nltk() -> None:
    samples = [(left, right) for left, right in [*LETTERS, *REAL] if len(left.split()) >= 4]
    oracle = corpus_bleu([[one.split() for one in right] for _, right in samples], [left.split() for left, _ in samples])
    assert value("bleu_4", samples, tokenizer="whitespace") == pytest.approx(100 * float(oracle), abs=1e-9)


def test_single_samples_equal_sacrebleu() -> None:
    """A thousand corpora of one sample."""
    for sample in filled([*RANDOM[:500], *LETTERS[:1000]]):
        assert value("bleu_4", [sample], tokenizer="whitespace") == pytest.approx(sacre([sample]), abs=1e-9)


@settings(max_examples=200)
@given(st.lists(st.sampled_from("abcde"), max_size=14), st.lists(st.lists(st.sampled_from("abcdef"), max_size=14), min_size=1, max_size=4))
def test_both_ways_of_counting_agree_with_plain_counting(hypothesis: list[str], references: list[list[str]]) -> None:
    expected = []
    for order in (1, 2, 3, 4):
        limits: Counter[tuple[object, ...]] = Counter()
        for reference in references:
            limits |= ngrams.ngrams(reference, order)
        expected.append(sum((ngrams.ngrams(hypothesis, order) & limits).values()))
    assert ngrams.clipped_tokens(hypothesis, references) == expected[0]
    for count in (ngrams_bleu._by_search, ngrams_bleu._by_sorting):
        found = count(hypothesis, references, 4)
        assert found + [0] * (3 - len(found)) == expected[1:]
    counts = ngrams_bleu.counts(hypothesis, references)
    assert counts.matches == tuple(expected)
    assert counts.reference_length == ngrams.closest_length(len(hypothesis), map(len, references))


def test_long_texts_count_the_same_words() -> None:
    source = random.Random(1)
    text = " ".join(source.choices("abcdefghij", k=3000))
    other = " ".join(source.choices("abcdefghij", k=3000))
    assert value("bleu_4", [(text, [other, text[:2000]])], tokenizer="whitespace") == pytest.approx(sacre([(text, [other, text[:2000]])]), abs=1e-9)


def test_an_order_without_a_match_is_zero() -> None:
    assert value("bleu_4", [("a b c", ["a b c"])], tokenizer="whitespace") == 0.0
    assert value("bleu_4", [("", ["a b c d"])]) == 0.0
    assert value("bleu_4", [("a b c d", ["a b c d"]), ("", [""])]) == pytest.approx(100.0)


def test_a_missing_prediction_counts_its_reference() -> None:
    whole = ("a b c d e", ["a b c d e"])
    assert value("bleu_4", [whole, (None, ["a b c d e f", "a b c d e"])]) == pytest.approx(100 * 2.718281828459045 ** (1 - 2))


def test_character_words_of_chinese() -> None:
    sample = ("猫坐在垫子上", ["猫坐在垫子下"])
    oracle = float(sacrebleu.BLEU(tokenize="char", smooth_method="none", force=True).corpus_score([sample[0]], [sample[1]]).score)
    assert value("bleu_4", [sample], tokenizer="char") == pytest.approx(oracle, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=5))
def test_sacrebleu_beside_is_sacrebleu(samples: Samples) -> None:
    samples = filled(samples)
    result, _ = evaluate("bleu_4", samples)
    assert result.companions["sacrebleu"] == pytest.approx(sacre(samples, "exp", "13a"), abs=1e-9)


@pytest.mark.parametrize("samples", [filled(RANDOM), REAL], ids=["random", "real"])
def test_companions_of_large_corpora_equal_sacrebleu(samples: Samples) -> None:
    result, _ = evaluate("bleu_4", samples)
    assert result.companions["sacrebleu"] == pytest.approx(sacre(samples, "exp", "13a"), abs=1e-9)
    chosen = [(left, right) for left, right in samples if segment.not_latin(right)]
    if not chosen:
        assert "chrf_not_latin" not in result.companions
        return
    oracle = float(sacrebleu.CHRF().corpus_score([left for left, _ in chosen], streams(chosen)).score)
    assert result.companions["chrf_not_latin"] == pytest.approx(oracle, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=4))
def test_chrf_beside_is_that_of_sacrebleu(samples: Samples) -> None:
    samples = [(left, ["猫" + one for one in right]) for left, right in samples]
    result, _ = evaluate("bleu_4", samples)
    oracle = float(sacrebleu.CHRF().corpus_score([left for left, _ in samples], streams(samples)).score)
    assert result.companions["chrf_not_latin"] == pytest.approx(oracle, abs=1e-9)


def test_interval_holds_the_value() -> None:
    result, _ = evaluate("bleu_4", REAL)
    assert result.interval is not None
    assert result.value is not None
    assert result.interval.low < result.value < result.interval.high
