"""Plain records to messages of the contract."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf import timestamp_pb2

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import orchestrator_pb2 as pb
from genlevel_orchestrator.api.backend import EventView, RunView
from genlevel_orchestrator.runs.results import (
    IssueRecord,
    LevelSet,
    RunState,
    SignatureRecord,
    TaskOutcome,
    ValueRecord,
    Violation,
)

_SEVERITIES = {
    "warning": ev.SEVERITY_WARNING,
    "prediction": ev.SEVERITY_PREDICTION,
    "reference": ev.SEVERITY_REFERENCE,
    "infrastructure": ev.SEVERITY_INFRASTRUCTURE,
    "error": ev.SEVERITY_PREDICTION,
}


def encode_run(run: RunView) -> pb.Run:
    """Return the message of a run."""
    message = pb.Run(
        name=run.name, model=run.model, state=encode_state(run.state), tasks_total=run.tasks_total, tasks_done=run.tasks_done,
        shards_total=run.shards_total, shards_done=run.shards_done, shards_reused=run.shards_reused, message=run.message,
    )  # fmt: skip
    if run.created:
        message.create_time.CopyFrom(encode_time(run.created))
    if run.ended:
        message.end_time.CopyFrom(encode_time(run.ended))
    if run.levels is not None:
        message.levels.CopyFrom(encode_levels(run.levels))
    return message


def encode_state(state: RunState) -> pb.RunState.ValueType:
    """Return the enumeration value of a state."""
    return pb.RunState.Value(f"RUN_STATE_{state.name}")


def encode_time(text: str) -> timestamp_pb2.Timestamp:
    """Return the timestamp of an ISO 8601 time; one without a zone is UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def encode_levels(levels: LevelSet) -> pb.Levels:
    """Return the message of levels."""
    return pb.Levels(
        level_2=levels.level_2, level_3=levels.level_3, level_4=levels.level_4, level_5=levels.level_5,
        status=levels.status, policy=levels.policy,
    )  # fmt: skip


def encode_event(event: EventView) -> pb.WatchRunResponse:
    """Return the message of an event."""
    return pb.WatchRunResponse(
        resume_token=event.token, event_time=encode_time(event.time), kind=event.kind, run=encode_run(event.run),
        task_id=event.task_id, message=event.message,
    )  # fmt: skip


def encode_outcome(outcome: TaskOutcome) -> pb.TaskResult:
    """Return the message of a task's result."""
    message = pb.TaskResult(
        task_id=outcome.task_id, status=str(outcome.status), evaluator=outcome.evaluator, metric=outcome.metric,
        normalised=outcome.normalised or 0.0, win=outcome.win, reason=outcome.reason,
        issues=[encode_issue(issue) for issue in outcome.issues],
    )  # fmt: skip
    if outcome.value is not None:
        message.value.CopyFrom(encode_value(outcome.value))
    return message


def encode_value(value: ValueRecord) -> ev.MetricValue:
    """Return the message of a value."""
    message = ev.MetricValue(
        reason=value.reason, unit=value.unit, signature=encode_signature(value.signature), expected=value.expected,
        present=value.present, excluded=value.excluded, missing_scored_as_worst=value.missing_scored_as_worst,
        companions=dict(value.companions), warnings=list(value.warnings), comparable=value.comparable,
    )  # fmt: skip
    if value.value is not None:
        message.value = value.value
    if value.interval is not None:
        interval = value.interval
        message.interval.CopyFrom(ev.Interval(low=interval.low, high=interval.high, level=interval.level, method=interval.method))
    if value.worst:
        message.details.worst.extend(ev.SampleScore(sample_id=item.sample_id, value=item.value) for item in value.worst)
    return message


def encode_signature(signature: SignatureRecord) -> ev.Signature:
    """Return the message of a signature."""
    message = ev.Signature(
        text=signature.text, digest=signature.digest, metric=signature.metric, metric_version=signature.metric_version,
        backbones=[ev.Backbone(name=b.name, sha256=b.sha256, reference=b.reference) for b in signature.backbones],
    )  # fmt: skip
    message.parameters.update(dict(signature.parameters))
    return message


def encode_issue(issue: IssueRecord) -> ev.Issue:
    """Return the message of an issue."""
    return ev.Issue(
        sample_id=issue.sample_id, code=issue.code, severity=_SEVERITIES.get(issue.severity, ev.SEVERITY_UNSPECIFIED),
        message=issue.message, remedy=issue.remedy, file=issue.file, pointer=issue.pointer,
    )  # fmt: skip


def encode_violation(violation: Violation) -> ev.Issue:
    """Return the message of a violation of a bundle."""
    return encode_issue(
        IssueRecord(
            violation.sample_id, violation.code, violation.severity, violation.message, violation.remedy, violation.file, violation.pointer
        )
    )
