"""Exact match of the first answer (EM@1): share of questions whose first answer equals a reference string.

    EM@1 = 100 * correct / samples

Both sides: lower case, trimmed, inner space as one space, one final full stop off. Articles stay and numbers are not
rewritten, so "two" is not "2".

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: the mean of 0 and 1 over samples
    Sample        prediction: an answer, or a ranked list of which the first counts; references: text, any of them will do
    State         rows (correct), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        SQA3D, and the ScanQA protocol after it
    Checked with  a derivation (tests/language/test_exact_match_1.py)
    Differs from  "EM-R" of later 3D language models, which accepts containment and lies 2 to 4 points higher

>>> observe(Sample("1", "On the left.", ("on the left",)), ExactMatchParameters())
{'correct': 1.0}
>>> observe(Sample("1", "the table on the left", ("on the left",)), ExactMatchParameters())
{'correct': 0.0}
"""

from __future__ import annotations

from dataclasses import dataclass

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion
from genlevel_language import means, normalise


@dataclass(frozen=True)
class ExactMatchParameters(Parameters):
    """EM@1 has no parameters."""


def observe(sample: Sample, parameters: ExactMatchParameters) -> Row:
    """One sample."""
    del parameters
    answers: tuple[str, ...] = sample.prediction if isinstance(sample.prediction, tuple) else (sample.prediction,)
    accepted = {normalise.first_answer(reference) for reference in sample.references}
    return {"correct": float(bool(answers) and normalise.first_answer(answers[0]) in accepted)}


def missing(sample: Sample, parameters: ExactMatchParameters) -> Row:
    """A missing prediction is wrong."""
    del sample, parameters
    return {"correct": 0.0}


def score(rows: Rows, parameters: ExactMatchParameters) -> Score:
    """Mean over samples."""
    del parameters
    return Score(means.percent(rows, "correct"))


def interval(rows: Rows, parameters: ExactMatchParameters) -> Interval | None:
    """Wilson below 30 samples, else bootstrap."""
    del parameters
    return proportion(rows.keys, rows.column("correct"))


METRIC = Metric(
    id="exact_match_1",
    version=1,
    input_kind="answers",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=ExactMatchParameters,
    columns={"correct": Column("f8")},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("correct"),
)
