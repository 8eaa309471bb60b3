"""BLEU-4: geometric mean of the clipped precisions of 1- to 4-grams times brevity penalty, of the whole task.

    BLEU-4 = 100 * BP * (p1 p2 p3 p4)^(1/4),   BP = 1 if c >= r else exp(1 - r / c)

p_n is the share of the outputs' n-grams found in their references, each at most as often as in the reference that has most of it; c is
the number of words of all outputs, r the sum of the reference lengths nearest to each. Not smoothed: an order without a match gives 0.

    tokenizer=ptb         Penn Treebank words in lower case without punctuation, as pycocoevalcap prepares captions and answers
    tokenizer=whitespace  words already cut; the others and `normalisation` as in bleu_1; `lowercase` for all

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus
    Sample        prediction and references, all text; the references clip together
    State         rows (matches and n-grams of each order, lengths, the counts of sacreBLEU and chrF), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        Papineni et al. (2002)
    Checked with  pycocoevalcap.bleu.bleu.Bleu(4), sacrebleu BLEU(smooth_method="none"), nltk corpus_bleu
    Differs from  pycocoevalcap, which adds 1e-15 and 1e-9 and so never gives 0; sacreBLEU's default (tokenizer 13a, exponential
                  smoothing), which gives several times more on short answers and stands beside as `sacrebleu`

>>> row = observe(Sample("1", "A cat sat on the mat.", ("a cat sat on a mat",)), Bleu4Parameters())
>>> row["matches"], row["totals"]
((5, 3, 2, 1), (6, 5, 4, 3))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.columns import Columns
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams, ngrams_bleu, ngrams_many
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_language import beside, tokenizers
from genlevel_language.many import Batch

_ORDERS = 4


@dataclass(frozen=True)
class Bleu4Parameters(Parameters):
    """Parameters of BLEU-4."""

    tokenizer: tokenizers.Tokenizer = "ptb"
    lowercase: bool = False
    normalisation: tokenizers.Normalisation = "none"


def _row(prediction: str, references: Sequence[str], parameters: Bleu4Parameters) -> Row:
    how = (parameters.tokenizer, parameters.lowercase, parameters.normalisation)
    hypothesis, *tokens = [tokenizers.cut(text, *how) for text in (prediction, *references)]
    counts = ngrams_bleu.counts(hypothesis, tokens, _ORDERS)
    lengths = (counts.hypothesis_length, counts.reference_length)
    known = beside.Known((hypothesis, tokens), counts)
    return {"matches": counts.matches, "totals": counts.totals, "lengths": lengths, **beside.observe(prediction, references, known)}


def observe(sample: Sample, parameters: Bleu4Parameters) -> Row:
    """One sample."""
    return _row(sample.prediction, sample.references, parameters)


def observe_many(samples: Sequence[Sample], parameters: Bleu4Parameters) -> Columns:
    """Many samples at once."""
    how = (parameters.tokenizer, parameters.lowercase, parameters.normalisation)
    batch = Batch.of(samples)
    counts = ngrams_many.counts(batch.cut(*how), _ORDERS)
    others = beside.columns(batch, counts if how == beside.HOW else None)
    return Columns({**counts._asdict(), **others.values}, others.lengths)


def missing(sample: Sample, parameters: Bleu4Parameters) -> Row:
    """A missing prediction is an empty one: no matches, and its reference length still counts."""
    return _row("", sample.references, parameters)


def score(rows: Rows, parameters: Bleu4Parameters) -> Score:
    """The pooled value; BLEU-1 to 3, brevity penalty, length ratio, sacreBLEU and chrF beside."""
    del parameters
    matches, totals, (length, wanted) = (rows.column(name).sum(axis=0).tolist() for name in ("matches", "totals", "lengths"))
    values = [100.0 * ngrams_bleu.value(matches[:order], totals[:order], length, wanted) for order in range(1, _ORDERS + 1)]
    companions = {f"bleu_{order}": value for order, value in enumerate(values[:-1], 1)}
    companions |= {
        "brevity_penalty": ngrams.brevity_penalty(length, wanted),
        "length_ratio": ngrams.ratio(length, wanted),
        **beside.companions(rows),
    }
    return Score(values[-1], companions=companions)


def interval(rows: Rows, parameters: Bleu4Parameters) -> Interval | None:
    """Bootstrap over samples of the pooled value."""
    del parameters
    counts = np.hstack([rows.column(name) for name in ("matches", "totals", "lengths")]).astype(np.float64)
    return bootstrap(rows.keys, counts, lambda total: 100.0 * ngrams_bleu.values(total[:, :4], total[:, 4:8], total[:, 8:]))


def samples(rows: Rows, parameters: Bleu4Parameters) -> NDArray[np.float64]:
    """BLEU of each text alone, with one match added to every order but the first: most texts have no n-gram of four words right."""
    del parameters
    matches, totals = (rows.column(name) + np.minimum(np.arange(_ORDERS), 1.0) for name in ("matches", "totals"))
    return 100.0 * ngrams_bleu.values(matches, totals, rows.column("lengths").astype(np.float64))


METRIC = Metric(
    id="bleu_4",
    version=2,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=Bleu4Parameters,
    columns={
        "matches": Column("i8", (_ORDERS,)),
        "totals": Column("i8", (_ORDERS,)),
        "lengths": Column("i8", (2,)),
        **beside.COLUMNS,
    },
    observe=observe,
    observe_many=observe_many,
    score=score,
    missing=missing,
    interval=interval,
    samples=samples,
)
