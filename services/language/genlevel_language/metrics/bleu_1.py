"""BLEU-1: clipped unigram precision times brevity penalty.

    BLEU-1 = 100 * BP * matches / c,   BP = 1 if c >= r else exp(1 - r / c)

c is the number of words of the output, r of the reference, matches the words found in the reference, each at most as often as there.

    pooling=sample, references=best      the best of the BLEU-1 against each reference alone, mean over samples (language, image, audio)
    pooling=sample, references=together  references clip together and the one closest in length sets r (NLTK's sentence_bleu)
    pooling=corpus                       matches, c and r are summed over the task first (video: references=together,
                                         tokenizer=whitespace, lowercase=True)
    tokenizer=nltk                       NLTK's Treebank words of the whole text (`word_tokenize(preserve_line=True)`): its sentence
                                         splitter needs data that no package ships, so full stops inside a text stay on their word
    tokenizer=whitespace                 code, LaTeX, SQL, HTML, and captions
    tokenizer=char                       Chinese and Japanese
    tokenizer=ptb, 13a, zh, intl, unicode, code    as tokenizers.py says; the same in bleu_4, cider and ROUGE
    normalisation=nfkc, arabic           compatibility forms; arabic also takes off vowel signs and lengthening strokes

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample, or corpus by parameter
    Sample        prediction and references, all text
    State         rows (matches, hypothesis_length, reference_length, the counts of sacreBLEU and chrF), keyed by sample; serves both
                  poolings
    Undefined     no sample has a reference: no_reference
    Source        Papineni et al. (2002)
    Checked with  nltk sentence_bleu and corpus_bleu, sacrebleu BLEU(max_ngram_order=1, smooth_method="none"), the published
                  arithmetic of pycocoevalcap's Bleu
    Differs from  pycocoevalcap by its 1e-15 and 1e-9 in numerator and denominator; corpus_bleu, which counts an empty output as
                  one wrong word, where sacrebleu, pycocoevalcap and we count none. Smoothing has no effect at order 1

>>> row = observe(Sample("1", "the the cat", ("the cat",)), Bleu1Parameters(tokenizer="whitespace"))
>>> row["matches"], row["hypothesis_length"], row["reference_length"]
(2, 3, 2)

Pooling is not averaging: see tests/language/test_bleu_1.py for two samples whose mean is 50 and whose pooled value is 91.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.columns import Columns
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams, ngrams_bleu, ngrams_many
from genlevel_evaluator.statistics.intervals import Interval, bootstrap, bootstrap_mean
from genlevel_language import beside, tokenizers
from genlevel_language.many import Batch

_COUNTS = ("matches", "hypothesis_length", "reference_length")


@dataclass(frozen=True)
class Bleu1Parameters(Parameters):
    """Parameters of BLEU-1."""

    pooling: Literal["sample", "corpus"] = "sample"
    tokenizer: tokenizers.Tokenizer = "nltk"
    lowercase: bool = False
    normalisation: tokenizers.Normalisation = "none"
    references: Literal["best", "together"] = "best"


def _bleu(matches: float, hypothesis_length: float, reference_length: float) -> float:
    return ngrams.ratio(matches, hypothesis_length) * ngrams.brevity_penalty(hypothesis_length, reference_length)


def _against(hypothesis: list[str], references: list[list[str]]) -> tuple[int, int, int]:
    counts = ngrams_bleu.counts(hypothesis, references, order=1)
    return counts.matches[0], counts.hypothesis_length, counts.reference_length


def _best(each: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Equal scores fall to the reference with more matches, then to the shorter one, so that their order plays no part."""
    return max(each, key=lambda counts: (_bleu(*counts), counts[0], -counts[2])) if len(each) > 1 else each[0]


def _statistics(prediction: str, references: tuple[str, ...], parameters: Bleu1Parameters) -> Row:
    how = (parameters.tokenizer, parameters.lowercase, parameters.normalisation)
    hypothesis, *tokens = [tokenizers.cut(text, *how) for text in (prediction, *references)]
    if parameters.references == "together":
        best = _against(hypothesis, tokens)
    else:
        best = _best([_against(hypothesis, [one]) for one in tokens])
    return {**dict(zip(_COUNTS, best, strict=True)), **beside.observe(prediction, references)}


def observe(sample: Sample, parameters: Bleu1Parameters) -> Row:
    """One sample."""
    return _statistics(sample.prediction, sample.references, parameters)


def observe_many(samples: Sequence[Sample], parameters: Bleu1Parameters) -> Columns:
    """Many samples at once."""
    how = (parameters.tokenizer, parameters.lowercase, parameters.normalisation)
    batch = Batch.of(samples)
    tokens = batch.cut(*how)
    if parameters.references == "best" and tokens.several:
        pairs = ngrams_many.counts(tokens.pairs(), order=1)
        each = iter(zip(pairs.matches[:, 0].tolist(), *pairs.lengths.T.tolist(), strict=True))
        found = [_best(list(islice(each, len(sample.references)))) for sample in samples]
        own, known = np.array(found, dtype=np.int64), None
    else:
        counts = ngrams_many.counts(tokens, order=4 if how == beside.HOW else 1)
        own, known = np.column_stack([counts.matches[:, 0], counts.lengths]), counts if how == beside.HOW else None
    others = beside.columns(batch, known)
    return Columns({**dict(zip(_COUNTS, own.T, strict=True)), **others.values}, others.lengths)


def missing(sample: Sample, parameters: Bleu1Parameters) -> Row:
    """A missing prediction is an empty one: no matches, and its reference length still counts in a corpus."""
    return _statistics("", sample.references, parameters)


def _each(rows: Rows) -> NDArray[np.float64]:
    columns = [rows.column(name).tolist() for name in ("matches", "hypothesis_length", "reference_length")]
    return np.array([_bleu(*counts) for counts in zip(*columns, strict=True)], dtype=np.float64)


def score(rows: Rows, parameters: Bleu1Parameters) -> Score:
    """Mean or pooled value; the other one, precision, brevity penalty, length ratio, sacreBLEU and chrF beside."""
    matches, length, wanted = (int(rows.column(name).sum()) for name in _COUNTS)
    values = {"sample": 100.0 * math.fsum(_each(rows)) / len(rows), "corpus": 100.0 * _bleu(matches, length, wanted)}
    other = "corpus" if parameters.pooling == "sample" else "sample"
    companions = {
        f"{other}_pooled": values[other],
        "precision": 100.0 * ngrams.ratio(matches, length),
        "brevity_penalty": ngrams.brevity_penalty(length, wanted),
        "length_ratio": ngrams.ratio(length, wanted),
        **beside.companions(rows),
    }
    return Score(values[parameters.pooling], companions=companions)


def _pooled(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    matches, length, wanted = totals.T
    penalty = np.exp(np.minimum(0.0, 1.0 - wanted / length))
    return np.where(length > 0, matches / length * penalty, 0.0) * 100.0


def interval(rows: Rows, parameters: Bleu1Parameters) -> Interval | None:
    """Bootstrap over samples."""
    if parameters.pooling == "sample":
        return bootstrap_mean(rows.keys, _each(rows), scale=100.0)
    counts = [rows.column(name) for name in _COUNTS]
    return bootstrap(rows.keys, np.column_stack(counts).astype(np.float64), _pooled)


METRIC = Metric(
    id="bleu_1",
    version=2,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=Bleu1Parameters,
    columns={name: Column("i8") for name in _COUNTS} | beside.COLUMNS,
    observe=observe,
    observe_many=observe_many,
    score=score,
    missing=missing,
    interval=interval,
    samples=lambda rows, _: 100.0 * _each(rows),
)
