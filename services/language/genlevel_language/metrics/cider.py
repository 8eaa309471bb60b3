"""CIDEr: consensus of an output with its references, as the cosine of tf-idf weighted n-grams; variant=d is CIDEr-D.

    weight of an n-gram = count in the text * (log samples - log samples that have it in a reference)
    CIDEr of a sample   = 10 * mean over orders 1 to 4 and references of the cosine
    value               = 100 * mean over samples: 1000 is perfect

    variant=d      CIDEr-D: weights clipped to the reference's in the product, length penalty exp(-d^2 / 72), d the difference in bigrams
    variant=plain  without clipping and penalty, so that repeating a good word pays
    tokenizer=ptb  Penn Treebank words in lower case without punctuation; whitespace for words already cut, nltk and character as in bleu_1

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
    Differs from  pycocoevalcap in nothing but scale (100 times). The interval keeps the weights of the whole set

>>> row = observe(Sample("1", "A dog.", ("a dog", "the dog")), CiderParameters())
>>> row["hypothesis"] == row["references"][:2], row["reference_lengths"]
(True, [2, 2])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams, ngrams_cider
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_language import beside, tokenizers
from genlevel_language.digests import word_digest


@dataclass(frozen=True)
class CiderParameters(Parameters):
    """Parameters of CIDEr."""

    variant: Literal["d", "plain"] = "d"
    tokenizer: Literal["ptb", "whitespace", "nltk", "character"] = "ptb"
    lowercase: bool = False


def _row(prediction: str, references: Sequence[str], parameters: CiderParameters) -> Row:
    texts = (prediction, *references)
    own, *others = [tokenizers.cut(text, parameters.tokenizer, parameters.lowercase) for text in texts]
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


def _each(rows: Rows, variant: str) -> NDArray[np.float64]:
    hypotheses = ngrams_cider.Texts(rows.values["hypothesis"], rows.lengths["hypothesis"], np.arange(len(rows)))
    owner = np.repeat(np.arange(len(rows)), rows.lengths["reference_lengths"])
    references = ngrams_cider.Texts(rows.values["references"], rows.values["reference_lengths"], owner)
    # Rounding may put a perfect sample above 10 by its last digit.
    return np.minimum(10.0, ngrams_cider.cider(hypotheses, references, clipped=variant == "d"))


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
    """Bootstrap of the mean, under the weights of the whole set."""
    return bootstrap_mean(rows.keys, _each(rows, parameters.variant), scale=100.0)


METRIC = Metric(
    id="cider",
    version=1,
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
