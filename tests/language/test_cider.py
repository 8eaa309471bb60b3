"""cider against pycocoevalcap (CIDEr-D) and a derivation (plain)."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import RANDOM, evaluate, pairs, real_pairs, value
from pycocoevalcap.cider.cider_scorer import CiderScorer

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.statistics import ngrams_cider_replicates
from genlevel_evaluator.statistics.poisson import poisson_weights
from genlevel_language.metrics import cider

REAL = real_pairs(400)
Samples = list[tuple[str, list[str]]]


def letters(count: int, seed: int) -> Samples:
    """Few words, so that n-grams of all orders are shared and repeated; empty texts; up to seven references."""
    source = random.Random(seed)

    def text() -> str:
        return " ".join(source.choices("abcdefghij", k=source.randrange(12)))

    return [(text(), [text() for _ in range(source.randint(1, 7))]) for _ in range(count)]


def coco(samples: Samples) -> list[float]:
    scorer = CiderScorer(n=4, sigma=6.0)
    for prediction, references in samples:
        scorer += (prediction, references)
    if not any(one.split() for _, references in samples for one in references):
        return [0.0] * len(samples)  # its own check takes the maximum of nothing
    return [float(one) for one in scorer.compute_score()[1]]


def plain(samples: Samples) -> list[float]:
    """Vedantam et al., equations 2 to 4, with counts for term frequencies: a common factor of a vector leaves its cosine alone."""

    def grams(text: str, order: int) -> Counter[tuple[str, ...]]:
        words = text.split()
        return Counter(tuple(words[place : place + order]) for place in range(len(words) - order + 1))

    scores = np.zeros(len(samples))
    for order in range(1, 5):
        frequency = Counter(gram for _, references in samples for gram in {g for one in references for g in grams(one, order)})

        def vector(text: str, order: int = order, frequency: Counter[tuple[str, ...]] = frequency) -> dict[tuple[str, ...], float]:
            return {gram: n * math.log(len(samples) / max(1, frequency[gram])) for gram, n in grams(text, order).items()}

        for place, (prediction, references) in enumerate(samples):
            own = vector(prediction)
            for other in map(vector, references):
                size = math.sqrt(sum(x * x for x in own.values()) * sum(x * x for x in other.values()))
                dot = sum(x * other.get(gram, 0.0) for gram, x in own.items())
                scores[place] += dot / size / len(references) / 4 * 10 if size else 0.0
    return [float(one) for one in scores]


def each(samples: Samples, variant: str) -> list[float]:
    raw = [RawSample(str(i), Content(text=left), tuple(Content(text=one) for one in right)) for i, (left, right) in enumerate(samples)]
    rows, issues = Scorer.of(load("language"), "cider", {"tokenizer": "whitespace"}).observe(raw)
    assert issues == []
    return [float(one) for one in cider._each(rows, variant)]


@settings(max_examples=80)
@given(st.lists(pairs, min_size=1, max_size=6))
def test_small_sets_equal_pycocoevalcap(samples: Samples) -> None:
    expected = coco(samples)
    assert each(samples, "d") == pytest.approx(expected, abs=1e-9)
    assert value("cider", samples, tokenizer="whitespace") == pytest.approx(100 * math.fsum(expected) / len(samples), abs=1e-7)
    assert each(samples, "plain") == pytest.approx(plain(samples), abs=1e-9)


@pytest.mark.parametrize(
    "samples", [REAL, RANDOM, letters(2000, 1), letters(2, 2), letters(37, 3)], ids=["real", "random", "letters", "two", "some"]
)
def test_every_sample_of_large_sets_equals_pycocoevalcap(samples: Samples) -> None:
    expected = coco(samples)
    assert each(samples, "d") == pytest.approx(expected, abs=1e-9)
    assert value("cider", samples, tokenizer="whitespace") == pytest.approx(100 * math.fsum(expected) / len(samples), abs=1e-9, rel=1e-12)


@pytest.mark.parametrize("samples", [REAL, letters(300, 4)], ids=["real", "letters"])
def test_plain_cider_equals_its_definition(samples: Samples) -> None:
    assert each(samples, "plain") == pytest.approx(plain(samples), abs=1e-9)
    ours, _ = evaluate("cider", samples, tokenizer="whitespace", variant="plain")
    assert ours.value == pytest.approx(100 * math.fsum(plain(samples)) / len(samples), abs=1e-9)
    assert ours.companions["cider_d"] == value("cider", samples, tokenizer="whitespace")


def test_captions_with_their_own_words() -> None:
    """The default cuts words as pycocoevalcap does before it scores: lower case, no punctuation."""
    samples = [("A dog's bowl, here!", ["a dog's bowl is here.", "The bowl."]), ("Two men", ["two men (outside)", "men"])]
    cut = [("a dog 's bowl here", ["a dog 's bowl is here", "the bowl"]), ("two men", ["two men -lrb- outside -rrb-", "men"])]
    assert value("cider", samples) == pytest.approx(100 * math.fsum(coco(cut)) / 2, abs=1e-9)


def test_a_perfect_set_is_1000_and_one_sample_is_0() -> None:
    perfect = [("a b c d e", ["a b c d e"]), ("f g h i j", ["f g h i j"])]
    assert value("cider", perfect) == pytest.approx(1000.0, abs=1e-9)
    result, _ = evaluate("cider", perfect[:1])
    assert (result.value, result.warnings) == (0.0, ("small_sample",))


def test_repeating_a_good_word_pays_in_plain_cider_only() -> None:
    """What the D is for: words the references share, over and over."""
    rest = [("f g h i j", ["f g h i j"]), ("k l", ["k l m n"])]
    honest, cheat = ("c d x", ["a b c d"]), ("c d c d c d c d c d", ["a b c d"])
    assert value("cider", [cheat, *rest], variant="plain") > value("cider", [honest, *rest], variant="plain") - 60
    assert value("cider", [cheat, *rest]) < value("cider", [honest, *rest])


def test_a_missing_prediction_scores_0_and_weighs_its_references() -> None:
    samples = letters(20, 5)
    empty = [("", samples[0][1]), *samples[1:]]
    gone: list[tuple[str | None, list[str]]] = [(None, samples[0][1]), *samples[1:]]
    assert value("cider", gone, tokenizer="whitespace") == value("cider", empty, tokenizer="whitespace")


def test_nothing_but_empty_texts() -> None:
    assert value("cider", [("", [""]), ("", ["", ""])]) == 0.0


def repeated(samples: Samples, weights: list[int]) -> Samples:
    return [sample for sample, weight in zip(samples, weights, strict=True) for _ in range(weight)]


def replicates(samples: Samples, weights: list[list[int]], variant: str) -> list[float]:
    raw = [RawSample(str(i), Content(text=left), tuple(Content(text=one) for one in right)) for i, (left, right) in enumerate(samples)]
    rows, _ = Scorer.of(load("language"), "cider", {"tokenizer": "whitespace"}).observe(raw)
    made = ngrams_cider_replicates.Replicates(*cider._texts(rows), clipped=variant == "d")
    return made.means(np.array(weights, dtype=np.float64)).tolist()


@pytest.mark.parametrize("samples", [real_pairs(60), letters(40, 6), letters(3, 7)], ids=["real", "letters", "three"])
def test_a_replicate_is_the_set_with_its_samples_repeated(samples: Samples) -> None:
    source = random.Random(8)
    weights = [[source.choice([0, 0, 1, 1, 1, 2, 3, 7]) for _ in samples] for _ in range(8)]
    weights = [row for row in [*weights, [1] * len(samples), [4] * len(samples)] if any(row)]
    sets = [repeated(samples, row) for row in weights]
    assert replicates(samples, weights, "d") == pytest.approx([float(np.mean(coco(one))) for one in sets], abs=1e-9)
    assert replicates(samples, weights, "plain") == pytest.approx([float(np.mean(plain(one))) for one in sets], abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(pairs, st.integers(0, 4)), min_size=1, max_size=6))
def test_replicates_of_small_sets(weighted: list[tuple[tuple[str, list[str]], int]]) -> None:
    samples, weights = [sample for sample, _ in weighted], [weight for _, weight in weighted]
    if not any(weights):
        assert math.isnan(replicates(samples, [weights], "d")[0])
        return
    assert replicates(samples, [weights], "d") == pytest.approx([float(np.mean(coco(repeated(samples, weights))))], abs=1e-9)


def test_the_interval_is_as_wide_as_its_replicates_and_around_the_value() -> None:
    samples = letters(14, 9)
    result, _ = evaluate("cider", samples, tokenizer="whitespace")
    weights = poisson_weights([str(i) for i in range(14)])
    values = np.array([np.mean(coco(repeated(samples, row))) for row in weights.astype(int).tolist()])
    assert result.interval is not None
    assert result.interval.method == "centred_poisson_bootstrap_1000"
    moved = 100 * values + (result.value - 100 * values.mean())
    assert (result.interval.low, result.interval.high) == pytest.approx(np.percentile(moved, [2.5, 97.5]), abs=1e-7)


def test_larger_sets_have_fewer_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = letters(60, 10)
    words = sum(len(one.split()) for _, right in samples for one in right)
    methods = []
    for limits in ({1000: words, 200: words}, {1000: words - 1, 200: words}, {1000: 0, 200: words - 1}):
        monkeypatch.setattr(cider, "MAX_WORDS", limits)
        found, _ = evaluate("cider", samples, tokenizer="whitespace")
        assert found.interval is not None
        methods.append(found.interval.method)
    assert methods == ["centred_poisson_bootstrap_1000", "centred_poisson_bootstrap_200", "poisson_bootstrap_1000"]


def test_intervals_cover_the_value_of_the_source() -> None:
    """Sets of one source: about 95 % of their intervals hold the mean of them all."""
    source = random.Random(11)
    vocabulary = [f"w{i}" for i in range(400)]
    common = [1 / (i + 1) for i in range(400)]

    def sample() -> tuple[str, list[str]]:
        texts = [source.choices(vocabulary, common, k=8) for _ in range(2)]
        return " ".join(word if source.random() < 0.7 else "other" for word in texts[0]), [" ".join(text) for text in texts]

    found = [evaluate("cider", [sample() for _ in range(80)], tokenizer="whitespace")[0] for _ in range(40)]
    mean = np.mean([one.value for one in found])
    held = [one.interval.low <= mean <= one.interval.high for one in found if one.interval is not None]
    assert len(held) == 40
    assert sum(held) >= 34


def test_interval_holds_the_value() -> None:
    result, _ = evaluate("cider", REAL)
    assert result.interval is not None
    assert result.value is not None
    assert result.interval.low < result.value < result.interval.high
    assert {"sacrebleu", "length_ratio", "cider_plain"} <= set(result.companions)
