"""rouge_1_f and rouge_l_f against rouge-score 0.1, rouge 1.0 and the arithmetic of pycocoevalcap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from language_texts import RANDOM, column, evaluate, pairs, real_pairs, value
from rouge import Rouge
from rouge_score.rouge_scorer import RougeScorer

REAL = real_pairs(150)
ROUGE_1 = RougeScorer(["rouge1"], use_stemmer=True)
ROUGE_L = {stemmer: RougeScorer(["rougeL"], use_stemmer=stemmer) for stemmer in (False, True)}


def rouge_package_f(prediction: str, reference: str) -> float:
    """Package `rouge`; 0 where it refuses a side without a sentence."""
    try:
        return float(Rouge(metrics=["rouge-l"]).get_scores(prediction, reference)[0]["rouge-l"]["f"])
    except ValueError:
        if prediction.replace(".", "") and reference.replace(".", ""):
            raise
        return 0.0


def coco_f(prediction: str, references: list[str], beta: float = 1.2) -> float:
    """pycocoevalcap.rouge.rouge.Rouge.calc_score, from its published definition, with a plain table for the subsequence."""

    def subsequence(left: list[str], right: list[str]) -> int:
        table = np.zeros((len(left) + 1, len(right) + 1), dtype=int)
        for i, one in enumerate(left, 1):
            for j, other in enumerate(right, 1):
                table[i, j] = table[i - 1, j - 1] + 1 if one == other else max(table[i - 1, j], table[i, j - 1])
        return int(table[-1, -1])

    candidate = prediction.split(" ")
    lengths = [(subsequence(reference.split(" "), candidate), len(reference.split(" "))) for reference in references]
    precision = max(length / len(candidate) for length, _ in lengths)
    recall = max(length / size for length, size in lengths)
    if precision == 0 or recall == 0:
        return 0.0
    return ((1 + beta**2) * precision * recall) / float(recall + beta**2 * precision)


@settings(max_examples=50)
@given(pairs)
def test_rouge_1_equals_rouge_score(pair: tuple[str, list[str]]) -> None:
    prediction, references = pair
    expected = ROUGE_1.score_multi(references, prediction)["rouge1"]
    assert value("rouge_1_f", [pair]) == pytest.approx(100 * expected.fmeasure, abs=1e-9)


@settings(max_examples=50)
@given(pairs)
def test_rouge_l_equals_rouge_score(pair: tuple[str, list[str]]) -> None:
    prediction, references = pair
    for stemmer, scorer in ROUGE_L.items():
        expected = scorer.score_multi(references, prediction)["rougeL"].fmeasure
        assert value("rouge_l_f", [pair], impl="rouge_score", stemmer=stemmer) == pytest.approx(100 * expected, abs=1e-9)


@settings(max_examples=50)
@given(pairs)
def test_rouge_l_equals_package_rouge(pair: tuple[str, list[str]]) -> None:
    prediction, references = pair
    expected = max(rouge_package_f(prediction, reference) for reference in references)
    assert value("rouge_l_f", [pair]) == pytest.approx(100 * expected, abs=1e-9)


@settings(max_examples=50)
@given(pairs)
def test_rouge_l_equals_coco(pair: tuple[str, list[str]]) -> None:
    assert value("rouge_l_f", [pair], impl="coco") == pytest.approx(100 * coco_f(*pair), abs=1e-9)


def test_a_thousand_random_cases() -> None:
    """Every sample by itself, each definition against its own package."""
    stemmed = [ROUGE_1.score_multi(references, prediction)["rouge1"].fmeasure for prediction, references in RANDOM]
    assert column("rouge_1_f", RANDOM, "f") == pytest.approx(stemmed, abs=1e-11)
    plain = [ROUGE_L[False].score_multi(references, prediction)["rougeL"] for prediction, references in RANDOM]
    assert column("rouge_l_f", RANDOM, "f", impl="rouge_score") == pytest.approx([one.fmeasure for one in plain], abs=1e-11)
    single = [(prediction, references[:1]) for prediction, references in RANDOM]
    package = [rouge_package_f(prediction, references[0]) for prediction, references in single]
    assert column("rouge_l_f", single, "f") == pytest.approx(package, abs=1e-11)
    coco = [coco_f(prediction, references) for prediction, references in RANDOM[:300]]
    assert column("rouge_l_f", RANDOM[:300], "f", impl="coco") == pytest.approx(coco, abs=1e-11)


def test_real_sentences() -> None:
    """Corpus means over real prose, each against its own package."""
    stem = [ROUGE_1.score_multi(references, prediction)["rouge1"].fmeasure for prediction, references in REAL]
    assert value("rouge_1_f", REAL) == pytest.approx(100 * float(np.mean(stem)), abs=1e-9)
    plain = [ROUGE_L[False].score_multi(references, prediction)["rougeL"].fmeasure for prediction, references in REAL]
    assert value("rouge_l_f", REAL, impl="rouge_score") == pytest.approx(100 * float(np.mean(plain)), abs=1e-9)
    package = [max(rouge_package_f(prediction, reference) for reference in references) for prediction, references in REAL]
    assert value("rouge_l_f", REAL) == pytest.approx(100 * float(np.mean(package)), abs=1e-9)
    coco = [coco_f(prediction, references) for prediction, references in REAL]
    assert value("rouge_l_f", REAL, impl="coco") == pytest.approx(100 * float(np.mean(coco)), abs=1e-9)


@pytest.mark.parametrize(
    ("prediction", "reference", "rouge_py", "rouge_score", "coco"),
    [
        ("The Cat.", "the cat", 0.0, 100.0, 0.0),
        ("我喜欢猫", "我喜欢猫", 100.0, 0.0, 100.0),
        ("the dog ran away. the cat sat on a mat", "the cat sat on a mat. the dog ran away", 100.0, 60.0, 50.0),
    ],
)
def test_the_three_disagree(prediction: str, reference: str, rouge_py: float, rouge_score: float, coco: float) -> None:
    """Case, script and the order of sentences: what each definition forgives."""
    pair = [(prediction, [reference])]
    assert value("rouge_l_f", pair) == pytest.approx(rouge_py, abs=1e-5)
    assert value("rouge_l_f", pair, impl="rouge_score") == pytest.approx(rouge_score, abs=1e-9)
    assert value("rouge_l_f", pair, impl="coco") == pytest.approx(coco, abs=1e-9)


def test_characters_of_other_scripts() -> None:
    """Non-Latin text has no ASCII word: the value is 0, said so, and the character value stands beside."""
    result, _ = evaluate("rouge_1_f", [("我喜欢猫", ["我喜欢狗"]), ("a cat", ["a cat"])])
    assert result.value == 50.0
    assert result.warnings == ("reference_without_words",)
    assert result.companions["character_f_not_latin"] == pytest.approx(75.0)
    assert value("rouge_1_f", [("我喜欢猫", ["我喜欢狗"])], tokenizer="char") == pytest.approx(75.0)
    assert value("rouge_l_f", [("我喜欢猫", ["喜欢狗我"])], impl="rouge_score", tokenizer="char") == pytest.approx(50.0)


def test_missing_predictions_score_zero() -> None:
    samples = [("a cat", ["a cat"]), (None, ["a dog"])]
    for metric in ("rouge_1_f", "rouge_l_f"):
        result, _ = evaluate(metric, samples)
        assert result.value == pytest.approx(50.0, abs=1e-6)
        assert (result.expected, result.present) == (2, 1)


def test_long_sentences_need_no_recursion() -> None:
    """Package rouge exhausts the stack on this one."""
    words = " ".join(f"w{number % 700}" for number in range(3000))
    assert value("rouge_l_f", [(words, [words])]) == pytest.approx(100.0, abs=1e-5)


def test_texts_too_long_to_align_are_an_issue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlevel_evaluator.statistics.lcs.MAX_TABLE_BITS", 100)
    result, issues = evaluate("rouge_l_f", [("a b " * 20, ["b a " * 20]), ("a b", ["a b"])])
    assert [issue.code for issue in issues] == ["TEXT_TOO_LONG"]
    assert issues[0].sample_id == "0"
    assert "shorten" in issues[0].remedy
    assert result.value == pytest.approx(50.0, abs=1e-5)


def test_parameters_that_do_nothing_are_refused() -> None:
    from genlevel_evaluator.errors import EvaluatorError

    with pytest.raises(EvaluatorError, match="need impl=rouge_score"):
        value("rouge_l_f", [("a", ["a"])], stemmer=True)
