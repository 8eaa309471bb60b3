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
from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import edit_distance
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import means

MAX_TABLE = 1 << 36
"""Largest table of the edit distance, in cells: some seconds of work."""


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


def similarity(prediction: str, reference: str, parameters: AnlsParameters) -> float:
    """Of two texts in plain form."""
    if prediction == reference:
        return 1.0 if parameters.threshold > 0.0 or parameters.boundary == "kept" else 0.0
    length = max(len(prediction), len(reference))
    # They differ by their lengths at least, and by every letter the other lacks: most wrong answers need no table.
    most = parameters.threshold * length
    if abs(len(prediction) - len(reference)) > most or len(set(prediction).difference(reference)) > most:
        return 0.0
    if len(prediction) * len(reference) > MAX_TABLE:
        message = f"texts of {len(prediction)} and {len(reference)} characters are too long to align"
        raise SampleError("TEXT_TOO_LONG", message, remedy="shorten the text", side="prediction")
    share = edit_distance.distance(reference, prediction) / length
    counts = share < parameters.threshold or (share == parameters.threshold and parameters.boundary == "kept")
    return 1.0 - share if counts else 0.0


def observe(sample: Sample, parameters: AnlsParameters) -> Row:
    """One sample."""
    prediction, references = _plain(sample.prediction), list(map(_plain, sample.references))
    best = max([similarity(prediction, reference, parameters) for reference in references])
    return {"similarity": best, "exact": float(prediction in references)}


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
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("similarity"),
)
