"""What stands beside BLEU, ROUGE and CIDEr, against sacrebleu 2 and a derivation."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sacrebleu
from language_texts import RANDOM, evaluate, real_pairs, value

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_language import beside, rouge, segment, tokenizers

Samples = list[tuple[str, list[str]]]
REAL = real_pairs(200)
LATIN = [(left, right) for left, right in REAL if not segment.not_latin(right)]
# sacrebleu takes an empty reference as absent.
MIXED: Samples = [(left, [one + " x" for one in right]) for left, right in RANDOM[:400]]
CHINESE: Samples = [
    ("我喜欢猫。", ["我喜欢狗。", "我爱猫。"]),
    ("他在北京 2024 年", ["他 2024 年在北京"]),
    ("", ["空的。"]),
    ("a cat", ["the cat"]),
]
METRICS: list[tuple[str, dict[str, Any]]] = [
    ("bleu_1", {}),
    ("bleu_1", {"pooling": "corpus", "tokenizer": "whitespace", "references": "together", "lowercase": True}),
    ("bleu_4", {}),
    ("cider", {}),
    ("rouge_1_f", {}),
    ("rouge_l_f", {}),
    ("rouge_l_f", {"impl": "rouge_score", "tokenizer": "char"}),
]


def streams(samples: Samples) -> list[list[str | None]]:
    most = max(len(references) for _, references in samples)
    return [[refs[place] if place < len(refs) else None for _, refs in samples] for place in range(most)]


@pytest.mark.parametrize(("metric", "parameters"), METRICS)
@pytest.mark.parametrize("samples", [LATIN, MIXED, CHINESE], ids=["latin", "mixed", "chinese"])
def test_sacrebleu_chrf_and_length_ratio(metric: str, parameters: dict[str, Any], samples: Samples) -> None:
    """The same beside every metric, whatever its own parameters."""
    found = evaluate(metric, samples, None, **parameters)[0].companions
    outputs = [left for left, _ in samples]
    bleu = sacrebleu.BLEU(force=True).corpus_score(outputs, streams(samples))
    assert found["sacrebleu"] == pytest.approx(bleu.score, abs=1e-9)
    if metric.startswith("rouge"):
        assert found["length_ratio"] == pytest.approx(bleu.sys_len / bleu.ref_len, abs=1e-12)
    chosen = [(left, right) for left, right in samples if segment.not_latin(right)]
    if chosen:
        oracle = sacrebleu.CHRF().corpus_score([left for left, _ in chosen], streams(chosen))
        assert found["chrf_not_latin"] == pytest.approx(oracle.score, abs=1e-9)
    else:
        assert "chrf_not_latin" not in found


def test_signatures_are_those_of_sacrebleu() -> None:
    """What the module says stands beside, as sacrebleu 2.6.0 writes it for samples with different numbers of references."""
    for metric in (sacrebleu.BLEU(force=True), sacrebleu.CHRF()):
        metric.corpus_score([left for left, _ in CHINESE], streams(CHINESE))
        assert str(metric.get_signature()) in (beside.__doc__ or "")


def test_characters_stand_beside_rouge_where_references_are_not_latin() -> None:
    chosen = [(left, right) for left, right in MIXED if segment.not_latin(right)]
    assert 50 < len(chosen) < len(MIXED)
    for metric, measure in (("rouge_1_f", rouge.unigrams), ("rouge_l_f", rouge.subsequence)):
        found = evaluate(metric, MIXED)[0].companions["character_f_not_latin"]
        scores = [
            max(measure(tokenizers.characters(left.lower()), tokenizers.characters(one.lower())).f for one in right) for left, right in chosen
        ]
        assert found == pytest.approx(100 * math.fsum(scores) / len(scores), abs=1e-9)
        assert "character_f_not_latin" not in evaluate(metric, LATIN)[0].companions
    assert evaluate("rouge_1_f", CHINESE[:3])[0].companions["character_f_not_latin"] == pytest.approx(
        value("rouge_1_f", CHINESE[:3], tokenizer="char")
    )


def test_long_texts_leave_the_characters_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rouge, "MAX_CHARACTER_PAIRS", 20)
    found, issues = evaluate("rouge_l_f", [("我喜欢猫", ["我喜欢猫们吗"]), ("猫", ["猫"])])
    assert issues == []
    assert found.companions["character_f_not_latin"] == 100.0
    assert found.value == pytest.approx(50.0)


def test_a_missing_prediction_counts_as_an_empty_one() -> None:
    for metric in ("bleu_1", "rouge_1_f", "rouge_l_f", "cider"):
        with_none = evaluate(metric, [("我 a b c d", ["我 a b c d"]), (None, ["猫 b"])])[0].companions
        with_empty = evaluate(metric, [("我 a b c d", ["我 a b c d"]), ("", ["猫 b"])])[0].companions
        assert with_none == with_empty


def test_state_of_latin_texts_is_small() -> None:
    """chrF costs a Latin sample no more than an empty list."""
    raw = [RawSample(str(i), Content(text=left), tuple(Content(text=one) for one in right)) for i, (left, right) in enumerate(LATIN)]
    for metric, most in (("bleu_1", 24), ("bleu_4", 80), ("rouge_1_f", 32), ("rouge_l_f", 24)):
        rows, _ = Scorer.of(load("language"), metric, {}).observe(raw)
        assert rows.nbytes() <= len(LATIN) * (most + 80 + 1)
