"""The engine: samples to state, states to state, state to value. Knows neither gRPC nor Ray."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genlevel_evaluator import parameters as metric_parameters
from genlevel_evaluator import signature as signatures
from genlevel_evaluator import states
from genlevel_evaluator.columns import Columns
from genlevel_evaluator.consult import consulted, whole
from genlevel_evaluator.details import Details, DetailSpec, detailed
from genlevel_evaluator.errors import Code, EvaluatorError, Issue, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.feature_batches import Entry
from genlevel_evaluator.feature_pipeline import Reader, decoded_chunks
from genlevel_evaluator.flags import EXCLUDED, EXPECTED, OBSERVED, PRESENT
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Metric, Presence, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.raw import RawSample as RawSample
from genlevel_evaluator.raw import file_of, naming_files
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval

log = logging.getLogger(__name__)

FLAGS = "_flags"


@dataclass(frozen=True)
class Value:
    """The value of a metric over a set of samples; mirrors MetricValue of the contract."""

    value: float | None
    reason: str
    unit: str
    signature: signatures.Signature
    expected: int
    present: int
    excluded: int
    missing_scored_as_worst: bool
    interval: Interval | None
    companions: Mapping[str, float]
    warnings: tuple[str, ...]
    details: Details | None = None


class Budget:
    """Time left for a call, and whether its caller is still there."""

    def __init__(self, milliseconds: int = 0) -> None:
        self._end = time.monotonic() + milliseconds / 1000 if milliseconds else math.inf
        self.cancelled = False

    def check(self) -> None:
        """Raises EvaluatorError when the caller left or the time is used up."""
        if self.cancelled:
            raise EvaluatorError(Code.CANCELLED, "CALLER_LEFT", "the caller cancelled the call")
        if time.monotonic() > self._end:
            raise EvaluatorError(
                Code.DEADLINE_EXCEEDED, "BUDGET_USED_UP", "budget_ms was used up before the shard was scored",
                "send smaller shards or a larger budget",
            )


@dataclass(frozen=True)
class Scorer:
    """One metric of one evaluator under fixed parameters."""

    evaluator: Evaluator
    metric: Metric[Any]
    parameters: Parameters

    @classmethod
    def of(cls, evaluator: Evaluator, metric_id: str, given: Mapping[str, Any] | None = None) -> Scorer:
        """The metric of that id under parameters given as plain values."""
        metric = evaluator.metric(metric_id)
        return cls(evaluator, metric, metric.settle(metric_parameters.parse(metric.parameters, given or {}, metric_id)))

    def signature(self) -> signatures.Signature:
        """How values of this scorer are made."""
        return signatures.of(self.evaluator, self.metric, self.parameters)

    @property
    def schema(self) -> dict[str, Column]:
        """Columns of the state, the engine's own included."""
        return {FLAGS: Column("u1"), **self.metric.columns}

    def observe(self, samples: Sequence[RawSample], budget: Budget | None = None) -> tuple[Rows, list[Issue]]:
        """Turns samples into a state, and says which were not scored as given."""
        budget = budget or Budget()
        _refuse_repeated_ids(samples)
        issues: list[Issue] = []
        gathered = states.Gathering(self.schema)
        with closing(decoded_chunks(self.evaluator, self.metric, self.parameters, samples, self._decode, issues, budget.check)) as decoded:
            for chunk in decoded:
                for part in self._observe_chunk(chunk, issues, budget):
                    gathered.add(part)
        return gathered.rows(), naming_files(issues, samples)

    def _observe_chunk(self, decoded: list[Entry], issues: list[Issue], budget: Budget) -> Iterator[Rows]:
        with_features = consulted(self.metric, self.parameters, decoded, budget.check)
        places, found = self._observe_together(with_features)
        if isinstance(found, Columns) and not self.metric.remarks:
            marks = np.array([with_features[place][1] | OBSERVED for place in places], dtype=np.uint8)
            yield found.keyed(self.schema, [with_features[place][0].key for place in places], {FLAGS: marks})
            taken = set(places)
            with_features, together = [entry for place, entry in enumerate(with_features) if place not in taken], {}
        else:
            together = dict(zip(places, found, strict=True))
        rows: list[tuple[str, Row | None]] = []
        for place, (sample, flags) in enumerate(with_features):
            if place in together:
                rows.append((sample.key, {FLAGS: flags | OBSERVED, **together[place]}))
                self._remark(sample, together[place], issues)
                continue
            budget.check()
            rows.append((sample.key, self._observe_one(sample, flags, issues)))
        if rows:
            yield states.build(self.schema, rows)

    def _observe_together(self, samples: Sequence[tuple[Sample, int]]) -> tuple[list[int], Sequence[Row]]:
        """Places and rows of the samples that have all their sides, where the metric takes many at once.

        Nothing where it refuses: each is then observed alone, so that the issue names its sample.
        """
        if self.metric.observe_many is None or not (places := whole(samples)):
            return [], []
        try:
            found = self.metric.observe_many([samples[place][0] for place in places], self.parameters)
            if len(found) != len(places):
                raise ValueError(f"{len(found)} rows of {len(places)} samples")
            return places, found
        except Exception:
            log.debug("%s observes the samples of a chunk one by one", self.metric.id, exc_info=True)
            return [], []

    def _decode(self, raw: RawSample, issues: list[Issue], kind: Reader) -> Entry:
        """The decoded sample and its flags."""
        raw = _without_references(raw, issues) if self.metric.reference_free else raw
        faults = {fault.side: fault for fault in raw.faults}
        references: list[Any] = []
        flags = _expected(raw, self.metric)
        for content in raw.references:
            value = _attempt(raw, "reference", faults, issues, kind, content)
            if value is None:
                flags |= EXCLUDED
            references.append(value)
        if faults.get("reference") and not raw.references:
            issues.append(_issue(raw.id, faults["reference"], "reference"))
            flags |= EXCLUDED
        prediction = None
        if raw.prediction is not None or "prediction" in faults:
            given = raw.prediction or Content()  # an unreadable side has a fault instead, raised before it is read
            prediction = _attempt(raw, "prediction", faults, issues, kind, given)
        flags |= PRESENT if prediction is not None else 0
        return Sample(raw.id, prediction, tuple(references), raw.presence, dict(raw.attributes)), flags

    def _observe_one(self, sample: Sample, flags: int, issues: list[Issue]) -> Row | None:
        needed = not self.metric.set_metric and not self.metric.reference_free
        if needed and not sample.references and not flags & EXCLUDED:
            issues.append(Issue(sample.key, "NO_REFERENCE", "reference", "the sample has no reference", "add one, or leave the sample out"))
            flags |= EXCLUDED
        if flags & EXCLUDED:
            return self._row(EXCLUDED, None)
        try:
            flags, row = self._row_of(sample, flags, issues)
        except SampleError as error:  # the reference cannot be used, or who was consulted gave no answer, whatever the prediction
            issues.append(_issue(sample.key, error, "infrastructure" if error.side == "infrastructure" else "reference"))
            return self._row(EXCLUDED, None)
        except MemoryError:
            raise EvaluatorError(Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", f"sample {sample.key}: out of memory", "send smaller shards") from None
        except Exception as error:  # a fault of ours: reported, never scored
            log.exception("observe of %s failed on sample %s", self.metric.id, sample.key)
            issues.append(Issue(sample.key, "EVALUATOR_FAULT", "infrastructure", f"{type(error).__name__} in {self.metric.id}", "report this sample"))
            return self._row(EXCLUDED, None)
        return self._row(flags | (OBSERVED if row is not None else 0), row)

    def _row_of(self, sample: Sample, flags: int, issues: list[Issue]) -> tuple[int, Row | None]:
        """The row of a sample; a prediction the metric refuses is scored as missing."""
        try:
            if isinstance(sample.answer, SampleError):
                raise sample.answer
            return flags, self._observed(sample, flags, issues)
        except SampleError as error:
            if error.side in ("reference", "infrastructure"):
                raise
            issues.append(_issue(sample.key, error, "prediction"))
            return flags & ~PRESENT, self._missing(sample)

    def _observed(self, sample: Sample, flags: int, issues: list[Issue]) -> Row | None:
        if not flags & PRESENT and not (self.metric.set_metric and sample.references):
            return self._missing(sample)
        row = self.metric.observe(sample, self.parameters)
        self._remark(sample, row, issues)
        return row

    def _remark(self, sample: Sample, row: Row, issues: list[Issue]) -> None:
        remarks = self.metric.remarks(sample, row, self.parameters) if self.metric.remarks else ()
        issues += [_issue(sample.key, remark, "warning") for remark in remarks]

    def _missing(self, sample: Sample) -> Row | None:
        if self.metric.set_metric:
            bare = Sample(sample.key, None, sample.references, sample.presence, sample.attributes, sample.features)
            return self.metric.observe(bare, self.parameters) if sample.references else None
        return self.metric.missing(sample, self.parameters) if self.metric.missing else None

    def _row(self, flags: int, row: Row | None) -> Row:
        if row is None:
            row = {name: np.zeros((0, *c.shape) if c.ragged else c.shape) for name, c in self.metric.columns.items()}
        return {FLAGS: flags, **row}

    def finalize(self, rows: Rows, asked: DetailSpec | None = None) -> Value:
        """Turns the state of all samples into a value or a reason, with the details that are asked for."""
        flags = rows.column(FLAGS)
        observed = rows.take((flags & OBSERVED) > 0) if len(rows) else rows
        score, interval = Score(None, "no_reference"), None
        if len(observed):
            score = self.metric.score(observed, self.parameters)
            if score.value is not None and self.metric.interval:
                interval = self.metric.interval(observed, self.parameters)
        if score.value is not None and math.isnan(score.value):
            raise EvaluatorError(Code.INTERNAL, "NAN", f"{self.metric.id} gave NaN", "report this task")
        details, left_out = detailed(self.metric, self.parameters, observed, interval, asked) if asked else (None, ())
        return Value(
            None if score.value is None else float(score.value), score.reason, self.metric.unit, self.signature(),
            int(np.sum((flags & EXPECTED) > 0)), int(np.sum((flags & EXPECTED > 0) & (flags & PRESENT > 0))),
            int(np.sum((flags & EXCLUDED) > 0)), self.metric.missing is not None, interval,
            {name: float(value) for name, value in score.companions.items()}, (*score.warnings, *left_out), details,
        )


def _attempt(
    raw: RawSample, side: str, faults: Mapping[str | None, SampleError], issues: list[Issue], kind: Reader, content: Content
) -> Any:
    """That side as its kind reads it; None with an issue noted when it cannot be read."""
    try:
        if side in faults:
            raise faults[side]
        return kind.read(content, side, raw.attributes)
    except SampleError as error:
        issues.append(_issue(raw.id, error, side, "" if side in faults else file_of(content)))
    except MemoryError:
        raise EvaluatorError(Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", f"sample {raw.id}: out of memory", "send smaller media") from None
    except Exception as error:  # a decoder met bytes it did not foresee: the file is at fault, and we say which
        log.exception("decoding %s of sample %s failed", side, raw.id)
        unreadable = SampleError("UNREADABLE", f"the {side} cannot be read ({type(error).__name__})", remedy="check the file")
        issues.append(_issue(raw.id, unreadable, side, file_of(content)))
    return None


def _issue(key: str, error: SampleError, side: str, file: str = "") -> Issue:
    return Issue(key, error.code, side, error.message, error.remedy, file, error.pointer)


def _without_references(raw: RawSample, issues: list[Issue]) -> RawSample:
    """The sample of a metric that holds nothing against it."""
    if raw.references or any(fault.side == "reference" for fault in raw.faults):
        issues.append(Issue(raw.id, "REFERENCE_NOT_READ", "warning", "this metric has no reference; the one given was not read", "leave it out"))
    return replace(raw, references=(), faults=tuple(fault for fault in raw.faults if fault.side != "reference"))


def _expected(raw: RawSample, metric: Metric[Any]) -> int:
    if raw.presence is Presence.REFERENCE_ONLY:
        return 0
    if raw.presence is Presence.PREDICTION_ONLY and not metric.set_metric and not metric.reference_free:
        return 0
    return EXPECTED


def _refuse_repeated_ids(samples: Sequence[RawSample]) -> None:
    seen: set[str] = set()
    for sample in samples:
        if not sample.id:
            raise EvaluatorError(Code.INVALID_ARGUMENT, "NO_SAMPLE_ID", "a sample has no id", "give every sample an id")
        if sample.id in seen:
            raise EvaluatorError(
                Code.INVALID_ARGUMENT, "REPEATED_SAMPLE", f"sample {sample.id!r} occurs twice in the shard", "give each sample its own id"
            )
        seen.add(sample.id)
