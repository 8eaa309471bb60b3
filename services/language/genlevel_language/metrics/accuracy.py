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
    State         rows (correct, unparsed, digest of the reference), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        metric-decisions, section 1
    Checked with  sklearn.metrics.accuracy_score on extracted labels
    Differs from  the public scorer, whose `substring` takes "1" in "12" as right and whose option rule answers A when in doubt;
                  here an answer that cannot be read is wrong and counted as unparsed

>>> one = Sample("1", "(B) is the answer", ("B",))
>>> observe(one, AccuracyParameters(extractor="option_letter"))["correct"]
1.0
>>> observe(Sample("1", "There are 12.", ("1",)), AccuracyParameters(match="substring"))["correct"]
1.0
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion
from genlevel_language import means, normalise
from genlevel_language.digests import digest
from genlevel_language.reading import Extractor, reading

_PARTS = re.compile(r"<p>|[,;，；、]")


@dataclass(frozen=True)
class AccuracyParameters(Parameters):
    """Parameters of accuracy."""

    match: Literal["exact", "casefold", "set", "public", "substring", "lowered_substring"] = "exact"
    extractor: Extractor = "none"


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


def _digest(text: str) -> int:
    return digest(normalise.answer(text))


def observe(sample: Sample, parameters: AccuracyParameters) -> Row:
    """One sample."""
    how = reading(parameters.extractor, sample.references, sample.attributes)
    answer = how.answer(sample.prediction, sample.attributes)
    matches = _MATCHES[parameters.match]
    correct = answer is not None and any(matches(answer, reference) for reference in how.references)
    return {"correct": float(correct), "unparsed": float(answer is None), "reference_digest": _digest(how.references[0])}


def missing(sample: Sample, parameters: AccuracyParameters) -> Row:
    """A missing prediction is wrong."""
    return {"correct": 0.0, "unparsed": 0.0, "reference_digest": _digest(_first(sample, parameters))}


def _first(sample: Sample, parameters: AccuracyParameters) -> str:
    return reading(parameters.extractor, sample.references, sample.attributes).references[0]


def score(rows: Rows, parameters: AccuracyParameters) -> Score:
    """Mean, with the share of answers that could not be read and the accuracy of always giving the most frequent reference."""
    del parameters
    most = Counter(rows.column("reference_digest").tolist()).most_common(1)[0][1]
    companions = {"unparsed": means.percent(rows, "unparsed"), "majority_baseline": 100.0 * most / len(rows)}
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
    columns={"correct": Column("f8"), "unparsed": Column("f8"), "reference_digest": Column("i8")},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("correct"),
)
