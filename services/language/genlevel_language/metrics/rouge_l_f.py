"""ROUGE-L F: F-measure of the longest common subsequence of words, mean over samples.

    P = LCS / words of the output,   R = LCS / words of the reference,   F = (1 + b^2) PR / (R + b^2 P)

Three packages give three values under this name, so the parameter `impl` says which is meant:

    rouge_py     package `rouge` (the rows labelled "Rouge-L f"): white space, case kept, sentences cut at ".", union of the LCS of all
                 pairs of sentences, counts of distinct words, b = 1
    rouge_score  package `rouge_score` (the rows labelled "ROUGE-L"): lower-case ASCII words, `stemmer` off unless asked for, b = 1;
                 tokenizer=char, zh, unicode and others for other scripts, as in rouge_1_f
    coco         pycocoevalcap: b = 1.2, best P and best R over the references

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: mean over samples; the reference with the highest F counts
    Sample        prediction and references, all text
    State         rows (precision, recall, f, F of characters, the counts of sacreBLEU and chrF), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        Lin (2004), and the three packages
    Checked with  rouge 1.0, rouge_score 0.1, and the published arithmetic of pycocoevalcap
    Differs from  package rouge where it raises: a side without a sentence scores 0, and long sentences do not exhaust the stack

The three on one pair:

>>> pair = Sample("1", "The Cat.", ("the cat",))
>>> [observe(pair, RougeLParameters(impl=impl))["f"] for impl in ("rouge_py", "rouge_score", "coco")]
[0.0, 1.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.columns import Columns
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import means, rouge, tokenizers
from genlevel_language.many import Batch


@dataclass(frozen=True)
class RougeLParameters(Parameters):
    """Parameters of ROUGE-L. `tokenizer` and `stemmer` are for impl=rouge_score."""

    impl: Literal["rouge_py", "rouge_score", "coco"] = "rouge_py"
    tokenizer: tokenizers.RougeTokenizer = "ascii"
    stemmer: bool = False
    normalisation: tokenizers.Normalisation = "none"

    def __post_init__(self) -> None:
        if self.impl != "rouge_score" and (self.tokenizer != "ascii" or self.stemmer):
            raise ValueError("tokenizer and stemmer need impl=rouge_score")


def _best(prediction: str, references: Sequence[str], parameters: RougeLParameters) -> rouge.Rouge:
    if parameters.impl == "rouge_score":
        how = (parameters.tokenizer, parameters.stemmer, parameters.normalisation)
        words = tokenizers.rouge_words(prediction, *how)
        return rouge.best([rouge.subsequence(words, tokenizers.rouge_words(reference, *how)) for reference in references])
    left, *rights = [tokenizers.normalised(text, parameters.normalisation) for text in (prediction, *references)]
    if parameters.impl == "coco":
        return rouge.coco(left, rights)
    return rouge.best([rouge.rouge_py(left, right) for right in rights])


def _row(prediction: str, references: Sequence[str], parameters: RougeLParameters) -> Row:
    return {**_best(prediction, references, parameters)._asdict(), **rouge.beside_row(prediction, references, rouge.subsequence)}


def observe(sample: Sample, parameters: RougeLParameters) -> Row:
    """One sample."""
    return _row(sample.prediction, sample.references, parameters)


def observe_many(samples: Sequence[Sample], parameters: RougeLParameters) -> Columns:
    """Many samples at once."""
    batch = Batch.of(samples)
    if parameters.impl == "rouge_score":
        words = batch.rouge_words(parameters.tokenizer, parameters.stemmer, parameters.normalisation)
        pairs = words.pairs()
        found = rouge.best_of(rouge.subsequences(pairs), pairs, words.sizes)
    else:
        each = [_best(output, references, parameters) for output, references in batch.samples]
        found = dict(zip(rouge.Rouge._fields, np.array(each).T, strict=True))
    others = rouge.columns(batch, rouge.subsequence)
    return Columns({**found, **others.values}, others.lengths)


def missing(sample: Sample, parameters: RougeLParameters) -> Row:
    """A missing prediction shares nothing."""
    del parameters
    return {**rouge.ZERO._asdict(), **rouge.beside_row("", sample.references, rouge.subsequence)}


def score(rows: Rows, parameters: RougeLParameters) -> Score:
    """Mean F; mean precision and recall, F of characters, length ratio, sacreBLEU and chrF beside."""
    del parameters
    companions = {name: means.percent(rows, name) for name in ("precision", "recall")} | rouge.companions(rows)
    return Score(means.percent(rows, "f"), companions=companions)


def interval(rows: Rows, parameters: RougeLParameters) -> Interval | None:
    """Bootstrap of the mean."""
    del parameters
    return means.percent_interval(rows, "f")


METRIC = Metric(
    id="rouge_l_f",
    version=2,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=RougeLParameters,
    columns=rouge.COLUMNS,
    observe=observe,
    observe_many=observe_many,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("f"),
)
