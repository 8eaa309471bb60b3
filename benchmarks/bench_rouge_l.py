"""ROUGE-L of pairs of texts: ours against rouge-score and against package `rouge`, each under its own definition."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

from genlevel_language import rouge, tokenizers

Pairs = list[tuple[str, str]]
LARGEST_GAP = 1e-9


def texts(count: int, words: int, vocabulary: int = 200, sentence: int = 0) -> Pairs:
    """Pairs of random texts; a full stop after every `sentence` words."""
    source = random.Random(1)
    names = [f"word{number}" for number in range(vocabulary)]

    def text() -> str:
        chosen = source.choices(names, k=words)
        return " ".join(
            word + "." if sentence and place % sentence == sentence - 1 else word for place, word in enumerate(chosen)
        )

    return [(text(), text()) for _ in range(count)]


def ours_rouge_score(pairs: Pairs, stemmer: bool = False) -> list[float]:
    """Tokens and bit-parallel LCS."""
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


def compare(name: str, pairs: Pairs, ours: Callable[[Pairs], list[float]], other: Callable[[Pairs], list[float]]) -> None:
    """Prints one line."""
    ours_s, mine = best(lambda: ours(pairs))
    other_s, theirs = best(lambda: other(pairs))
    gap = max(abs(x - y) for x, y in zip(mine, theirs, strict=True))
    note = "tokens included" if gap <= LARGEST_GAP else "failed: values differ"
    print(
        json.dumps(
            {
                "name": name,
                "ours_s": round(ours_s, 6),
                "other_s": round(other_s, 6),
                "ratio": round(other_s / ours_s, 1),
                "equal_to": gap,
                "note": note,
            }
        ),
        flush=True,
    )


def best(work: Callable[[], list[float]], repeats: int = 3) -> tuple[float, list[float]]:
    """Shortest time of a few runs, and what the last one gave."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def main() -> None:
    """Prints one line of JSON a comparison."""
    short = texts(500, 60)
    compare("ROUGE-L 500 pairs of 60 words against rouge-score", short, ours_rouge_score, by_rouge_score)
    compare(
        "ROUGE-L 500 pairs of 60 words, stemmed, against rouge-score",
        short,
        lambda pairs: ours_rouge_score(pairs, stemmer=True),
        lambda pairs: by_rouge_score(pairs, stemmer=True),
    )
    compare("ROUGE-L 10 pairs of 1000 words against rouge-score", texts(10, 1000), ours_rouge_score, by_rouge_score)
    compare("ROUGE-L 100 pairs of 60 words in 5 sentences against rouge", texts(100, 60, sentence=12), ours_rouge_py, by_rouge_py)


if __name__ == "__main__":
    main()
