"""BLEU-1 and BLEU-4: ours against NLTK, pycocoevalcap and sacreBLEU, from strings to the value, on the same texts in the same run.

Three lines for each comparison. `counts` is what the other tool does: tokens, counts, value. `engine` is all that an evaluator does with
messages that have arrived: reading, tokens, counts, the counts of sacreBLEU that stand beside, state, value. `engine, like for like` is
the same against the other tool and sacreBLEU's default on the same texts, which is what our result holds. The other tool is called as its
manual says, with its tokenizer. Every repetition has texts of its own, from one vocabulary of 3,000 words with marks at the end of some;
ours remembers words that it cut before, the others remember texts. Times are processor time of this one process, so that other jobs on
the machine count less; none of the tools uses a second thread.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.statistics import ngrams_bleu, ngrams_many
from genlevel_language.many import Batch

Samples = list[tuple[str, list[str]]]
Work = Callable[[Samples], float]
LARGEST_GAP = 1e-9
REPEATS = 3
ENDS = ("", "", "", "", "", "", ",", ".", "'s", '"')
VIDEO = {"pooling": "corpus", "references": "together", "tokenizer": "whitespace"}


def texts(count: int, references: int, words: int, seed: int) -> Samples:
    """Outputs that share most words with one of their references; words as frequent as in language, some with a mark at their end."""
    source = random.Random(seed)
    names = [f"w{number}{ENDS[number * 7919 % len(ENDS)]}" for number in range(3000)]
    weights = [1 / (place + 1) for place in range(3000)]
    samples = []
    for _ in range(count):
        rights = [source.choices(names, weights, k=source.randint(words - words // 5, words + words // 5)) for _ in range(references)]
        guess = list(rights[0])
        for _ in range(1 + words // 5):
            guess[source.randrange(len(guess))] = source.choice(names)
        samples.append((" ".join(guess), [" ".join(text) for text in rights]))
    return samples


def captions(count: int, references: int = 5, words: int = 11) -> Samples:
    """Texts of one size for benchmarks of other metrics."""
    return texts(count, references, words, seed=1)


def best(work: Callable[[], float], repeats: int = 3) -> tuple[float, float]:
    """Shortest time of a few runs, and what the last one gave."""
    times, result = zip(*(timed(work) for _ in range(repeats)), strict=True)
    return min(times), result[-1]


def engine(metric: str, samples: list[RawSample], **parameters: Any) -> float:
    """Messages to the value, without interval, which the others have not."""
    scorer = Scorer.of(load("language"), metric, parameters)
    rows, issues = scorer.observe(samples)
    assert not issues
    found = scorer.metric.score(rows, scorer.parameters).value
    assert found is not None
    return found / 100


def sentences(samples: Samples) -> float:
    """Counts alone: mean over samples of the best BLEU-1 of single references, Treebank words."""
    tokens = Batch(samples).cut("nltk")
    counts = ngrams_many.counts(tokens.pairs(), 1)
    scores = ngrams_bleu.values(counts.matches.astype(float), counts.totals.astype(float), counts.lengths.astype(float))
    best_of_each = np.maximum.reduceat(scores, np.cumsum(tokens.sizes - 1) - tokens.sizes + 1)
    return math.fsum(best_of_each.tolist()) / len(samples)


def corpus(samples: Samples, order: int, tokenizer: str) -> float:
    """Counts alone: all samples together."""
    matches, totals, lengths = (column.sum(axis=0).tolist() for column in ngrams_many.counts(Batch(samples).cut(tokenizer), order))
    return ngrams_bleu.value(matches, totals, *lengths)


def nltk_sentences(samples: Samples) -> float:
    """As its manual shows it, the best of the references."""
    from nltk import word_tokenize
    from nltk.translate.bleu_score import sentence_bleu

    each = []
    for left, rights in samples:
        words = word_tokenize(left, preserve_line=True)
        each.append(max(sentence_bleu([word_tokenize(one, preserve_line=True)], words, weights=(1.0,)) for one in rights))
    return float(math.fsum(each) / len(each))


def nltk_corpus(samples: Samples, order: int) -> float:
    """corpus_bleu of words between white space."""
    from nltk.translate.bleu_score import corpus_bleu

    cut = [[one.split() for one in rights] for _, rights in samples]
    return float(corpus_bleu(cut, [left.split() for left, _ in samples], weights=(1 / order,) * order))


def coco(samples: Samples, order: int) -> float:
    """As COCO's evaluation calls it."""
    from pycocoevalcap.bleu.bleu import Bleu

    with contextlib.redirect_stdout(io.StringIO()):
        scores, _ = Bleu(order).compute_score(
            {place: rights for place, (_, rights) in enumerate(samples)}, {place: [left] for place, (left, _) in enumerate(samples)}, verbose=0
        )
    return float(scores[-1])


def sacrebleu(samples: Samples, order: int, tokenizer: str, smoothing: str = "none") -> float:
    """corpus_score with that tokenizer."""
    from sacrebleu import BLEU

    metric = BLEU(max_ngram_order=order, tokenize=tokenizer, smooth_method=smoothing, force=True)
    streams = [[rights[place] for _, rights in samples] for place in range(len(samples[0][1]))]
    return float(metric.corpus_score([left for left, _ in samples], streams).score) / 100


Case = tuple[str, str, dict[str, Any], Work, Work]
CASES: list[Case] = [
    ("BLEU-1 of Treebank words, NLTK word_tokenize and sentence_bleu", "bleu_1", {}, sentences, nltk_sentences),
    ("BLEU-1 of 13a words, sacreBLEU", "bleu_1", {**VIDEO, "tokenizer": "13a"}, lambda s: corpus(s, 1, "13a"), lambda s: sacrebleu(s, 1, "13a")),
    ("BLEU-4 of 13a words, sacreBLEU", "bleu_4", {"tokenizer": "13a"}, lambda s: corpus(s, 4, "13a"), lambda s: sacrebleu(s, 4, "13a")),
    ("BLEU-1 of words already cut, pycocoevalcap", "bleu_1", VIDEO, lambda s: corpus(s, 1, "whitespace"), lambda s: coco(s, 1)),
    ("BLEU-4 of words already cut, pycocoevalcap", "bleu_4", {"tokenizer": "whitespace"}, lambda s: corpus(s, 4, "whitespace"), lambda s: coco(s, 4)),
    ("BLEU-4 of words already cut, NLTK corpus_bleu", "bleu_4", {"tokenizer": "whitespace"}, lambda s: corpus(s, 4, "whitespace"), lambda s: nltk_corpus(s, 4)),
    ("BLEU-4 of words already cut, sacreBLEU", "bleu_4", {"tokenizer": "whitespace"}, lambda s: corpus(s, 4, "whitespace"), lambda s: sacrebleu(s, 4, "none")),
]


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """Seconds of processor time, and what it gave."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def compare(case: Case, words: int, references: int) -> None:
    """Prints the lines of a comparison: sums over repetitions, each with texts of its own."""
    name, metric, parameters, counts, other = case
    count = max(10, 12_000 // words // references)
    times = {"engine": 0.0, "counts": 0.0, "other": 0.0, "beside": 0.0}
    gaps = {"engine": 0.0, "counts": 0.0}
    for repeat in range(REPEATS):
        samples = texts(count, references, words, seed=1 + repeat)
        raw = [RawSample(str(key), Content(text=left), tuple(Content(text=one) for one in rights)) for key, (left, rights) in enumerate(samples)]
        runs = {
            "other": timed(lambda samples=samples: other(samples)),
            "engine": timed(lambda raw=raw: engine(metric, raw, **parameters)),
            "counts": timed(lambda samples=samples: counts(samples)),
            "beside": timed(lambda samples=samples: sacrebleu(samples, 4, "13a", "exp")),
        }
        for what, (seconds, found) in runs.items():
            times[what] += seconds
            if what in gaps:
                gaps[what] = max(gaps[what], abs(found - runs["other"][1]))
    both = times["other"] + times["beside"]
    for title, what, other_s in (("engine", "engine", times["other"]), ("counts", "counts", times["other"]), ("engine, like for like", "engine", both)):
        line = {
            "name": f"{name}: {title}, {count} samples of {words} words, {references} references",
            "ours_s": round(times[what] / REPEATS, 6),
            "other_s": round(other_s / REPEATS, 6),
            "ratio": round(other_s / times[what], 1),
            "equal_to": gaps[what],
            "note": "aim 10" if gaps[what] <= LARGEST_GAP else "failed: values differ",
        }
        print(json.dumps(line), flush=True)


def main() -> None:
    """Prints three lines of JSON a comparison."""
    warm = texts(400, 1, 30, seed=0)  # imports, and what the other tools prepare once
    for _, metric, parameters, counts, other in CASES:
        engine(metric, [RawSample(str(key), Content(text=left), (Content(text=rights[0]),)) for key, (left, rights) in enumerate(warm)], **parameters)
        counts(warm)
        other(warm)
    for words in (10, 60, 300):
        for references in (1, 5):
            for case in CASES:
                compare(case, words, references)


if __name__ == "__main__":
    main()
