"""ROUGE-1 and ROUGE-L of pairs of texts: ours against rouge-score and against package `rouge`, each under its own definition.

Tokens included. Lines with `engine` are all that an evaluator does with messages that have arrived: reading, tokens, scores, the counts of
sacreBLEU that stand beside, state, value. `engine, like for like` is the same against the other tool and sacreBLEU's default on the same
pairs, which is what our result holds. Every repetition has texts of its own, from one vocabulary; ours remembers words that it cut or
stemmed before. Times are processor time of this one process, so that other jobs on the machine count less; none uses a second thread.
"""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable
from typing import Any

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.statistics import ngrams_many
from genlevel_language import rouge, tokenizers
from genlevel_language.many import Batch

Pairs = list[tuple[str, str]]
Work = Callable[[Pairs], list[float]]
LARGEST_GAP = 1e-9
REPEATS = 3
STEMS = ("run", "walk", "house", "nation", "green", "hope", "relate", "motor", "fall", "size")
ENDS = ("", "s", "ing", "ed", "ly", "ness", "ation", "ful", "able")


def texts(count: int, words: int, seed: int, vocabulary: int = 3000, sentence: int = 0) -> Pairs:
    """Pairs of texts that share half of their words; a full stop after every `sentence` words."""
    source = random.Random(seed)
    names = [f"{STEMS[number % len(STEMS)]}{'abcdefghij'[number // 10 % 10]}{ENDS[number % len(ENDS)]}{number // 100}" for number in range(vocabulary)]
    weights = [1 / (place + 1) for place in range(vocabulary)]

    def stopped(chosen: list[str]) -> str:
        return " ".join(word + "." if sentence and place % sentence == sentence - 1 else word for place, word in enumerate(chosen))

    pairs = []
    for _ in range(count):
        left = source.choices(names, weights, k=words)
        right = [source.choices(names, weights)[0] if source.random() < 0.5 else word for word in left]
        pairs.append((stopped(left), stopped(right)))
    return pairs


def ours_rouge_score(pairs: Pairs, stemmer: bool = False) -> list[float]:
    """Tokens and bit-parallel LCS, pair by pair, which is faster where the words between white space are not needed for more."""
    words = tokenizers.ascii_words
    return [rouge.subsequence(words(left, stemmer), words(right, stemmer)).f for left, right in pairs]


def by_rouge_score(pairs: Pairs, stemmer: bool = False) -> list[float]:
    """As its manual shows it."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=stemmer)
    return [scorer.score(right, left)["rougeL"].fmeasure for left, right in pairs]


def ours_rouge_py(pairs: Pairs) -> list[float]:
    """Union of the LCS of all pairs of sentences."""
    return [rouge.rouge_py(left, right).f for left, right in pairs]


def by_rouge_py(pairs: Pairs) -> list[float]:
    """As its manual shows it."""
    from rouge import Rouge

    scores = Rouge(metrics=["rouge-l"]).get_scores([left for left, _ in pairs], [right for _, right in pairs])
    return [float(score["rouge-l"]["f"]) for score in scores]


def ours_rouge_1(pairs: Pairs) -> list[float]:
    """Tokens, stems and overlap."""
    words = Batch([(left, (right,)) for left, right in pairs]).rouge_words("ascii", stemmer=True)
    return rouge.best_of(ngrams_many.matches(words, 1)[:, 0], words, words.sizes)["f"].tolist()


def by_rouge_1(pairs: Pairs) -> list[float]:
    """As its manual shows it."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1"], use_stemmer=True)
    return [scorer.score(right, left)["rouge1"].fmeasure for left, right in pairs]


def engine(metric: str, **parameters: Any) -> Work:
    """Messages to the scores of each sample and the value, without interval, which the others have not."""
    scorer = Scorer.of(load("language"), metric, parameters)

    def work(pairs: Pairs) -> list[float]:
        keys = [f"{place:06}" for place in range(len(pairs))]
        raw = [RawSample(key, Content(text=left), (Content(text=right),)) for key, (left, right) in zip(keys, pairs, strict=True)]
        rows, _ = scorer.observe(raw)
        scorer.metric.score(rows, scorer.parameters)
        return [float(value) for value in rows.column("f")]

    return work


def sacrebleu(pairs: Pairs) -> float:
    """Its default, as its manual shows it."""
    from sacrebleu import BLEU

    return float(BLEU(force=True).corpus_score([left for left, _ in pairs], [[right for _, right in pairs]]).score)


def compare(name: str, count: int, words: int, ours: Work, other: Work, sentence: int = 0) -> None:
    """Prints one line, or two where ours is the engine: sums over repetitions, each with texts of its own."""
    ours_s = other_s = beside_s = gap = 0.0
    for repeat in range(REPEATS + 1):
        pairs = texts(count, words, seed=repeat, sentence=sentence)
        gc.collect()
        gc.freeze()  # or whichever side happens to start a collection pays for walking through the modules of both
        start = time.process_time()
        mine = ours(pairs)
        middle = time.process_time()
        theirs = other(pairs)
        end = time.process_time()
        sacrebleu(pairs)
        last = time.process_time()
        gap = max(gap, *(abs(x - y) for x, y in zip(mine, theirs, strict=True)))
        if repeat:  # the first one imports and warms both
            ours_s, other_s, beside_s = ours_s + middle - start, other_s + end - middle, beside_s + last - end
    lines = {name: other_s}
    if "engine" in name:
        lines[name.replace("engine, against", "engine, like for like, against sacreBLEU and")] = other_s + beside_s
    for title, theirs_s in lines.items():
        line = {
            "name": f"{title}, {count} pairs of {words} words",
            "ours_s": round(ours_s / REPEATS, 6),
            "other_s": round(theirs_s / REPEATS, 6),
            "ratio": round(theirs_s / ours_s, 1),
            "equal_to": gap,
            "note": "aim 20" if gap <= LARGEST_GAP else "failed: values differ",
        }
        print(json.dumps(line), flush=True)


def main() -> None:
    """Prints JSON lines."""
    for words in (10, 60, 300):
        count = 6000 // words
        compare("ROUGE-1 stemmed against rouge-score", count, words, ours_rouge_1, by_rouge_1)
        compare("ROUGE-1 stemmed, engine, against rouge-score", count, words, engine("rouge_1_f"), by_rouge_1)
        compare("ROUGE-L against rouge-score", count, words, ours_rouge_score, by_rouge_score)
        compare("ROUGE-L, engine, against rouge-score", count, words, engine("rouge_l_f", impl="rouge_score"), by_rouge_score)
        compare(
            "ROUGE-L stemmed against rouge-score",
            count,
            words,
            lambda pairs: ours_rouge_score(pairs, stemmer=True),
            lambda pairs: by_rouge_score(pairs, stemmer=True),
        )
        compare("ROUGE-L in sentences of 12 words against rouge", count, words, ours_rouge_py, by_rouge_py, sentence=12)
        compare("ROUGE-L in sentences of 12 words, engine, against rouge", count, words, engine("rouge_l_f"), by_rouge_py, sentence=12)


if __name__ == "__main__":
    main()
