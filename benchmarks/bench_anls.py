"""ANLS of answers: ours against package anls, under its own boundary rule; normal forms included."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from functools import partial

from benchmarks.bench_bleu import LARGEST_GAP, Samples, best
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Sample
from genlevel_language.metrics import anls

SIZES = [
    (name, count // references, length, references)
    for name, count, length in (("plates", 3000, 8), ("answers", 2000, 25), ("lines", 300, 100), ("pages", 5, 1000))
    for references in (1, 5)
]
REPEATS = 5
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


def with_references(samples: Samples, count: int) -> Samples:
    """The same, each with the answers of its neighbours as further references."""
    truths = [right[0] for _, right in samples]
    return [(left, [truths[(place + step) % len(truths)] for step in range(count)]) for place, (left, _) in enumerate(samples)]


def ours(samples: Sequence[Sample]) -> float:
    """Every sample observed, as the engine hands them over."""
    return math.fsum(row["similarity"] for row in anls.observe_many(samples, STRICT)) / len(samples)


def whole(samples: Sequence[RawSample]) -> float:
    """From samples as they arrive to the value, checks and state included; without its interval."""
    rows, _ = Scorer.of(load("language"), "anls", {"boundary": "strict"}).observe(samples)
    return math.fsum(rows.column("similarity")) / len(samples)


def by_anls(samples: Samples) -> float:
    """As its manual shows it."""
    from anls.metrics import anls_score

    return math.fsum(float(anls_score(left, right)) for left, right in samples) / len(samples)


def line(name: str, ours: tuple[float, float], other: tuple[float, float], note: str) -> str:
    """One comparison: seconds and value of both."""
    gap = abs(ours[1] - other[1])
    found = {
        "name": name,
        "ours_s": round(ours[0], 6),
        "other_s": round(other[0], 6),
        "ratio": round(other[0] / ours[0], 1),
        "equal_to": gap,
        "note": note if gap <= LARGEST_GAP else "failed: values differ",
    }
    return json.dumps(found)


def main() -> None:
    """Prints two lines of JSON a comparison: the metric alone, and with all that the engine does."""
    for name, count, length, references in SIZES:
        samples = with_references(answers(count, length, wrong=0.3), references)
        decoded = [Sample("", left, tuple(right)) for left, right in samples]
        raw = [RawSample(str(i), Content(text=left), tuple(Content(text=one) for one in right)) for i, (left, right) in enumerate(samples)]
        theirs = best(partial(by_anls, samples), REPEATS)
        title = f"ANLS {count} {name} of {length} characters, {references} references"
        alone = best(partial(ours, decoded), REPEATS)
        print(line(f"{title}, against anls", alone, theirs, "normal forms included; aim 20"), flush=True)
        print(line(f"{title}, with the engine", best(partial(whole, raw), REPEATS), theirs, "from the sample as it arrives to the state"), flush=True)


if __name__ == "__main__":
    main()
