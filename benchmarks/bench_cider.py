"""CIDEr-D of a set of captions: ours against pycocoevalcap, words between white space, cutting included."""

from __future__ import annotations

import json
import time

import numpy as np

from benchmarks.bench_bleu import LARGEST_GAP, Samples, best, captions
from genlevel_evaluator.digests import word_digest
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.statistics import ngrams_cider
from genlevel_language.metrics import cider


def ours(samples: Samples) -> float:
    """From texts to the mean."""
    own = [list(map(word_digest, left.split())) for left, _ in samples]
    others = [[list(map(word_digest, one.split())) for one in right] for _, right in samples]
    flat = [words for right in others for words in right]
    hypotheses = ngrams_cider.Texts(np.concatenate(own), np.array(list(map(len, own))), np.arange(len(own)))
    owner = np.repeat(np.arange(len(own)), list(map(len, others)))
    references = ngrams_cider.Texts(np.concatenate(flat), np.array(list(map(len, flat))), owner)
    return float(np.mean(ngrams_cider.cider(hypotheses, references)))


def interval(samples: Samples) -> float:
    """Seconds of the interval, from the state."""
    raw = [RawSample(str(i), Content(text=left), tuple(Content(text=one) for one in right)) for i, (left, right) in enumerate(samples)]
    rows, _ = Scorer.of(load("language"), "cider", {"tokenizer": "whitespace"}).observe(raw)
    begin = time.perf_counter()
    cider.interval(rows, cider.CiderParameters(tokenizer="whitespace"))
    return time.perf_counter() - begin


def by_coco(samples: Samples) -> float:
    """As COCO's evaluation calls it."""
    from pycocoevalcap.cider.cider import Cider

    score, _ = Cider().compute_score(
        {place: right for place, (_, right) in enumerate(samples)}, {place: [left] for place, (left, _) in enumerate(samples)}
    )
    return float(score)


def main() -> None:
    """Prints one line of JSON a comparison."""
    for count, references in ((500, 1), (500, 5), (3000, 1), (3000, 5)):
        samples = captions(count, references)
        ours_s, mine = best(lambda samples=samples: ours(samples))
        other_s, theirs = best(lambda samples=samples: by_coco(samples))
        gap = abs(mine - theirs)
        line = {
            "name": f"CIDEr-D {count} samples, {references} references, against pycocoevalcap",
            "ours_s": round(ours_s, 6),
            "other_s": round(other_s, 6),
            "ratio": round(other_s / ours_s, 1),
            "equal_to": gap,
            "note": "words of 11 a text, cutting included; aim 5" if gap <= LARGEST_GAP else "failed: values differ",
        }
        print(json.dumps(line), flush=True)
        note = "1,000 replicates, each with its own document frequencies"
        print(json.dumps({"name": f"interval of CIDEr-D, {count} samples, {references} references", "ours_s": interval(samples), "note": note}), flush=True)


if __name__ == "__main__":
    main()
