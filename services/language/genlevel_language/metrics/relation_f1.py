"""Relation F1: micro F1 over relation labels, the null relation left out.

    F1 = 100 * 2 TP / (2 TP + FP + FN)

A right "no relation" earns nothing, and one where there is a relation misses it. `null` lists the names of the null relation, separated
by commas. `extractor=label` takes the label out of free text (attribute `labels`).

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus
    Sample        prediction and references, labels, trimmed and lower case on both sides; of several references the one with the best
                  F1 counts, among equals the one with the fewest errors
    State         rows (tp, fp, fn), keyed by sample
    Undefined     neither side names a relation in any sample: no_reference
    Source        Zhang et al. (2017), TACRED; Zheng et al. (2021), MNRE
    Checked with  sklearn.metrics.f1_score(labels=all but null, average="micro")
    Differs from  a micro F1 with the null relation, which is 10 points and more higher. A missing prediction misses all relations, and
                  counts one error where there are none to miss

>>> observe(Sample("1", ("None",), (("none",),)), RelationF1Parameters())
{'tp': 0, 'fp': 0, 'fn': 0}
>>> observe(Sample("1", ("/per/org/member_of",), (("none",),)), RelationF1Parameters())
{'tp': 0, 'fp': 1, 'fn': 0}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import pooled
from genlevel_language.extract import EXTRACTORS


@dataclass(frozen=True)
class RelationF1Parameters(Parameters):
    """Parameters of relation F1."""

    null: str = "none,no_relation"
    extractor: Literal["none", "label"] = "none"


def _relations(labels: Iterable[str], parameters: RelationF1Parameters) -> frozenset[str]:
    null = {name.strip().lower() for name in parameters.null.split(",")}
    return frozenset(label.strip().lower() for label in labels) - null - {""}


def observe(sample: Sample, parameters: RelationF1Parameters) -> Row:
    """One sample."""
    extract = EXTRACTORS[parameters.extractor]
    found = (extract(label, sample.attributes) for label in sample.prediction if label.strip())
    predicted = _relations((label for label in found if label is not None), parameters)
    candidates = [pooled.compare(predicted, _relations(reference, parameters)) for reference in sample.references]
    return candidates[pooled.best(candidates)].row


def missing(sample: Sample, parameters: RelationF1Parameters) -> Row:
    """Every relation of the shortest reference is missed; where there is none, one error is counted."""
    return pooled.missing(len(_relations(reference, parameters)) for reference in sample.references).row


def score(rows: Rows, parameters: RelationF1Parameters) -> Score:
    """One F1 of all counts, with precision and recall."""
    del parameters
    return pooled.score(rows)


def interval(rows: Rows, parameters: RelationF1Parameters) -> Interval | None:
    """Bootstrap over samples of the pooled F1."""
    del parameters
    return pooled.interval(rows)


METRIC = Metric(
    id="relation_f1",
    version=1,
    input_kind="labels",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=RelationF1Parameters,
    columns=pooled.COLUMNS,
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=pooled.samples,
)
