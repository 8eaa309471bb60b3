"""ROUGE-1 F: unigram F1 against the best reference, mean over samples.

    P = shared / words of the output,   R = shared / words of the reference,   F = 2PR / (P + R)

shared counts repeated words. Of several references the one with the highest F counts.

    tokenizer=ascii  lower-case ASCII letters and digits; with `stemmer` words of four letters and more by Porter. Other scripts have
                     no words at all then and score 0, in the published values too; for samples whose references are of another
                     script the F of characters stands beside, as `character_f_not_latin`
    tokenizer=char   lower-case characters without white space; zh, unicode and the others as in bleu_1, in lower case; `normalisation`
                     as there

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: mean over samples
    Sample        prediction and references, all text
    State         rows (precision, recall, f, F of characters, reference_words, the counts of sacreBLEU and chrF), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        Lin (2004)
    Checked with  rouge_score.rouge_scorer.RougeScorer(["rouge1"], use_stemmer=True)
    Differs from  nothing; warns `reference_without_words` where a reference has no token under the chosen tokenizer

>>> row = observe(Sample("1", "Running dogs", ("a dog runs",)), Rouge1Parameters())
>>> row["precision"], round(row["recall"], 4), row["f"]
(1.0, 0.6667, 0.8)
>>> row = observe(Sample("1", "你好", ("你好",)), Rouge1Parameters())
>>> row["f"], row["character_f"]
(0.0, [1.0])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genlevel_evaluator.columns import Columns
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams_many
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import means, rouge, tokenizers
from genlevel_language.many import Batch


@dataclass(frozen=True)
class Rouge1Parameters(Parameters):
    """Parameters of ROUGE-1. `stemmer` is for tokenizer=ascii."""

    tokenizer: tokenizers.RougeTokenizer = "ascii"
    stemmer: bool = True
    normalisation: tokenizers.Normalisation = "none"


def _words(text: str, parameters: Rouge1Parameters) -> list[str]:
    return tokenizers.rouge_words(text, parameters.tokenizer, parameters.stemmer, parameters.normalisation)


def _row(prediction: str, references: Sequence[str], parameters: Rouge1Parameters) -> Row:
    words, tokens = _words(prediction, parameters), [_words(reference, parameters) for reference in references]
    return {
        **rouge.best([rouge.unigrams(words, reference) for reference in tokens])._asdict(),
        "reference_words": max(map(len, tokens)),
        **rouge.beside_row(prediction, references, rouge.unigrams),
    }


def observe(sample: Sample, parameters: Rouge1Parameters) -> Row:
    """One sample."""
    return _row(sample.prediction, sample.references, parameters)


def observe_many(samples: Sequence[Sample], parameters: Rouge1Parameters) -> Columns:
    """Many samples at once."""
    batch = Batch.of(samples)
    words = batch.rouge_words(parameters.tokenizer, parameters.stemmer, parameters.normalisation)
    pairs = words.pairs()
    starts = np.cumsum(words.sizes - 1) - words.sizes + 1
    own = rouge.best_of(ngrams_many.matches(pairs, 1)[:, 0], pairs, words.sizes)
    others = rouge.columns(batch, rouge.unigrams)
    return Columns({**own, "reference_words": np.maximum.reduceat(pairs.lengths[1::2], starts), **others.values}, others.lengths)


def missing(sample: Sample, parameters: Rouge1Parameters) -> Row:
    """A missing prediction is an empty one: it shares nothing."""
    return _row("", sample.references, parameters)


def score(rows: Rows, parameters: Rouge1Parameters) -> Score:
    """Mean F; mean precision and recall, F of characters, length ratio, sacreBLEU and chrF beside."""
    del parameters
    companions = {name: means.percent(rows, name) for name in ("precision", "recall")} | rouge.companions(rows)
    warnings = ("reference_without_words",) if not rows.column("reference_words").all() else ()
    return Score(means.percent(rows, "f"), companions=companions, warnings=warnings)


def interval(rows: Rows, parameters: Rouge1Parameters) -> Interval | None:
    """Bootstrap of the mean."""
    del parameters
    return means.percent_interval(rows, "f")


METRIC = Metric(
    id="rouge_1_f",
    version=2,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=Rouge1Parameters,
    columns={**rouge.COLUMNS, "reference_words": Column("i8")},
    observe=observe,
    observe_many=observe_many,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("f"),
)
