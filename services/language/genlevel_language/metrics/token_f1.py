"""Token F1: overlap of the words of answer and reference, best reference, mean over samples.

    P = overlap / words of the answer,   R = overlap / words of the reference,   F1 = 2PR / (P + R)

    variant=squad         words after lower-casing and taking off ASCII punctuation and the articles a, an, the;
                          overlap counts repeated words; both empty is 1, one empty is 0
    variant=distinct_raw  the public scorer: words between white space as they are; overlap counts each shared word once while
                          P and R divide by all words, so a text with a repeated word scores below 1 against itself

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: mean over samples
    Sample        prediction and references, all text; the best reference counts
    State         rows (f1, exact), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        SQuAD v1.1 (Rajpurkar et al. 2016) and, for empty answers, v2.0
    Checked with  torchmetrics.text.SQuAD; `distinct_raw` against a derivation
    Differs from  SQuAD v1.1 on two empty texts (0 there)

>>> observe(Sample("1", "The cat!", ("a cat",)), TokenF1Parameters())["f1"]
1.0
>>> observe(Sample("1", "the cat the", ("the cat the",)), TokenF1Parameters(variant="distinct_raw"))["f1"]
0.6666666666666666
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import means, normalise


@dataclass(frozen=True)
class TokenF1Parameters(Parameters):
    """Parameters of token F1."""

    variant: Literal["squad", "distinct_raw"] = "squad"


def _squad_f1(prediction: str, reference: str) -> float:
    left, right = normalise.squad(prediction).split(), normalise.squad(reference).split()
    if not left or not right:
        return float(left == right)
    return _f1(ngrams.overlap(left, right), len(left), len(right))


def _distinct_raw_f1(prediction: str, reference: str) -> float:
    left, right = prediction.split(), reference.split()
    return _f1(len(set(left) & set(right)), len(left), len(right))


def _f1(shared: int, predicted: int, expected: int) -> float:
    return ngrams.f_measure(ngrams.ratio(shared, predicted), ngrams.ratio(shared, expected))


def observe(sample: Sample, parameters: TokenF1Parameters) -> Row:
    """One sample."""
    f1 = _squad_f1 if parameters.variant == "squad" else _distinct_raw_f1
    wanted = {normalise.squad(reference) for reference in sample.references}
    return {
        "f1": max(f1(sample.prediction, reference) for reference in sample.references),
        "exact": float(normalise.squad(sample.prediction) in wanted),
    }


def missing(sample: Sample, parameters: TokenF1Parameters) -> Row:
    """A missing prediction shares nothing."""
    del sample, parameters
    return {"f1": 0.0, "exact": 0.0}


def score(rows: Rows, parameters: TokenF1Parameters) -> Score:
    """Mean, with SQuAD's exact match beside."""
    del parameters
    return Score(means.percent(rows, "f1"), companions={"squad_exact_match": means.percent(rows, "exact")})


def interval(rows: Rows, parameters: TokenF1Parameters) -> Interval | None:
    """Bootstrap of the mean."""
    del parameters
    return means.percent_interval(rows, "f1")


METRIC = Metric(
    id="token_f1",
    version=1,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=TokenF1Parameters,
    columns={"f1": Column("f8"), "exact": Column("f8")},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("f1"),
)
