"""Accuracy by the other two ways in: a bundle of one task through `genlevel run`, and a stream of samples through `EvaluateMetric`."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil

from benchmarks.bench_million import LABELS, Peaks, watched
from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc, sample_pb2

BUNDLES = (10_000, 100_000, 1_000_000)
STREAMS = (10_000, 100_000, 400_000)


def pairs(count: int) -> Iterator[tuple[str, str]]:
    """Prediction and reference, of which two thirds are equal."""
    source = random.Random(0)
    for _ in range(count):
        right = source.choice(LABELS)
        yield (right if source.random() < 2 / 3 else source.choice(LABELS)), right


def write_bundle(folder: Path, count: int) -> None:
    """A bundle with one task."""
    task = folder / "nlp" / "Commonsense Reasoning"
    task.mkdir(parents=True)
    head = {"task": "Commonsense Reasoning", "type": "OpenQA", "parameters": {"extractor": "none"}}
    with (task / "annotation.json").open("w") as annotation, (task / "prediction.json").open("w") as prediction:
        annotation.write(json.dumps(head)[:-1] + ', "data": [')
        prediction.write("[")
        for place, (given, right) in enumerate(pairs(count)):
            annotation.write(", " * bool(place) + json.dumps({"id": place, "input": {"question": "?"}, "output": {"answer": right}}))
            prediction.write(", " * bool(place) + json.dumps({"id": place, "prediction": given}))
        annotation.write("]}")
        prediction.write("]")


def bundle(count: int) -> tuple[float, Peaks]:
    """Seconds and peaks of a run."""
    with tempfile.TemporaryDirectory() as name:
        write_bundle(Path(name) / "bundle", count)
        seconds, peaks, _ = watched(["run", f"{name}/bundle", "--model", "bench", "--in-process", "--output", f"{name}/out", "--json"], name)
        return seconds, peaks


def requests(count: int) -> Iterator[pb.EvaluateMetricRequest]:
    """A stream of samples."""
    header = pb.RequestHeader(evaluator="language", protocol_version=1)
    yield pb.EvaluateMetricRequest(start=pb.EvaluateShardRequest(header=header, metric=pb.MetricSpec(metric="accuracy")))
    for place, (given, right) in enumerate(pairs(count)):
        sample = sample_pb2.Sample(id=str(place), prediction=sample_pb2.Content(text=given), references=[sample_pb2.Content(text=right)])
        yield pb.EvaluateMetricRequest(sample=sample)


def stream(count: int) -> tuple[float, Peaks]:
    """Seconds of a call, and peaks of its evaluator."""
    command = [sys.executable, "-m", "genlevel_evaluator.serve.bare", "--only", "language"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        target = json.loads(process.stdout.readline())["endpoints"]["language"]
        peaks = Peaks(psutil.Process(process.pid))
        begin = time.perf_counter()
        with grpc.insecure_channel(target) as channel:
            response = evaluator_pb2_grpc.EvaluatorServiceStub(channel).EvaluateMetric(requests(count))
        seconds = time.perf_counter() - begin
        peaks.stop()
        process.terminate()
    assert response.value.expected == count
    return seconds, peaks


def main() -> None:
    """Prints a line for each size."""
    for count in BUNDLES:
        seconds, peaks = bundle(count)
        print(json.dumps({"name": f"accuracy of {count:,} samples, genlevel run of one task", "ours_s": seconds, "note": str(peaks)}), flush=True)
    for count in STREAMS:
        seconds, peaks = stream(count)
        note = f"peak {peaks.own / 1e6:.0f} MB evaluator; processor {peaks.own_cpu:.0f} s; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
        print(json.dumps({"name": f"accuracy of {count:,} samples, EvaluateMetric", "ours_s": seconds, "note": note}), flush=True)


if __name__ == "__main__":
    main()
