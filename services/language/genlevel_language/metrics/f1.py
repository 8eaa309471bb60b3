"""F1 of single-label classification: the F1 of each class, averaged over classes.

    F1 of a class = 2 TP / (samples of the class + answers that name it)

    average=macro     plain mean over classes
    average=weighted  mean weighted with the samples of each class (the habit of the sarcasm data set)
    classes=reference the classes that occur in the references: a nonsense answer is an error of its sample, not a class of its own
    classes=union     those of the answers too, each with F1 0: scikit-learn's default. Only a macro mean differs

Classes are compared after NFKC, with outer space and punctuation off and case folded. Several annotations of one sample are votes, as in
macro_accuracy. An answer that names no class or several is wrong. `extractor` takes the class out of free text.

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       class
    Sample        prediction and references, labels
    State         rows (digest of the expected class, of the given one, whether one was given, name of the class), keyed by sample
    Undefined     no sample has a class: no_reference
    Source        metric-decisions, section 1
    Checked with  sklearn.metrics.f1_score(average=..., labels=..., zero_division=0)
    Differs from  scikit-learn's default set of classes, which `classes=union` gives

>>> row = observe(Sample("1", ("Sarcastic",), (("not sarcastic",),)), F1Parameters())
>>> row["answered"], row["given"] == row["expected"]
(1, False)
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

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class F1Parameters(Parameters):
    """Parameters of classification F1."""

    average: Literal["macro", "weighted"] = "macro"
    classes: Literal["reference", "union"] = "reference"
    extractor: Literal["none", "option_letter", "yes_no", "label"] = "none"


def observe(sample: Sample, parameters: F1Parameters) -> Row:
    """One sample."""
    return classes.observe(sample, parameters.extractor)


def missing(sample: Sample, parameters: F1Parameters) -> Row:
    """A missing prediction names no class."""
    return classes.missing(sample, parameters.extractor)


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _average(hits: Numbers, expected: Numbers, given: Numbers, parameters: F1Parameters) -> Numbers:
    each = _ratio(2.0 * hits, expected + given)
    if parameters.average == "weighted":
        return np.asarray(100.0 * (each * expected).sum(axis=-1) / expected.sum(axis=-1))
    # In a resampled set a class may have lost its samples: it then counts only where all classes of the answers do.
    present = expected + given > 0 if parameters.classes == "union" else expected > 0
    return np.asarray(100.0 * (each * present).sum(axis=-1) / present.sum(axis=-1))


def score(rows: Rows, parameters: F1Parameters) -> Score:
    """The average, with the class table beside."""
    counts = classes.table(rows, union=parameters.classes == "union")
    value = float(_average(counts.hits, counts.expected, counts.given, parameters))
    return Score(value, companions=classes.shares(rows, counts) | classes.listed(counts))


def interval(rows: Rows, parameters: F1Parameters) -> Interval | None:
    """Bootstrap over samples."""
    union = parameters.classes == "union"
    if not classes.small_enough(rows, classes.table(rows, union=union)):
        return None
    counts = classes.table(rows, union=union, each=True)
    contributions = np.hstack([counts.hits, counts.expected, counts.given])

    def values(totals: Numbers) -> Numbers:
        hits, expected, given = np.split(totals, 3, axis=1)
        return _average(hits, expected, given, parameters)

    return bootstrap(rows.keys, contributions, values)


METRIC = Metric(
    id="f1",
    version=1,
    input_kind="labels",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="class",
    parameters=F1Parameters,
    columns=classes.COLUMNS,
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=classes.samples,
)
