"""Between the orchestrator's plain data and the messages of the contract."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format, struct_pb2

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_orchestrator.bundle.content import Content, Sample
from genlevel_orchestrator.bundle.fields import form_of
from genlevel_orchestrator.bundle.media import MediaFile
from genlevel_orchestrator.runs.plan import MetricFacts
from genlevel_orchestrator.runs.results import (
    BackboneRecord,
    IntervalRecord,
    IssueRecord,
    SignatureRecord,
    ValueRecord,
)

INLINE_BYTES = 1 << 20
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


def sample_message(sample: Sample, remote: bool) -> sample_pb2.Sample:
    """A sample as a message. ``remote``: the evaluator cannot read our files, so large ones are named as blobs."""
    message = sample_pb2.Sample(id=sample.key, presence=_PRESENCES[sample.presence])
    if sample.prediction is not None:
        message.prediction.CopyFrom(_content(sample.prediction, remote))
    message.references.extend(_content(reference, remote) for reference in sample.references)
    if sample.attributes:
        message.attributes.CopyFrom(struct(sample.attributes))
    return message


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain values as a Struct."""
    message = struct_pb2.Struct()
    json_format.ParseDict(dict(values), message)
    return message


def _content(content: Content, remote: bool) -> sample_pb2.Content:
    if content.text is not None:
        return sample_pb2.Content(text=content.text)
    if content.media is not None:
        return sample_pb2.Content(media=_media(content.media, remote))

    def file(value: MediaFile) -> dict[str, Any]:
        return _in_json(value, remote)

    return sample_pb2.Content(json=json.dumps(content.json, ensure_ascii=False, allow_nan=False, default=file))


def _media(file: MediaFile, remote: bool) -> sample_pb2.Media:
    message = sample_pb2.Media(sha256=file.sha256, size_bytes=file.size, name=file.name)
    if file.data is not None:
        message.inline = file.data
    elif not remote:
        assert file.path is not None
        message.uri = file.path.as_uri()
    elif file.size <= INLINE_BYTES:
        assert file.path is not None
        message.inline = file.path.read_bytes()
    else:
        message.blob = file.sha256
    return message


def _in_json(file: MediaFile, remote: bool) -> dict[str, Any]:
    if file.path is not None and not remote:
        return {"name": file.name, "uri": file.path.as_uri(), "sha256": file.sha256, "size_bytes": file.size}
    data = file.data if file.data is not None else file.path.read_bytes() if file.path is not None else b""
    return {"name": file.name, "base64": base64.b64encode(data).decode("ascii")}


def blobs(samples: Iterable[Sample]) -> list[MediaFile]:
    """Files that must go before the samples in a stream, each once."""
    found: dict[str, MediaFile] = {}
    for sample in samples:
        for side in (sample.prediction, *sample.references):
            file = side.media if side is not None else None
            if file is not None and file.data is None and file.size > INLINE_BYTES:
                found[file.sha256] = file
    return list(found.values())


async def stream(
    start: pb.EvaluateShardRequest, messages: Sequence[sample_pb2.Sample], files: Sequence[MediaFile]
) -> AsyncIterator[pb.EvaluateShardStreamRequest]:
    """A shard as a stream: header, blobs, samples."""
    yield pb.EvaluateShardStreamRequest(start=start)
    for file in files:
        assert file.path is not None
        with file.path.open("rb") as source:
            while data := source.read(INLINE_BYTES):
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
        companions=dict(message.companions),
        warnings=tuple(message.warnings),
        comparable=message.comparable,
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
