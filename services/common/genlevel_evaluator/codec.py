"""Between the messages of the contract and the engine's own types. Generated types are known here, in media_messages and in handlers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf import json_format, struct_pb2

from genlevel.v1 import evaluator_pb2, sample_pb2
from genlevel_evaluator import parameters, states
from genlevel_evaluator.details import Details, DetailSpec
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Code, EvaluatorError, Issue, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.media_messages import Sources
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.signature import Signature
from genlevel_evaluator.states import Column, Moments, Rows

FORMAT_VERSION = 1
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


def encode_state(rows: Rows, signature_digest: str) -> evaluator_pb2.MetricState:
    """A state as a message."""
    columns = [_column(name, rows.values[name], rows.schema[name], rows.lengths.get(name)) for name in rows.schema]
    for name, moments in rows.folded.items():
        columns += [
            _plain(f"{name}:count", np.array([moments.count], dtype="<i8")),
            _plain(f"{name}:mean", np.asarray(moments.mean, dtype="<f8")),
            _plain(f"{name}:scatter", np.asarray(moments.scatter[np.triu_indices(len(moments.mean))], dtype="<f8")),
        ]
    kind = "moments" if rows.folded else "rows"
    return evaluator_pb2.MetricState(
        format_version=FORMAT_VERSION, signature_digest=signature_digest, kind=kind, keys=rows.keys, columns=columns
    )


def _column(name: str, values: Any, column: Column, lengths: Any) -> evaluator_pb2.StateColumn:
    encoded = b"" if lengths is None else np.asarray(lengths, dtype="<i8").tobytes()
    return evaluator_pb2.StateColumn(
        name=name, dtype=column.dtype, item_shape=column.shape, values=np.ascontiguousarray(values).tobytes(), lengths=encoded
    )


def _plain(name: str, values: Any) -> evaluator_pb2.StateColumn:
    return evaluator_pb2.StateColumn(name=name, dtype=values.dtype.str[1:], values=values.tobytes())


def decode_state(message: evaluator_pb2.MetricState, scorer: Scorer, signature_digest: str) -> Rows:
    """A state from a message.

    Raises:
        EvaluatorError: INVALID_ARGUMENT for another version, another signature, or columns that do not fit the metric.
    """
    if message.format_version != FORMAT_VERSION:
        raise _bad_state(f"format version {message.format_version}, this evaluator reads {FORMAT_VERSION}")
    if message.signature_digest != signature_digest:
        raise _bad_state("it was made with other parameters, weights or another version of the metric")
    found = {column.name: column for column in message.columns}
    values: dict[str, Any] = {}
    lengths: dict[str, Any] = {}
    for name, column in scorer.schema.items():
        if name not in found:
            raise _bad_state(f"column {name} is missing")
        values[name], sizes = _read_column(found[name], column, len(message.keys))
        if sizes is not None:
            lengths[name] = sizes
    folded = {name: _read_moments(found, name) for name in scorer.schema if f"{name}:count" in found}
    return Rows(scorer.schema, tuple(message.keys), values, lengths, folded)


def _read_column(message: evaluator_pb2.StateColumn, column: Column, rows: int) -> tuple[Any, Any]:
    if message.dtype != column.dtype or tuple(message.item_shape) != column.shape:
        raise _bad_state(f"column {message.name} has another type than the metric declares")
    dtype = np.dtype(states.little(column.dtype))
    item = int(np.prod(column.shape, dtype=np.int64))
    if len(message.values) % (dtype.itemsize * max(item, 1)):
        raise _bad_state(f"column {message.name} is cut off")
    array = np.frombuffer(message.values, dtype=dtype).reshape((-1, *column.shape))
    if not column.ragged:
        if len(array) != rows:
            raise _bad_state(f"column {message.name} has {len(array)} rows for {rows} keys")
        return array, None
    if len(message.lengths) != 8 * rows:
        raise _bad_state(f"column {message.name} has lengths for another number of rows")
    sizes = np.frombuffer(message.lengths, dtype="<i8")
    if (sizes < 0).any() or int(sizes.sum()) != len(array):
        raise _bad_state(f"the lengths of column {message.name} do not add up")
    return array, sizes


def _read_moments(found: Mapping[str, evaluator_pb2.StateColumn], name: str) -> Moments:
    count = int(np.frombuffer(found[f"{name}:count"].values, dtype="<i8")[0])
    mean = np.frombuffer(found[f"{name}:mean"].values, dtype="<f8")
    upper = np.frombuffer(found[f"{name}:scatter"].values, dtype="<f8")
    size = len(mean)
    if len(upper) != size * (size + 1) // 2:
        raise _bad_state(f"the moments of {name} are cut off")
    scatter = np.zeros((size, size))
    scatter[np.triu_indices(size)] = upper
    return Moments(count, mean, scatter + np.triu(scatter, 1).T)


def _bad_state(what: str) -> EvaluatorError:
    return EvaluatorError(Code.INVALID_ARGUMENT, "BAD_STATE", f"state cannot be used: {what}", "score the shard again")


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
