"""Accuracy: share of samples whose answer equals a reference answer.

    accuracy = 100 * correct / samples

`extractor` takes the answer out of what the model wrote (genlevel_language.extract; `by_reference` chooses it for each sample by the
form of its references, genlevel_language.reading), the references are brought into the same form, and `match` compares:

    exact              NFKC, outer space and punctuation off, case folded, inner space as one space
    casefold           trimmed and case folded only
    set                as exact, of the parts between commas, semicolons or <p>, as sets (several labels in one answer)
    public             trimmed, case counts: the public scorer for text and audio
    substring          the reference occurs in the prediction, case counts unless the reference contains "yes" or "no" (even inside
                       "piano"), which lowers both: the public scorer of 14 video tasks
    lowered_substring  the reference occurs in the lowered prediction: the public scorer of environment sounds

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: the mean of 0 and 1 over samples
    Sample        prediction and references, all text; any of several references will do
    State         rows (correct, unparsed, digest of the reference, names of short labels for the class table), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        metric-decisions, section 1
    Checked with  sklearn.metrics.accuracy_score on extracted labels
    Differs from  the public scorer, whose `substring` takes "1" in "12" as right and whose option rule answers A when in doubt;
                  here an answer that cannot be read is wrong and counted as unparsed

>>> one = Sample("1", "(B) is the answer", ("B",))
>>> observe(one, AccuracyParameters(extractor="option_letter"))["correct"]
1
>>> observe(Sample("1", "There are 12.", ("1",)), AccuracyParameters(match="substring"))["correct"]
1
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.digests import digest
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion
from genlevel_language import class_table, means, normalise
from genlevel_language.reading import reading

_PARTS = re.compile(r"<p>|[,;，；、]")


@dataclass(frozen=True)
class AccuracyParameters(Parameters):
    """Parameters of accuracy."""

    match: Literal["exact", "casefold", "set", "public", "substring", "lowered_substring"] = "exact"
    extractor: Literal[
        "none", "by_reference", "option_letter", "option_letters", "public_option_letter", "public_choice", "public_before_tag",
        "yes_no", "integer", "single_number", "defect", "public_defect", "label", "final_answer",
    ] = "none"  # fmt: skip


def _as_set(prediction: str, reference: str) -> bool:
    left, right = ({normalise.answer(part) for part in _PARTS.split(text)} - {""} for text in (prediction, reference))
    return left == right


def _public_substring(prediction: str, reference: str) -> bool:
    if "yes" in reference.lower() or "no" in reference.lower():
        return reference.lower() in prediction.lower()
    return reference in prediction


_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda prediction, reference: normalise.answer(prediction) == normalise.answer(reference),
    "casefold": lambda prediction, reference: prediction.strip().casefold() == reference.strip().casefold(),
    "set": _as_set,
    "public": lambda prediction, reference: prediction.strip() == reference.strip(),
    "substring": _public_substring,
    "lowered_substring": lambda prediction, reference: reference in prediction.lower(),
}


def _row(expected: str, given: str | None, correct: bool) -> Row:
    if correct:
        labels = class_table.cell(hits=[expected])
    else:
        labels = class_table.cell(missed=[expected], surplus=[] if given is None else [given])
    return {"correct": int(correct), "unparsed": int(given is None), "reference_digest": digest(expected), "labels": labels}


def observe(sample: Sample, parameters: AccuracyParameters) -> Row:
    """One sample."""
    how = reading(parameters.extractor, sample.references, sample.attributes)
    answer = how.answer(sample.prediction, sample.attributes)
    matches = _MATCHES[parameters.match]
    correct = answer is not None and any(matches(answer, reference) for reference in how.references)
    return _row(normalise.answer(how.references[0]), None if answer is None else normalise.answer(answer), correct)


def missing(sample: Sample, parameters: AccuracyParameters) -> Row:
    """A missing prediction is wrong."""
    return {**_row(normalise.answer(_first(sample, parameters)), None, False), "unparsed": 0}


def _first(sample: Sample, parameters: AccuracyParameters) -> str:
    return reading(parameters.extractor, sample.references, sample.attributes).references[0]


def score(rows: Rows, parameters: AccuracyParameters) -> Score:
    """Mean, with the share of answers that could not be read, the accuracy of always giving the most frequent reference, and the classes."""
    del parameters
    most = int(np.unique(rows.column("reference_digest"), return_counts=True)[1].max())
    companions = class_table.companions(rows) | {"unparsed": means.percent(rows, "unparsed"), "majority_baseline": 100.0 * most / len(rows)}
    return Score(means.percent(rows, "correct"), companions=companions)


def interval(rows: Rows, parameters: AccuracyParameters) -> Interval | None:
    """Wilson below 30 samples, else bootstrap."""
    del parameters
    return proportion(rows.keys, rows.column("correct"))


METRIC = Metric(
    id="accuracy",
    version=2,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=AccuracyParameters,
    columns={"correct": Column("u1"), "unparsed": Column("u1"), "reference_digest": Column("i8"), **class_table.COLUMNS},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("correct"),
)
