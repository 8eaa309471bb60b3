"""CIDEr: consensus of an output with its references, as the cosine of tf-idf weighted n-grams; variant=d is CIDEr-D.

    weight of an n-gram = count in the text * (log samples - log samples that have it in a reference)
    CIDEr of a sample   = 10 * mean over orders 1 to 4 and references of the cosine
    value               = 100 * mean over samples: 1000 is perfect

    variant=d      CIDEr-D: weights clipped to the reference's in the product, length penalty exp(-d^2 / 72), d the difference in bigrams
    variant=plain  without clipping and penalty, so that repeating a good word pays
    tokenizer=ptb  Penn Treebank words in lower case without punctuation; whitespace for words already cut, the others as in bleu_1

    Direction     higher is better
    Range         [0, 1000]
    Unit          CIDEr x100
    Pooling       sample, after a pass over the whole set: the weights come from all references, so a part of a set scores otherwise
    Sample        prediction and references, all text
    State         rows (words of the output and of the references as 64-bit digests, lengths, the counts of sacreBLEU and chrF),
                  keyed by sample
    Undefined     no sample has a reference: no_reference. One sample alone is 0
    Source        Vedantam, Zitnick and Parikh (2015)
    Checked with  pycocoevalcap.cider.cider.Cider, which is CIDEr-D; plain CIDEr against a derivation
    Differs from  pycocoevalcap in nothing but scale (100 times)

>>> row = observe(Sample("1", "A dog.", ("a dog", "the dog")), CiderParameters())
>>> row["hypothesis"] == row["references"][:2], row["reference_lengths"]
(True, [2, 2])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.digests import word_digest
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams, ngrams_cider, ngrams_cider_replicates
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_centred, bootstrap_mean
from genlevel_language import beside, tokenizers

MAX_WORDS = {1000: 200_000, 200: 2_000_000}
"""Largest sets, in words of references, whose interval has so many replicates: some seconds of work each."""


@dataclass(frozen=True)
class CiderParameters(Parameters):
    """Parameters of CIDEr."""

    variant: Literal["d", "plain"] = "d"
    tokenizer: tokenizers.Tokenizer = "ptb"
    lowercase: bool = False
    normalisation: tokenizers.Normalisation = "none"


def _row(prediction: str, references: Sequence[str], parameters: CiderParameters) -> Row:
    how = (parameters.tokenizer, parameters.lowercase, parameters.normalisation)
    own, *others = [tokenizers.cut(text, *how) for text in (prediction, *references)]
    return {
        "hypothesis": list(map(word_digest, own)),
        "references": [word_digest(word) for words in others for word in words],
        "reference_lengths": list(map(len, others)),
        **beside.observe(prediction, references),
    }


def observe(sample: Sample, parameters: CiderParameters) -> Row:
    """One sample."""
    return _row(sample.prediction, sample.references, parameters)


def missing(sample: Sample, parameters: CiderParameters) -> Row:
    """A missing prediction is an empty one: it scores 0, and its references still weigh the n-grams."""
    return _row("", sample.references, parameters)


def _texts(rows: Rows) -> tuple[ngrams_cider.Texts, ngrams_cider.Texts]:
    hypotheses = ngrams_cider.Texts(rows.values["hypothesis"], rows.lengths["hypothesis"], np.arange(len(rows)))
    owner = np.repeat(np.arange(len(rows)), rows.lengths["reference_lengths"])
    return hypotheses, ngrams_cider.Texts(rows.values["references"], rows.values["reference_lengths"], owner)


def _each(rows: Rows, variant: str) -> NDArray[np.float64]:
    # Rounding may put a perfect sample above 10 by its last digit.
    return np.minimum(10.0, ngrams_cider.cider(*_texts(rows), clipped=variant == "d"))


def score(rows: Rows, parameters: CiderParameters) -> Score:
    """Mean over samples; the other variant, the length ratio, sacreBLEU and chrF beside."""
    means = {variant: 100.0 * math.fsum(_each(rows, variant)) / len(rows) for variant in ("d", "plain")}
    other = "plain" if parameters.variant == "d" else "d"
    shares = np.repeat(1.0 / rows.lengths["reference_lengths"], rows.lengths["reference_lengths"])
    expected = math.fsum(rows.values["reference_lengths"] * shares)
    companions = {
        f"cider_{other}": means[other],
        "length_ratio": ngrams.ratio(float(rows.lengths["hypothesis"].sum()), expected),
        **beside.companions(rows),
    }
    return Score(means[parameters.variant], companions=companions, warnings=("small_sample",) if len(rows) == 1 else ())


def interval(rows: Rows, parameters: CiderParameters) -> Interval | None:
    """Bootstrap over samples, with the weights of n-grams that each replicate has; of very large sets those of the whole set.

    Repeated samples make their own n-grams less rare, so replicates lie below the value; they are moved up to it.
    """
    words = len(rows.values["references"])
    each = _each(rows, parameters.variant)
    if words > MAX_WORDS[200]:
        return bootstrap_mean(rows.keys, each, scale=100.0)
    made = ngrams_cider_replicates.Replicates(*_texts(rows), clipped=parameters.variant == "d")
    count = 1000 if words <= MAX_WORDS[1000] else 200
    found = bootstrap_centred(rows.keys, 100.0 * float(each.mean()), lambda weights: 100.0 * made.means(weights), count)
    return found and replace(found, low=max(0.0, found.low), high=min(1000.0, found.high))


METRIC = Metric(
    id="cider",
    version=2,
    input_kind="text",
    unit="CIDEr x100",
    higher_is_better=True,
    value_range=(0.0, 1000.0),
    pooling="sample",
    parameters=CiderParameters,
    columns={name: Column("i8", ragged=True) for name in ("hypothesis", "references", "reference_lengths")} | beside.COLUMNS,
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=lambda rows, parameters: 100.0 * _each(rows, parameters.variant),
)
