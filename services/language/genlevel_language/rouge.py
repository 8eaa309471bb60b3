"""Precision, recall and F of ROUGE as three packages define them. They do not agree with one another.

rouge_score  lower-case ASCII words, optional Porter stemmer; one LCS over the whole text
rouge_py     package `rouge`: words between white space, case kept; sentences cut at "."; all counts are of distinct words: the union
             of one LCS for each pair of sentences over the distinct words of either side; F = 2PR / (P + R + 1e-8)
coco         pycocoevalcap: tokens between single spaces; beta = 1.2; the best P and the best R, of different references if need be
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.columns import Columns
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import lcs, ngrams
from genlevel_evaluator.statistics.ngrams_many import Integers, Samples
from genlevel_language import beside, segment, tokenizers
from genlevel_language.many import Batch

_COCO_BETA_SQUARED = 1.2**2
_ROUGE_PY_EPSILON = 1e-8
MAX_SENTENCE_PAIRS = 1 << 18
"""Most pairs of different sentences that rouge_py aligns."""


class Rouge(NamedTuple):
    """Precision, recall and F, as fractions."""

    precision: float
    recall: float
    f: float


MAX_CHARACTER_PAIRS = 1 << 28
"""Largest product of the lengths of output and references for which the F of characters stands beside."""
ZERO = Rouge(0.0, 0.0, 0.0)
COLUMNS = {**{name: Column("f8") for name in Rouge._fields}, "character_f": Column("f8", ragged=True), **beside.COLUMNS}
"""Columns of a ROUGE metric; `character_f` has a value where a reference is not Latin."""


def best(scores: Sequence[Rouge]) -> Rouge:
    """The one with the highest F; among equals the one with the highest precision."""
    return max(scores, key=lambda score: (score.f, score.precision))


def beside_row(prediction: str, references: Sequence[str], measure: Callable[[Sequence[str], Sequence[str]], Rouge]) -> Row:
    """The columns of what stands beside: F of characters in lower case where a reference is not Latin, and those of `beside`."""
    found = character_f(prediction, references, measure) if segment.not_latin(references) else []
    return {"character_f": found, **beside.observe(prediction, references)}


def character_f(prediction: str, references: Sequence[str], measure: Callable[[Sequence[str], Sequence[str]], Rouge]) -> list[float]:
    """F of characters in lower case, the best of the references; nothing where the texts are too long."""
    if len(prediction) * sum(map(len, references)) > MAX_CHARACTER_PAIRS:
        return []
    own = tokenizers.characters(prediction.lower())
    return [max(measure(own, tokenizers.characters(reference.lower())).f for reference in references)]


def columns(batch: Batch, measure: Callable[[Sequence[str], Sequence[str]], Rouge]) -> Columns:
    """The same of many samples."""
    found = [character_f(*sample, measure) if other_script else [] for sample, other_script in zip(batch.samples, batch.not_latin, strict=True)]
    others = beside.columns(batch)
    characters = np.array(list(chain.from_iterable(found)), dtype=np.float64)
    lengths = np.array(list(map(len, found)), dtype=np.int64)
    return Columns({"character_f": characters, **others.values}, {"character_f": lengths, **others.lengths})


def best_of(shared: Integers, pairs: Samples, sizes: Integers) -> dict[str, NDArray[np.float64]]:
    """Columns of `best` of `of_counts`: tokens that the two texts of each pair share, and texts of each sample, the output included."""
    predicted, expected = pairs.lengths[::2], pairs.lengths[1::2]
    precision, recall = shared / np.maximum(predicted, 1), shared / np.maximum(expected, 1)
    total = precision + recall
    f = 2.0 * precision * recall / np.where(total > 0, total, 1.0)
    chosen = slice(None)
    if len(shared) > len(sizes):
        order = np.lexsort((-precision, -f, np.repeat(np.arange(len(sizes)), sizes - 1)))  # stable: of equals the first
        chosen = order[np.cumsum(sizes - 1) - sizes + 1]
    return dict(zip(Rouge._fields, (values[chosen] for values in (precision, recall, f)), strict=True))


def companions(rows: Rows) -> dict[str, float]:
    """What stands beside, of a whole task."""
    found = {"length_ratio": beside.length_ratio(rows), **beside.companions(rows)}
    values = rows.values["character_f"]
    if len(values):
        found["character_f_not_latin"] = 100.0 * math.fsum(values.tolist()) / len(values)
    return found


def of_counts(shared: int, predicted: int, expected: int) -> Rouge:
    """From the number of shared tokens and the sizes of both sides."""
    precision, recall = ngrams.ratio(shared, predicted), ngrams.ratio(shared, expected)
    return Rouge(precision, recall, ngrams.f_measure(precision, recall))


def unigrams(prediction: Sequence[str], reference: Sequence[str]) -> Rouge:
    """ROUGE-1 as `rouge_score` defines it."""
    return of_counts(ngrams.overlap(prediction, reference), len(prediction), len(reference))


def subsequence(prediction: Sequence[str], reference: Sequence[str]) -> Rouge:
    """ROUGE-L as `rouge_score` defines it."""
    return of_counts(_lcs_length(prediction, reference), len(prediction), len(reference))


def _lcs_length(left: Sequence[str], right: Sequence[str]) -> int:
    try:
        return lcs.lcs_length(left, right)
    except ValueError as error:
        raise _too_long(str(error)) from None


def subsequences(pairs: Samples) -> Integers:
    """Length of the longest common subsequence of the two texts of each sample."""
    try:
        return lcs.lcs_lengths(pairs)
    except ValueError as error:
        raise _too_long(str(error)) from None


def _too_long(message: str) -> SampleError:
    return SampleError("TEXT_TOO_LONG", message, remedy="shorten the text")


def _sentences(text: str) -> list[tuple[str, ...]]:
    # A sentence of white space alone is one empty word, as "".split(" ") is. A repeated sentence adds nothing to a union.
    return list(dict.fromkeys(tuple(part.split()) or ("",) for part in text.split(".") if part))


def rouge_py(prediction: str, reference: str) -> Rouge:
    """ROUGE-L as package `rouge` defines it; 0 where either side has no sentence, which the package refuses.

    >>> rouge_py("The Cat.", "the cat").f
    0.0
    """
    predicted, expected = _sentences(prediction), _sentences(reference)
    if not predicted or not expected:
        return ZERO
    union = _union_of_subsequences(predicted, expected)
    recall = len(union) / len({word for sentence in expected for word in sentence})
    precision = len(union) / len({word for sentence in predicted for word in sentence})
    return Rouge(precision, recall, 2.0 * (precision * recall / (precision + recall + _ROUGE_PY_EPSILON)))


def _union_of_subsequences(predicted: Sequence[tuple[str, ...]], expected: Sequence[tuple[str, ...]]) -> set[str]:
    if len(predicted) * len(expected) > MAX_SENTENCE_PAIRS:
        raise _too_long(f"{len(predicted)} and {len(expected)} sentences are too many to align")
    union: set[str] = set()
    words = [frozenset(sentence) for sentence in predicted]
    try:
        for sentence in expected:
            for other, those in zip(predicted, words, strict=True):
                shared = those.intersection(sentence)
                if shared <= union:
                    continue  # an alignment finds shared words only
                if len(shared) == 1:
                    union |= shared
                else:
                    union.update([sentence[position] for position in lcs.lcs_positions(sentence, other)])
    except ValueError as error:
        raise _too_long(str(error)) from None
    return union


def coco(prediction: str, references: Sequence[str]) -> Rouge:
    """ROUGE-L as pycocoevalcap defines it.

    >>> coco("a b", ["a b c d", "b"])
    Rouge(precision=1.0, recall=1.0, f=1.0)
    """
    predicted = prediction.split(" ")
    precision = recall = 0.0
    for reference in references:
        expected = reference.split(" ")
        shared = _lcs_length(predicted, expected)
        precision, recall = max(precision, shared / len(predicted)), max(recall, shared / len(expected))
    if not precision or not recall:
        return Rouge(precision, recall, 0.0)
    weighted = (1.0 + _COCO_BETA_SQUARED) * precision * recall
    return Rouge(precision, recall, weighted / (recall + _COCO_BETA_SQUARED * precision))
