"""What a run ends with: one outcome per task of the catalogue, and the levels. Plain data, for reports and the API.

Everything here turns into JSON with ``to_plain`` and back with ``from_plain``. JSON has no infinity, so an infinite value is written as
the string ``"inf"``.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


class TaskStatus(StrEnum):
    """How a task ended."""

    SCORED = "scored"
    """It has a value."""
    UNDEFINED = "undefined"
    """The metric is undefined on it; ``reason`` says why."""
    NOT_SUBMITTED = "not_submitted"
    """The bundle holds no usable predictions for it, or the run did not ask for it."""
    NOT_SCORABLE = "not_scorable"
    """Predictions were given, but no evaluator at hand computes its metric."""
    FAILED = "failed"
    """It could not be scored for a reason that is not the model's; the levels are provisional."""


class RunState(StrEnum):
    """Where a run stands; as in the contract."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PROVISIONAL = "provisional"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens unless someone resumes the run."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True)
class BackboneRecord:
    """A weights file a value depends on."""

    name: str
    sha256: str
    reference: bool


@dataclass(frozen=True)
class SignatureRecord:
    """How a value was made; values with different digests are not compared."""

    text: str
    digest: str
    metric: str
    metric_version: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    backbones: tuple[BackboneRecord, ...] = ()


@dataclass(frozen=True)
class IntervalRecord:
    """A range for a value."""

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True)
class SampleScore:
    """The value of one sample, in the unit of the metric."""

    sample_id: str
    value: float


@dataclass(frozen=True)
class ValueRecord:
    """A metric's value as the evaluator gave it, in the unit of the catalogue.

    ``value`` is None when undefined (then ``reason`` is set); it may be infinite, never NaN. ``comparable`` is False when a stand-in
    backbone took part: such a value never wins. ``worst`` are the samples with the worst values, the worst first.
    """

    value: float | None
    reason: str
    unit: str
    signature: SignatureRecord
    expected: int
    present: int
    excluded: int
    missing_scored_as_worst: bool
    interval: IntervalRecord | None = None
    companions: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    comparable: bool = True
    worst: tuple[SampleScore, ...] = ()


@dataclass(frozen=True)
class IssueRecord:
    """Why a sample was not scored as given. ``severity`` is warning, prediction, reference or infrastructure."""

    sample_id: str
    code: str
    severity: str
    message: str
    remedy: str = ""
    file: str = ""
    pointer: str = ""


@dataclass(frozen=True)
class TaskOutcome:
    """The result of one task.

    Attributes:
        normalised: score in [0, 100], coverage applied; None unless scored.
        win: whether the specialist was reached on raw values; never for values that are not comparable.
        provisional: some sample was left out for a reason that is not the model's.
        issues: the first issues (``ISSUES_KEPT``); ``issue_counts`` counts all of them by code.
        reason: why there is no score, or a remark; for a person.
    """

    task_id: str
    status: TaskStatus
    evaluator: str
    metric: str
    value: ValueRecord | None = None
    normalised: float | None = None
    sota_raw: float | None = None
    sota_normalised: float | None = None
    win: bool = False
    provisional: bool = False
    reason: str = ""
    issues: tuple[IssueRecord, ...] = ()
    issue_counts: Mapping[str, int] = field(default_factory=dict)
    samples: int = 0
    shards: int = 0
    shards_reused: int = 0
    seconds: float = 0.0


ISSUES_KEPT = 50
"""Issues kept in an outcome; the journal has them all."""


@dataclass(frozen=True)
class ModalityLevels:
    """Levels 2 to 4 of one modality, and what they rest on."""

    level_2: float
    level_3: float
    level_4: float
    scored: int
    wins: int
    tasks: int


@dataclass(frozen=True)
class LevelSet:
    """The levels of a run under one policy. ``status`` is complete, partial, provisional or not_comparable."""

    policy: str
    sota: str
    level_2: float
    level_3: float
    level_4: float
    level_5: float
    status: str
    modalities: Mapping[str, ModalityLevels] = field(default_factory=dict)
    language_average: float = 0.0
    """Winning language score over all language tasks, 0 to 100."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """Something wrong in a bundle. ``severity`` is error (it costs a score) or warning (it was mended or ignored)."""

    file: str
    pointer: str
    code: str
    message: str
    remedy: str
    severity: str = "error"
    task_id: str = ""
    sample_id: str = ""


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        tasks: one outcome per task of the catalogue, in its order; the ones that were not submitted too.
        levels: by policy, ``paper`` first.
        violations: what was wrong in the bundle (the first ``VIOLATIONS_KEPT``); ``violation_count`` counts all.
        evaluators: name to version of the evaluators that took part.
    """

    name: str
    model: str
    state: RunState
    bundle: str
    references: str | None
    created: str
    ended: str
    tasks: tuple[TaskOutcome, ...]
    levels: Mapping[str, LevelSet] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    violation_count: int = 0
    evaluators: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    genlevel_version: str = ""

    def outcome(self, task_id: str) -> TaskOutcome:
        """The outcome of a task. Raises KeyError."""
        found = next((task for task in self.tasks if task.task_id == task_id), None)
        if found is None:
            raise KeyError(task_id)
        return found

    def count(self, status: TaskStatus) -> int:
        """Tasks that ended so."""
        return sum(task.status is status for task in self.tasks)


VIOLATIONS_KEPT = 500
"""Violations kept in a result; `genlevel validate` prints them all."""


def to_plain(value: Any) -> Any:
    """Dataclasses as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def from_plain(cls: type[T], plain: Any) -> T:
    """The inverse of ``to_plain`` for the dataclasses of this module. Unknown keys are ignored, so newer journals can be read."""
    hints = typing.get_type_hints(cls)
    known = {item.name for item in dataclasses.fields(cls)}  # type: ignore[arg-type]
    return cls(**{name: _restore(hints[name], value) for name, value in plain.items() if name in known})


def _restore(declared: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        return _restore(next(item for item in arguments if item is not type(None)), value)
    if origin is tuple:
        return tuple(_restore(arguments[0], item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _restore(arguments[1], item) for key, item in value.items()}
    if dataclasses.is_dataclass(declared):
        return from_plain(typing.cast(type, declared), value)
    if isinstance(declared, type) and issubclass(declared, StrEnum | float):
        return declared(value)
    return value
