"""Macro accuracy: mean over the classes of the references of the share of their samples that are answered right.

    macro accuracy = 100 / C * sum over classes of (right answers of the class / samples of the class)

Classes are compared after NFKC, with outer space and punctuation off and case folded. Several annotations of one sample (a list, or
`references`) are votes: the class with most of them counts, and a sample whose two first classes tie is left out with an issue.
An answer that names no class or several is wrong. `extractor` takes the class out of free text (genlevel_language.extract).

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       class
    Sample        prediction and references, labels
    State         rows (digest of the expected class, of the given one, whether one was given, name of the class), keyed by sample
    Undefined     no sample has a class: no_reference
    Source        Sadhu et al. (2021), VidSitu: event relations are scored against the majority of the annotations
    Checked with  sklearn.metrics.balanced_accuracy_score
    Differs from  balanced_accuracy_score in nothing; classes that only occur in predictions do not enter the mean there either

>>> row = observe(Sample("1", ("Enables.",), (("enables", "causes", "enables"),)), MacroAccuracyParameters())
>>> row["given"] == row["expected"], row["answered"]
(True, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_language import classes


@dataclass(frozen=True)
class MacroAccuracyParameters(Parameters):
    """Parameters of macro accuracy."""

    extractor: Literal["none", "option_letter", "yes_no", "label"] = "none"


def observe(sample: Sample, parameters: MacroAccuracyParameters) -> Row:
    """One sample."""
    return classes.observe(sample, parameters.extractor)


def missing(sample: Sample, parameters: MacroAccuracyParameters) -> Row:
    """A missing prediction is wrong."""
    return classes.missing(sample, parameters.extractor)


def _mean_recall(hits: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    recall = np.divide(hits, expected, out=np.zeros_like(hits), where=expected > 0)
    return np.asarray(100.0 * recall.sum(axis=-1) / np.sum(expected > 0, axis=-1))


def score(rows: Rows, parameters: MacroAccuracyParameters) -> Score:
    """Mean of the recalls, with the class table beside."""
    del parameters
    counts = classes.table(rows)
    return Score(float(_mean_recall(counts.hits, counts.expected)), companions=classes.shares(rows, counts) | classes.listed(counts))


def interval(rows: Rows, parameters: MacroAccuracyParameters) -> Interval | None:
    """Bootstrap over samples."""
    del parameters
    if not classes.small_enough(rows, classes.table(rows)):
        return None
    counts = classes.table(rows, each=True)
    size = len(counts.names)
    return bootstrap(rows.keys, np.hstack([counts.hits, counts.expected]), lambda t: _mean_recall(t[:, :size], t[:, size:]))


METRIC = Metric(
    id="macro_accuracy",
    version=1,
    input_kind="labels",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="class",
    parameters=MacroAccuracyParameters,
    columns=classes.COLUMNS,
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=classes.samples,
)
