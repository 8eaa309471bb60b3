"""BLEU of a corpus: ours against pycocoevalcap, NLTK and sacreBLEU, words between white space, cutting included."""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
from collections.abc import Callable

from genlevel_evaluator.statistics import ngrams_bleu

Samples = list[tuple[str, list[str]]]
LARGEST_GAP = 1e-9


def captions(count: int, references: int = 5, words: int = 11, vocabulary: int = 3000) -> Samples:
    """Outputs that share most words with one of their references; words as frequent as in language."""
    source = random.Random(1)
    names = [f"w{number}" for number in range(vocabulary)]
    weights = [1 / (place + 1) for place in range(vocabulary)]
    samples = []
    for _ in range(count):
        texts = [source.choices(names, weights, k=source.randint(words - 3, words + 3)) for _ in range(references)]
        guess = list(texts[0])
        for _ in range(3):
            guess[source.randrange(len(guess))] = source.choice(names)
        samples.append((" ".join(guess), [" ".join(text) for text in texts]))
    return samples


def ours(samples: Samples, order: int) -> float:
    """Counts of every sample, then one value."""
    counts = [ngrams_bleu.counts(left.split(), [one.split() for one in right], order) for left, right in samples]
    matches = [sum(one.matches[place] for one in counts) for place in range(order)]
    totals = [sum(one.totals[place] for one in counts) for place in range(order)]
    lengths = sum(one.hypothesis_length for one in counts), sum(one.reference_length for one in counts)
    return ngrams_bleu.value(matches, totals, *lengths)


def by_coco(samples: Samples, order: int) -> float:
    """As COCO's evaluation calls it."""
    from pycocoevalcap.bleu.bleu import Bleu

    with contextlib.redirect_stdout(io.StringIO()):
        scores, _ = Bleu(order).compute_score(
            {place: right for place, (_, right) in enumerate(samples)}, {place: [left] for place, (left, _) in enumerate(samples)}, verbose=0
        )
    return float(scores[-1])


def by_nltk(samples: Samples, order: int) -> float:
    """corpus_bleu of cut words."""
    from nltk.translate.bleu_score import corpus_bleu

    cut = [[one.split() for one in right] for _, right in samples]
    return float(corpus_bleu(cut, [left.split() for left, _ in samples], weights=(1 / order,) * order))


def by_sacrebleu(samples: Samples, order: int) -> float:
    """Without smoothing and without a tokenizer."""
    import sacrebleu

    metric = sacrebleu.BLEU(max_ngram_order=order, tokenize="none", smooth_method="none", force=True)
    streams = [[right[place] for _, right in samples] for place in range(len(samples[0][1]))]
    return float(metric.corpus_score([left for left, _ in samples], streams).score) / 100


def best(work: Callable[[], float], repeats: int = 3) -> tuple[float, float]:
    """Shortest time of a few runs, and what the last one gave."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def main() -> None:
    """Prints one line of JSON a comparison."""
    for order in (1, 4):
        for references in (1, 5):
            samples = captions(3000, references)
            ours_s, mine = best(lambda samples=samples, order=order: ours(samples, order))
            for name, other in (("pycocoevalcap", by_coco), ("NLTK", by_nltk), ("sacreBLEU", by_sacrebleu)):
                other_s, theirs = best(lambda other=other, samples=samples, order=order: other(samples, order))
                gap = abs(mine - theirs)
                print(
                    json.dumps(
                        {
                            "name": f"BLEU-{order} 3000 samples, {references} references, against {name}",
                            "ours_s": round(ours_s, 6),
                            "other_s": round(other_s, 6),
                            "ratio": round(other_s / ours_s, 1),
                            "equal_to": gap,
                            "note": "words of 11 a text, cutting included; aim 10" if gap <= LARGEST_GAP else "failed: values differ",
                        }
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
