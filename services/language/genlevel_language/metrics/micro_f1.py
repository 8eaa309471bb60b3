"""Micro F1 of label sets: hits, surplus and missed labels summed over the task, one F1.

    F1 = 100 * 2 TP / (2 TP + FP + FN)

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus
    Sample        prediction and references, label sets: a list, or a text split at <p>; trimmed, lower case on both sides. Of
                  several references the one with the best F1 counts, among equals the one with the fewest errors.
                  split=items also splits a text without <p> at commas outside brackets and writes triples in one way, so that
                  "(A=>rel=>B), (C=>rel=>D)" is two; a list is never split further
                  extractor takes labels out of a prediction that is one text (genlevel_language.extract); where it finds none
                  the text itself is the label
    State         rows (tp, fp, fn, names of short labels for the class table), keyed by sample
    Undefined     neither side has any label in any sample: no_reference
    Source        metric-decisions, section 1
    Checked with  sklearn.metrics.f1_score(average="micro") on a multilabel indicator
    Differs from  the public scorer, which counts two empty sets as a hit (empty_pairs=hit), lowers the reference only
                  (lower=reference) and, in the tasks with lists, splits at every comma and space (split=public). A missing prediction misses all labels, and counts one error where there are none to miss

>>> row = observe(Sample("1", ("joy", "Fear"), (("joy", "trust"),)), MicroF1Parameters())
>>> row["tp"], row["fp"], row["fn"]
(1, 1, 1)

With exactly one label on each side it equals accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import class_table, pooled, tuples
from genlevel_language.decode import TextLabels
from genlevel_language.extract import EXTRACTORS


@dataclass(frozen=True)
class MicroF1Parameters(Parameters):
    """Parameters of micro F1."""

    empty_pairs: Literal["skip", "hit"] = "skip"
    lower: Literal["both", "reference"] = "both"
    split: Literal["p", "items", "public"] = "p"
    extractor: Literal["none", "option_letter", "option_letters", "label", "public_choice"] = "none"


def _labels(given: Sequence[str], lower: bool, split: str) -> frozenset[str]:
    if split != "p" and isinstance(given, TextLabels):
        given = [item for label in given for item in _SPLITTERS[split](label)]
    trimmed = (label.strip() for label in given)
    return frozenset(label.lower() if lower else label for label in trimmed if label)


_SPLITTERS: dict[str, Callable[[str], list[str]]] = {
    "items": lambda text: [tuples.canonical(item) for item in tuples.items(text)],
    "public": lambda text: text.split(", "),
}


def _counts(predicted: frozenset[str], expected: frozenset[str], parameters: MicroF1Parameters) -> pooled.Counts:
    if not predicted and not expected and parameters.empty_pairs == "hit":
        return pooled.Counts(1, 0, 0)
    return pooled.Counts(len(predicted & expected), len(predicted - expected), len(expected - predicted))


def _extracted(sample: Sample, extractor: str) -> Sequence[str]:
    """The predicted labels; with an extractor those that it finds in the prediction, where it is one text."""
    given: Sequence[str] = sample.prediction
    if extractor == "none" or not isinstance(given, TextLabels):
        return given
    found = EXTRACTORS[extractor](given[0], sample.attributes)
    return found.split(", ") if found and extractor == "option_letters" else [found or given[0]]


def observe(sample: Sample, parameters: MicroF1Parameters) -> Row:
    """One sample."""
    predicted = _labels(_extracted(sample, parameters.extractor), parameters.lower == "both", parameters.split)
    references = [_labels(reference, True, parameters.split) for reference in sample.references]
    candidates = [_counts(predicted, expected, parameters) for expected in references]
    best = pooled.best(candidates)
    return {**candidates[best].row, **_names(predicted, references[best])}


def _names(predicted: frozenset[str], expected: frozenset[str]) -> Row:
    return {"labels": class_table.cell(predicted & expected, expected - predicted, predicted - expected)}


def missing(sample: Sample, parameters: MicroF1Parameters) -> Row:
    """Every label of the shortest reference is missed; where there is none, one error is counted."""
    shortest = min((_labels(reference, True, parameters.split) for reference in sample.references), key=len)
    return {**pooled.missing([len(shortest)]).row, **_names(frozenset(), shortest)}


def score(rows: Rows, parameters: MicroF1Parameters) -> Score:
    """One F1 of all counts, with precision, recall, the share of samples whose sets are equal, and the classes."""
    del parameters
    found = pooled.score(rows)
    return replace(found, companions=class_table.companions(rows) | dict(found.companions))


def interval(rows: Rows, parameters: MicroF1Parameters) -> Interval | None:
    """Bootstrap over samples of the pooled F1."""
    del parameters
    return pooled.interval(rows)


METRIC = Metric(
    id="micro_f1",
    version=1,
    input_kind="labels",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=MicroF1Parameters,
    columns=pooled.COLUMNS | class_table.COLUMNS,
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=pooled.samples,
)
