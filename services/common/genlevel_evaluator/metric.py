"""The metric contract: pure functions over a mergeable state.

    observe(sample, parameters)   -> row        one sample becomes one row of typed columns
    observe_many(samples, ...)    -> rows       the same for many at once, where that is faster
    states.combine(states)        -> state      the union of rows; the same for every metric
    score(rows, parameters)       -> Score      all rows, in key order, become a value or a reason

A metric is a module `genlevel_<evaluator>/metrics/<id>.py` with a constant `METRIC`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval

P = TypeVar("P", bound=Parameters)


class Presence(Enum):
    """Which sides of a sample are there."""

    BOTH = 1
    PREDICTION_ONLY = 2
    REFERENCE_ONLY = 3
    PREDICTION_MISSING = 4


@dataclass(frozen=True)
class Sample:
    """One decoded sample.

    Attributes:
        key: identifier, unique in the task.
        prediction: decoded prediction, None when missing.
        references: decoded accepted answers; empty when there is none.
        attributes: further facts from the bundle, as plain values.
        features: `(backbone name, side)` -> what the backbone gave for that side (`prediction`, or the first `reference`; see `Metric.sides`).
        answer: what the metric's `consult` was told about this sample.
    """

    key: str
    prediction: Any = None
    references: tuple[Any, ...] = ()
    presence: Presence = Presence.BOTH
    attributes: Mapping[str, Any] = field(default_factory=dict)
    features: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    answer: Any = None

    @property
    def reference(self) -> Any:
        """The first reference, or None."""
        return self.references[0] if self.references else None


def each_side(sample: Sample) -> Mapping[str, Any]:
    """What networks look at: the prediction and the first reference."""
    return {"prediction": sample.prediction, "reference": sample.reference}


@dataclass(frozen=True)
class Score:
    """What `score` returns.

    Attributes:
        value: in the unit of the metric; None when undefined. May be +inf, never NaN.
        reason: why there is no value: no_reference, no_valid_pixel, single_class, too_few_samples, degenerate_geometry.
        companions: values an expert looks for beside this one.
        warnings: machine-readable words such as `small_sample`.
    """

    value: float | None
    reason: str = ""
    companions: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric(Generic[P]):
    """A metric.

    Attributes:
        id: canonical identifier.
        version: rises when the value can change.
        input_kind: name of the input kind (docs/formats.md).
        unit: unit of the value; equal to the catalogue's.
        higher_is_better: direction.
        value_range: smallest and largest possible value.
        pooling: sample, corpus, class, sequence or set.
        parameters: dataclass of the parameters.
        columns: columns of the state.
        observe: see the module.
        observe_many: rows of samples with prediction and reference, equal to those of `observe`. Where it raises, each is observed alone. `Columns`
            are taken into the state as they are.
        score: see the module. Sees observed rows only, in key order; never called with no rows.
        missing: row of a sample whose prediction is missing, for metrics with a worst value. None: the coverage is lowered instead.
        backbones: names of the networks needed; their outputs are in `Sample.features`.
        companion_backbones: the same for networks of which only companions are made. They do not decide the value and are not
            in the signature; a sample they refuse is scored without them, with a warning.
        sides: values of a sample that the networks look at, by the name their features are found under; `prediction` is the
            prediction, all others belong to the reference. None is passed over.
        reads: sides whose decoded media the metric itself needs; of the others it sees the features only, for networks' metrics.
        interval: a range for the value.
        samples: one value a row in the unit and direction of the value, NaN where a sample alone has none; for lists of the
            worst samples and for holding two runs against each other. Where the value is the mean over samples, it is the mean of these.
        set_metric: `observe` takes samples with one side only.
        reference_free: an output alone, or what people said of it, is scored; there are no references, and none are read.
        settle: fills in the parameters that this evaluator's environment decides, such as the name of a judge model. They are
            part of the signature like any other.
        consult: asks a service outside about samples that have a prediction, several at a time; called before `observe`, which finds
            the answer in `Sample.answer`. A SampleError in place of an answer is the sample's issue, of the severity its `side` says.
        remarks: what a person should know of a sample that was observed and is scored all the same, as warnings.
    """

    id: str
    version: int
    input_kind: str
    unit: str
    higher_is_better: bool
    value_range: tuple[float, float]
    pooling: str
    parameters: type[P]
    columns: Mapping[str, Column]
    observe: Callable[[Sample, P], Row]
    score: Callable[[Rows, P], Score]
    missing: Callable[[Sample, P], Row] | None = None
    backbones: Callable[[P], tuple[str, ...]] = lambda _: ()
    companion_backbones: Callable[[P], tuple[str, ...]] = lambda _: ()
    sides: Callable[[Sample], Mapping[str, Any]] = each_side
    reads: tuple[str, ...] = ("prediction", "reference")
    interval: Callable[[Rows, P], Interval | None] | None = None
    samples: Callable[[Rows, P], NDArray[np.float64]] | None = None
    set_metric: bool = False
    reference_free: bool = False
    observe_many: Callable[[Sequence[Sample], P], Sequence[Row]] | None = None
    settle: Callable[[P], P] = lambda parameters: parameters
    consult: Callable[[Sequence[Sample], P, Callable[[], None]], Sequence[Any]] | None = None
    remarks: Callable[[Sample, Row, P], Sequence[SampleError]] | None = None

    def networks(self, parameters: P) -> tuple[str, ...]:
        """All networks that look at a sample."""
        return (*self.backbones(parameters), *self.companion_backbones(parameters))

    @property
    def summary(self) -> str:
        """First line of the metric module's docstring."""
        import sys

        text = sys.modules[self.observe.__module__].__doc__ or self.id
        return text.strip().splitlines()[0]
