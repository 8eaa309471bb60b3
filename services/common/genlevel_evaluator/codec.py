"""Between the messages of the contract and the engine's own types. Generated types are known here, in state_messages, media_messages and handlers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2

from genlevel.v1 import evaluator_pb2, sample_pb2
from genlevel_evaluator import parameters
from genlevel_evaluator.details import Details, DetailSpec
from genlevel_evaluator.engine import RawSample, Value
from genlevel_evaluator.errors import Code, EvaluatorError, Issue, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.media_messages import Sources
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.signature import Signature

_SEVERITIES = {
    "warning": evaluator_pb2.SEVERITY_WARNING,
    "prediction": evaluator_pb2.SEVERITY_PREDICTION,
    "reference": evaluator_pb2.SEVERITY_REFERENCE,
    "infrastructure": evaluator_pb2.SEVERITY_INFRASTRUCTURE,
}


def decode_sample(message: sample_pb2.Sample, sources: Sources) -> RawSample:
    """A sample as the engine takes it. A side that cannot be read becomes a fault of the sample, not of the call."""
    faults: list[SampleError] = []
    prediction = None
    if message.HasField("prediction"):
        prediction = _content(message.prediction, "prediction", sources, faults)
    references = [_content(item, "reference", sources, faults) for item in message.references]
    kept = tuple(item for item in references if item is not None)
    attributes = decode_struct(message.attributes, f"attributes of sample {message.id!r}") if message.HasField("attributes") else {}
    return RawSample(message.id, prediction, kept, _presence(message), attributes, tuple(faults))


def decode_struct(message: struct_pb2.Struct, what: str) -> dict[str, Any]:
    """A Struct as plain values.

    Raises:
        EvaluatorError: a number in it is NaN or infinite, which JSON has no words for.
    """
    try:
        found: dict[str, Any] = json_format.MessageToDict(message)
    except (ValueError, json_format.SerializeToJsonError):
        raise EvaluatorError(Code.INVALID_ARGUMENT, "NOT_FINITE", f"{what}: a number is not finite", "send finite numbers") from None
    return found


def _presence(message: sample_pb2.Sample) -> Presence:
    if message.presence:
        try:
            return Presence(message.presence)
        except ValueError:
            raise EvaluatorError(Code.INVALID_ARGUMENT, "BAD_PRESENCE", f"sample {message.id!r}: unknown presence {message.presence}") from None
    if not message.references:
        return Presence.PREDICTION_ONLY
    return Presence.BOTH if message.HasField("prediction") else Presence.PREDICTION_MISSING


def _content(message: sample_pb2.Content, side: str, sources: Sources, faults: list[SampleError]) -> Content | None:
    try:
        which = message.WhichOneof("content")
        if which == "text":
            return Content(text=message.text)
        if which == "json":
            return Content(json=sources.of_json(message.json))
        if which == "media":
            return Content(media=sources.of_message(message.media))
        raise SampleError("EMPTY", f"the {side} holds neither text, JSON nor media", remedy="set one of them, or leave the side out")
    except SampleError as error:
        error.side = side
        faults.append(error)
        return None


def encode_issue(issue: Issue) -> evaluator_pb2.Issue:
    """An issue as a message."""
    return evaluator_pb2.Issue(
        sample_id=issue.sample_id, code=issue.code, severity=_SEVERITIES[issue.severity], message=issue.message,
        remedy=issue.remedy, file=issue.file, pointer=issue.pointer,
    )


def encode_signature(signature: Signature) -> evaluator_pb2.Signature:
    """A signature as a message."""
    return evaluator_pb2.Signature(
        text=signature.text, digest=signature.digest, metric=signature.metric, metric_version=signature.version,
        parameters=encode_struct(signature.parameters),
        backbones=[evaluator_pb2.Backbone(name=use.name, sha256=use.sha256, reference=use.reference) for use in signature.backbones],
    )


def encode_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain values as a Struct."""
    struct = struct_pb2.Struct()
    struct.update(dict(values))
    return struct


def encode_value(value: Value) -> evaluator_pb2.MetricValue:
    """A value as a message."""
    message = evaluator_pb2.MetricValue(
        reason=value.reason, unit=value.unit, signature=encode_signature(value.signature), expected=value.expected,
        present=value.present, excluded=value.excluded, missing_scored_as_worst=value.missing_scored_as_worst,
        companions={name: number for name, number in value.companions.items() if not math.isnan(number)},
        warnings=value.warnings,
        # A reference network may still not be the one the SoTA was measured with (metric-decisions R8): fvd with I3D says so.
        comparable=value.signature.comparable and "not_comparable" not in value.warnings,
    )
    if value.value is not None:
        message.value = value.value
    if value.interval is not None:
        message.interval.CopyFrom(
            evaluator_pb2.Interval(
                low=value.interval.low, high=value.interval.high, level=value.interval.level, method=value.interval.method
            )
        )
    if value.details is not None:
        message.details.CopyFrom(_encode_details(value.details))
    return message


def _encode_details(details: Details) -> evaluator_pb2.ValueDetails:
    return evaluator_pb2.ValueDetails(
        samples=details.samples, keys_digest=details.keys_digest, keys=details.keys, scores=details.scores, replicates=details.replicates,
        worst=[evaluator_pb2.SampleScore(sample_id=key, value=value) for key, value in details.worst],
    )


def decode_details(message: evaluator_pb2.DetailSpec) -> DetailSpec:
    """Which details are asked for."""
    return DetailSpec(message.worst, message.scores, message.keys, message.replicates)


def describe_metric(evaluator: Evaluator, metric_id: str) -> evaluator_pb2.MetricDescription:
    """A metric as DescribeEvaluator gives it."""
    metric = evaluator.metric(metric_id)
    defaults = metric.parameters()
    declared = parameters.field_types(metric.parameters)
    kind = evaluator.kinds[metric.input_kind]
    return evaluator_pb2.MetricDescription(
        metric=metric.id, version=metric.version, input_kind=metric.input_kind, unit=metric.unit,
        higher_is_better=metric.higher_is_better, summary=metric.summary, set_metric=metric.set_metric,
        prediction_strings_are_paths=kind.takes_paths("prediction"), reference_strings_are_paths=kind.takes_paths("reference"),
        backbones=[entry for name in metric.networks(defaults) for entry in evaluator.backbones[name].entries],
        parameters=[
            evaluator_pb2.ParameterDescription(
                name=name, type=parameters.type_name(declared[name]), default=json_format.ParseDict(value, struct_pb2.Value())
            )
            for name, value in parameters.as_plain(defaults).items()
        ],
    )
