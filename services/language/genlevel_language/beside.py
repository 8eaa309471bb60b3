"""What stands beside BLEU and its like: sacreBLEU's corpus BLEU of the same texts, and chrF where they are not Latin.

    sacrebleu       nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0
    chrf_not_latin  nrefs:var|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0; over the samples with a letter of another script in a
                    reference, the best reference of each

Both equal sacrebleu 2 to the last digits; an empty reference is taken as one, while sacrebleu drops it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import add
from typing import NamedTuple

import numpy as np

from genlevel_evaluator.columns import Columns
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams, ngrams_bleu, ngrams_many
from genlevel_evaluator.statistics.ngrams_many import Counts
from genlevel_language import segment, translation_words
from genlevel_language.many import Batch

COLUMNS = {"sacre": Column("i8", (10,)), "chrf": Column("i8", (18,), ragged=True)}
"""Matches and totals of orders 1 to 4 and both lengths; where chrF counts, n-grams of output, reference and both for each of 6 orders."""

HOW = ("13a", False, "none")
"""Tokenizer, lower case and normalisation of sacreBLEU's default."""
_ORDERS = 6
_BETA_SQUARED = 4.0


class Known(NamedTuple):
    """Tokens of output and references, and their counts of orders 1 to 4."""

    tokens: tuple[list[str], list[list[str]]]
    counts: ngrams_bleu.BleuCounts


def observe(prediction: str, references: Sequence[str], known: Known | None = None) -> Row:
    """The columns of one sample; `known` are tokens that were counted already, which may be the same."""
    cut = translation_words.words_13a
    own, others = cut(prediction), [cut(reference) for reference in references]
    counts = known.counts if known is not None and (own, others) == known.tokens else ngrams_bleu.counts(own, others)
    return {
        "sacre": (*counts.matches, *counts.totals, counts.hypothesis_length, counts.reference_length),
        "chrf": [_chrf_counts(prediction, references)] if segment.not_latin(references) else [],
    }


def columns(batch: Batch, known: Counts | None = None) -> Columns:
    """The same of many samples; `known` are counts of 13a's words of orders 1 to 4."""
    counted = known if known is not None else ngrams_many.counts(batch.cut("13a"))
    chosen = [_chrf_counts(*sample) for sample, other_script in zip(batch.samples, batch.not_latin, strict=True) if other_script]
    chrf_counts = np.array(chosen, dtype=np.int64).reshape(-1, 3 * _ORDERS)
    return Columns({"sacre": np.hstack(counted), "chrf": chrf_counts}, {"chrf": np.array(batch.not_latin, dtype=np.int64)})


def companions(rows: Rows) -> dict[str, float]:
    """sacreBLEU of all samples; chrF of those whose references are not Latin, if there are any."""
    totals = rows.column("sacre").sum(axis=0).tolist()
    found = {"sacrebleu": smoothed(totals[:4], totals[4:8], totals[8], totals[9])}
    chosen = rows.values["chrf"]
    if len(chosen):
        found["chrf_not_latin"] = chrf(chosen.sum(axis=0).tolist())
    return found


def length_ratio(rows: Rows) -> float:
    """Words of all outputs to words of the references nearest in length, as sacreBLEU counts them."""
    length, wanted = rows.column("sacre")[:, 8:].sum(axis=0).tolist()
    return ngrams.ratio(length, wanted)


def smoothed(matches: Sequence[int], totals: Sequence[int], hypothesis_length: int, reference_length: int) -> float:
    """BLEU in percent with sacreBLEU's default smoothing: the k-th order without a match counts as 1 / 2^k matches."""
    if not any(matches):
        return 0.0
    logarithms, factor = [], 1.0
    for match, total in zip(matches, totals, strict=True):
        if not total:
            return 0.0  # an order that no output is long enough for: without effective order there is no score
        factor *= 1.0 if match else 2.0
        logarithms.append(math.log(match / total if match else 1.0 / (factor * total)))
    return 100.0 * math.exp(math.fsum(logarithms) / len(logarithms)) * ngrams.brevity_penalty(hypothesis_length, reference_length)


def _chrf_counts(prediction: str, references: Sequence[str]) -> list[int]:
    """Counts against the reference with the best chrF, the first of equals."""
    own = "".join(prediction.split())
    each = [_against(own, "".join(reference.split())) for reference in references]
    return max(each, key=chrf) if len(each) > 1 else each[0]


def _against(text: str, reference: str) -> list[int]:
    counts: list[int] = []
    own, other = list(text), list(reference)
    for order in range(1, _ORDERS + 1):
        # Without n-grams in the reference those of the output are not held against it.
        counts += [len(own) if other else 0, len(other), ngrams.overlap(own, other)]
        own, other = list(map(add, own, text[order:])), list(map(add, other, reference[order:]))
    return counts


def chrf(counts: Sequence[int]) -> float:
    """chrF2 in percent, from the counts of `observe` or their sums."""
    precision = recall = 0.0
    orders = 0
    for place in range(0, len(counts), 3):
        own, other, both = counts[place : place + 3]
        if own and other:
            precision, recall, orders = precision + both / own, recall + both / other, orders + 1
    if not precision or not recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100.0 * (1.0 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall)
