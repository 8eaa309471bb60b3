"""ANLS of answers: ours against package anls, under its own boundary rule; normal forms included."""

from __future__ import annotations

import json
import math
import random

from benchmarks.bench_bleu import LARGEST_GAP, Samples, best
from genlevel_evaluator.metric import Sample
from genlevel_language.metrics import anls

STRICT = anls.AnlsParameters(boundary="strict")


def answers(count: int, length: int, wrong: float) -> Samples:
    """Strings of about that length: some right, some with a few characters changed, some of their own."""
    source = random.Random(2)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789 "

    def text() -> list[str]:
        return source.choices(letters, k=max(1, round(source.gauss(length, length / 4))))

    samples = []
    for _ in range(count):
        truth = text()
        guess = text() if source.random() < wrong else list(truth)
        for _ in range(source.randrange(1 + length // 5)):
            guess[source.randrange(len(guess))] = source.choice(letters)
        samples.append(("".join(guess), ["".join(truth)]))
    return samples


def ours(samples: Samples) -> float:
    """Every sample observed."""
    made = [Sample("", left, tuple(right)) for left, right in samples]
    return math.fsum(anls.observe(sample, STRICT)["similarity"] for sample in made) / len(made)


def by_anls(samples: Samples) -> float:
    """As its manual shows it."""
    from anls.metrics import anls_score

    return math.fsum(float(anls_score(left, right)) for left, right in samples) / len(samples)


def main() -> None:
    """Prints one line of JSON a comparison."""
    for name, count, length in (("plates", 3000, 8), ("answers", 2000, 25), ("lines", 300, 100), ("pages", 6, 1500)):
        samples = answers(count, length, wrong=0.3)
        ours_s, mine = best(lambda samples=samples: ours(samples))
        other_s, theirs = best(lambda samples=samples: by_anls(samples))
        gap = abs(mine - theirs)
        line = {
            "name": f"ANLS {count} {name} of {length} characters against anls",
            "ours_s": round(ours_s, 6),
            "other_s": round(other_s, 6),
            "ratio": round(other_s / ours_s, 1),
            "equal_to": gap,
            "note": "aim 20" if gap <= LARGEST_GAP else "failed: values differ",
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
