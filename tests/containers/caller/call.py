"""A program of somebody else: it knows grpcio, protobuf and the contract, and nothing of GenLevel's packages.

Arguments: target of the language evaluator, target of the 3D evaluator. Prints what they answered as one JSON object.
"""

import hashlib
import importlib.util
import json
import struct
import sys

import grpc

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc, sample_pb2


def header(evaluator: str) -> pb.RequestHeader:
    """What every request begins with."""
    return pb.RequestHeader(evaluator=evaluator, protocol_version=1, budget_ms=60_000, request_id="caller")


def text_sample(number: int, prediction: str, reference: str) -> sample_pb2.Sample:
    """A sample of text."""
    return sample_pb2.Sample(
        id=str(number), prediction=sample_pb2.Content(text=prediction), references=[sample_pb2.Content(text=reference)]
    )


def cloud(points: list[tuple[float, float, float]]) -> bytes:
    """A binary PLY file."""
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    return head.encode() + b"".join(struct.pack("<3f", *point) for point in points)


def chunks(content: bytes, size: int):
    """A blob as the messages that carry it."""
    digest = hashlib.sha256(content).hexdigest()
    for start in range(0, len(content), size):
        chunk = pb.BlobChunk(sha256=digest, size_bytes=len(content), data=content[start : start + size])
        yield pb.EvaluateShardStreamRequest(chunk=chunk)


def blob(content: bytes, name: str) -> sample_pb2.Content:
    """Media that were sent before in the same stream."""
    digest = hashlib.sha256(content).hexdigest()
    return sample_pb2.Content(media=sample_pb2.Media(blob=digest, sha256=digest, size_bytes=len(content), name=name))


def language(target: str) -> dict:
    """Describe, and three samples of four words each by stream."""
    with grpc.insecure_channel(target) as channel:
        stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
        about = stub.DescribeEvaluator(pb.DescribeEvaluatorRequest(header=header("")), timeout=30, metadata=(("application", "language"),))

        def parts():
            yield pb.EvaluateMetricRequest(start=pb.EvaluateShardRequest(header=header("language"), metric=pb.MetricSpec(metric="accuracy")))
            for number, (prediction, reference) in enumerate([("A", "A"), ("B", "C"), ("D", "D"), ("A", "B")]):
                yield pb.EvaluateMetricRequest(sample=text_sample(number, prediction, reference))

        answer = stub.EvaluateMetric(parts(), timeout=60, metadata=(("application", "language"),))
    return {
        "evaluator": about.evaluator, "metrics": [item.metric for item in about.metrics], "value": answer.value.value,
        "unit": answer.value.unit, "issues": len(answer.issues),
    }  # fmt: skip


def three_d(target: str) -> dict:
    """Two clouds of 100,000 points, apart by 3, 4 and 0: blobs of 1.2 MB in chunks."""
    points = [(float(index), 0.0, 0.0) for index in range(0, 1_000_000, 10)]
    here, there = cloud(points), cloud([(x, 3.0, 4.0) for x, _, _ in points])
    with grpc.insecure_channel(target) as channel:
        stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
        start = pb.EvaluateShardRequest(header=header("three_d"), metric=pb.MetricSpec(metric="chamfer_distance"), finalize=True)
        sample = sample_pb2.Sample(id="1", prediction=blob(here, "here.ply"), references=[blob(there, "there.ply")])

        def parts():
            yield pb.EvaluateShardStreamRequest(start=start)
            yield from chunks(here, 1 << 20)
            yield from chunks(there, 1 << 20)
            yield pb.EvaluateShardStreamRequest(sample=sample)

        result = stub.EvaluateShardStream(parts(), timeout=120, metadata=(("application", "three_d"),)).result
    issues = [f"{issue.code}: {issue.message}" for issue in result.issues]
    return {"value": result.value.value, "expected": result.value.expected, "issues": issues, "bytes": len(here)}


def main() -> None:
    """Call both."""
    absent = [name for name in ("genlevel_evaluator", "genlevel_orchestrator", "ray", "numpy") if importlib.util.find_spec(name) is None]
    print(json.dumps({"absent": absent, "language": language(sys.argv[1]), "three_d": three_d(sys.argv[2])}))


if __name__ == "__main__":
    main()
