"""ANLS: average normalised Levenshtein similarity of answers, those below one half counting nothing.

    NL = edit distance / length of the longer text,   similarity = 1 - NL where NL <= 0.5, else 0
    ANLS = 100 * mean over samples of the best similarity to a reference

Both sides: trimmed, lower case, inner white space as one space, NFC; lengths are counted in code points after that. Two empty texts
are equal.

    boundary=kept    a similarity of exactly one half counts, as in the Robust Reading Competition's program
    boundary=strict  it counts nothing, as in the formula of the ST-VQA paper and in package `anls`

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: mean over samples
    Sample        prediction and references, all text; the best reference counts
    State         rows (similarity, exact), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        Biten et al. (2019), ST-VQA; the competition's evaluation rule
    Checked with  package anls 0.0.2 (strict), a derivation of the competition's rule (kept)
    Differs from  lmms-eval, which divides by untrimmed lengths; package anls leaves composed and decomposed accents different
                  and counts lengths in upper case, where one letter may become two

>>> observe(Sample("1", "AB 12 CD", ("ab 12 ce",)), AnlsParameters())["similarity"]
0.875
>>> [observe(Sample("1", "abxy", ("abcd",)), AnlsParameters(boundary=rule))["similarity"] for rule in ("kept", "strict")]
[0.5, 0.0]
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import means

Integers = NDArray[np.int64]
MAX_TABLE = 1 << 36
"""Largest table of the edit distance, in cells: some seconds of work."""
_BETWEEN = "\0"


@dataclass(frozen=True)
class AnlsParameters(Parameters):
    """Parameters of ANLS. Similarities below 1 - `threshold` count nothing."""

    boundary: Literal["kept", "strict"] = "kept"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError("threshold lies between 0 and 1")


def _plain(text: str) -> str:
    folded = " ".join(text.lower().split())
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def _all_plain(texts: Sequence[str]) -> list[str]:
    """Plain forms of many texts."""
    joined = _BETWEEN.join(texts).lower()
    if joined.count(_BETWEEN) != len(texts) - 1 or not joined.isascii():
        return list(map(_plain, texts))
    return [" ".join(text.split()) for text in joined.split(_BETWEEN)]


def _distances(predictions: Sequence[str], references: Sequence[str], threshold: float) -> tuple[Integers, Integers]:
    """Edit distances of pairs in plain form, where they may count, and lengths of the longer texts."""
    left, right = (np.fromiter(map(len, texts), np.int64, len(texts)) for texts in (predictions, references))
    longer = np.maximum(left, right)
    for place in np.flatnonzero(left * right > MAX_TABLE).tolist():
        # They differ by their lengths at least: texts of very different lengths need no table.
        if predictions[place] != references[place] and abs(left[place] - right[place]) <= threshold * longer[place]:
            message = f"texts of {left[place]} and {right[place]} characters are too long to align"
            raise SampleError("TEXT_TOO_LONG", message, remedy="shorten the text", side="prediction")
    # Beyond the largest distance that counts the search may stop; it then gives a larger one than that.
    most = int(threshold * longer.max(initial=0)) + 1
    return cpdist(predictions, references, scorer=Levenshtein.distance, score_cutoff=most, dtype=np.int64), longer


def observe(sample: Sample, parameters: AnlsParameters) -> Row:
    """One sample."""
    return observe_many([sample], parameters)[0]


def observe_many(samples: Sequence[Sample], parameters: AnlsParameters) -> list[Row]:
    """Many samples: their pairs are compared in one call."""
    predictions = _all_plain([sample.prediction for sample in samples])
    references = _all_plain([reference for sample in samples for reference in sample.references])
    first: list[int] = []
    if len(references) > len(samples):
        sizes = [len(sample.references) for sample in samples]
        first = [0, *accumulate(sizes[:-1])]
        predictions = [text for text, size in zip(predictions, sizes, strict=True) for _ in range(size)]
    distances, longer = _distances(predictions, references, parameters.threshold)
    share = distances / np.maximum(longer, 1)
    counts = share <= parameters.threshold if parameters.boundary == "kept" else share < parameters.threshold
    similarity, exact = np.where(counts, 1.0 - share, 0.0), (distances == 0).astype(np.float64)
    if first:
        similarity, exact = np.maximum.reduceat(similarity, first), np.maximum.reduceat(exact, first)
    return [{"similarity": one, "exact": other} for one, other in zip(similarity.tolist(), exact.tolist(), strict=True)]


def missing(sample: Sample, parameters: AnlsParameters) -> Row:
    """A missing prediction is like nothing."""
    del sample, parameters
    return {"similarity": 0.0, "exact": 0.0}


def score(rows: Rows, parameters: AnlsParameters) -> Score:
    """Mean, with the share of equal texts beside."""
    del parameters
    return Score(means.percent(rows, "similarity"), companions={"exact": means.percent(rows, "exact")})


def interval(rows: Rows, parameters: AnlsParameters) -> Interval | None:
    """Bootstrap of the mean."""
    del parameters
    return means.percent_interval(rows, "similarity")


METRIC = Metric(
    id="anls",
    version=1,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=AnlsParameters,
    columns={"similarity": Column("f8"), "exact": Column("f8")},
    observe=observe,
    observe_many=observe_many,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("similarity"),
)
