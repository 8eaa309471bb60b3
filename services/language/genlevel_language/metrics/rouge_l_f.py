"""ROUGE-L F: F-measure of the longest common subsequence of words, mean over samples.

    P = LCS / words of the output,   R = LCS / words of the reference,   F = (1 + b^2) PR / (R + b^2 P)

Three packages give three values under this name, so the parameter `impl` says which is meant:

    rouge_py     package `rouge` (the rows labelled "Rouge-L f"): white space, case kept, sentences cut at ".", union of the LCS of all
                 pairs of sentences, counts of distinct words, b = 1
    rouge_score  package `rouge_score` (the rows labelled "ROUGE-L"): lower-case ASCII words, `stemmer` off unless asked for, b = 1;
                 tokenizer=char for other scripts
    coco         pycocoevalcap: b = 1.2, best P and best R over the references

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: mean over samples; the reference with the highest F counts
    Sample        prediction and references, all text
    State         rows (precision, recall, f), keyed by sample
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

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import means, rouge, tokenizers


@dataclass(frozen=True)
class RougeLParameters(Parameters):
    """Parameters of ROUGE-L. `tokenizer` and `stemmer` are for impl=rouge_score."""

    impl: Literal["rouge_py", "rouge_score", "coco"] = "rouge_py"
    tokenizer: Literal["ascii", "char"] = "ascii"
    stemmer: bool = False

    def __post_init__(self) -> None:
        if self.impl != "rouge_score" and (self.tokenizer != "ascii" or self.stemmer):
            raise ValueError("tokenizer and stemmer need impl=rouge_score")


def _words(text: str, parameters: RougeLParameters) -> list[str]:
    if parameters.tokenizer == "char":
        return tokenizers.characters(text.lower())
    return tokenizers.ascii_words(text, parameters.stemmer)


def _best(prediction: str, references: tuple[str, ...], parameters: RougeLParameters) -> rouge.Rouge:
    if parameters.impl == "coco":
        return rouge.coco(prediction, references)
    if parameters.impl == "rouge_py":
        return rouge.best([rouge.rouge_py(prediction, reference) for reference in references])
    words = _words(prediction, parameters)
    return rouge.best([rouge.subsequence(words, _words(reference, parameters)) for reference in references])


def observe(sample: Sample, parameters: RougeLParameters) -> Row:
    """One sample."""
    return _best(sample.prediction, sample.references, parameters)._asdict()


def missing(sample: Sample, parameters: RougeLParameters) -> Row:
    """A missing prediction shares nothing."""
    del sample, parameters
    return rouge.ZERO._asdict()


def score(rows: Rows, parameters: RougeLParameters) -> Score:
    """Mean F, with mean precision and recall beside."""
    del parameters
    return Score(means.percent(rows, "f"), companions={name: means.percent(rows, name) for name in ("precision", "recall")})


def interval(rows: Rows, parameters: RougeLParameters) -> Interval | None:
    """Bootstrap of the mean."""
    del parameters
    return means.percent_interval(rows, "f")


METRIC = Metric(
    id="rouge_l_f",
    version=1,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=RougeLParameters,
    columns={name: Column("f8") for name in ("precision", "recall", "f")},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("f"),
)
