"""Between the orchestrator's plain data and the messages of the contract."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format, struct_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_orchestrator.bundle.content import Content, Sample
from genlevel_orchestrator.bundle.fields import form_of
from genlevel_orchestrator.bundle.media import MediaFile
from genlevel_orchestrator.runs.carriage import Carriage
from genlevel_orchestrator.runs.plan import MetricFacts
from genlevel_orchestrator.runs.results import (
    BackboneRecord,
    IntervalRecord,
    IssueRecord,
    SampleScore,
    SignatureRecord,
    ValueRecord,
)

_CHUNK_BYTES = 1 << 20
_SEVERITIES = {
    pb.SEVERITY_WARNING: "warning",
    pb.SEVERITY_PREDICTION: "prediction",
    pb.SEVERITY_REFERENCE: "reference",
    pb.SEVERITY_INFRASTRUCTURE: "infrastructure",
}
_PRESENCES = {
    "": sample_pb2.PRESENCE_UNSPECIFIED,
    "both": sample_pb2.PRESENCE_BOTH,
    "prediction_only": sample_pb2.PRESENCE_PREDICTION_ONLY,
    "reference_only": sample_pb2.PRESENCE_REFERENCE_ONLY,
    "prediction_missing": sample_pb2.PRESENCE_PREDICTION_MISSING,
}
PRESENCES = frozenset(_PRESENCES)


def sample_message(sample: Sample, carriage: Carriage) -> sample_pb2.Sample:
    """A sample as a message.

    Raises:
        FileChanged: a file that goes inline is another one by now.
    """
    message = sample_pb2.Sample(id=sample.key, presence=_PRESENCES[sample.presence])
    if sample.prediction is not None:
        message.prediction.CopyFrom(_content(sample.prediction, carriage))
    message.references.extend(_content(reference, carriage) for reference in sample.references)
    if sample.attributes:
        message.attributes.CopyFrom(struct(sample.attributes))
    return message


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain values as a Struct."""
    message = struct_pb2.Struct()
    json_format.ParseDict(dict(values), message)
    return message


def _content(content: Content, carriage: Carriage) -> sample_pb2.Content:
    if content.text is not None:
        return sample_pb2.Content(text=content.text)
    if content.media is not None:
        return sample_pb2.Content(media=carriage.media(content.media))
    return sample_pb2.Content(json=json.dumps(content.json, ensure_ascii=False, allow_nan=False, default=carriage.in_json))


async def stream(
    start: pb.EvaluateShardRequest, messages: Sequence[sample_pb2.Sample], files: Iterable[MediaFile]
) -> AsyncIterator[pb.EvaluateShardStreamRequest]:
    """A shard as a stream: header, blobs, samples."""
    yield pb.EvaluateShardStreamRequest(start=start)
    for file in files:
        with file.path.open("rb") if file.path is not None else io.BytesIO(file.data or b"") as source:
            while data := source.read(_CHUNK_BYTES):
                chunk = pb.BlobChunk(sha256=file.sha256, size_bytes=file.size, data=data)
                yield pb.EvaluateShardStreamRequest(chunk=chunk)
    for message in messages:
        yield pb.EvaluateShardStreamRequest(sample=message)


def issue_record(message: pb.Issue) -> IssueRecord:
    """An issue as plain data."""
    severity = _SEVERITIES.get(message.severity, "infrastructure")
    return IssueRecord(
        message.sample_id, message.code, severity, message.message, message.remedy, message.file, message.pointer
    )


def value_record(message: pb.MetricValue) -> ValueRecord:
    """A value as plain data."""
    interval = None
    if message.HasField("interval"):
        interval = IntervalRecord(message.interval.low, message.interval.high, message.interval.level, message.interval.method)
    return ValueRecord(
        value=message.value if message.HasField("value") else None,
        reason=message.reason,
        unit=message.unit,
        signature=signature_record(message.signature),
        expected=message.expected,
        present=message.present,
        excluded=message.excluded,
        missing_scored_as_worst=message.missing_scored_as_worst,
        interval=interval,
        companions=dict(sorted(message.companions.items())),
        warnings=tuple(message.warnings),
        comparable=message.comparable,
        worst=tuple(SampleScore(item.sample_id, item.value) for item in message.details.worst),
    )


def signature_record(message: pb.Signature) -> SignatureRecord:
    """A signature as plain data."""
    return SignatureRecord(
        message.text, message.digest, message.metric, message.metric_version, json_format.MessageToDict(message.parameters),
        tuple(BackboneRecord(item.name, item.sha256, item.reference) for item in message.backbones),
    )  # fmt: skip


def metric_facts(evaluator: str, message: pb.MetricDescription) -> MetricFacts:
    """What the plan must know of a described metric."""
    form = form_of(message.input_kind, message.prediction_strings_are_paths, message.reference_strings_are_paths, message.set_metric)
    return MetricFacts(evaluator, message.metric, message.version, form, frozenset(item.name for item in message.parameters))
