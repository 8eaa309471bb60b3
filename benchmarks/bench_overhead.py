"""200 small tasks through Ray Serve gRPC, one call a task, against the same metrics in one process."""

from __future__ import annotations

import asyncio
import json
import random
import time

import grpc

from benchmarks.serving import embedded
from genlevel.v1 import evaluator_pb2, evaluator_pb2_grpc, sample_pb2
from genlevel_evaluator import score

TASKS, SAMPLES, IN_FLIGHT = 200, 20, 16
METRICS = ("accuracy", "token_f1", "micro_f1", "bleu_1", "rouge_1_f")
WORDS = ["the", "a", "cat", "dog", "sits", "runs", "on", "under", "mat", "tree", "and", "then", "it", "was", "seen", "by", "two", "of", "them"]


def tasks() -> list[tuple[str, list[tuple[str, str]]]]:
    """Metric and (prediction, reference) pairs of each task."""
    generator = random.Random(0)

    def text() -> str:
        return " ".join(generator.choices(WORDS, k=12))

    return [(METRICS[i % len(METRICS)], [(text(), text()) for _ in range(SAMPLES)]) for i in range(TASKS)]


def in_process(work: list[tuple[str, list[tuple[str, str]]]]) -> list[float | None]:
    """Values, one process."""
    return [
        score(metric, [{"id": i, "prediction": p, "reference": r} for i, (p, r) in enumerate(pairs)], evaluator="language").value
        for metric, pairs in work
    ]


async def through_serve(address: str, work: list[tuple[str, list[tuple[str, str]]]]) -> tuple[list[float], float]:
    """Values and the time taken, calls in flight."""
    header = evaluator_pb2.RequestHeader(evaluator="language", protocol_version=1)
    slots = asyncio.Semaphore(IN_FLIGHT)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)

        async def one(metric: str, pairs: list[tuple[str, str]]) -> float:
            samples = [
                sample_pb2.Sample(id=str(i), prediction=sample_pb2.Content(text=p), references=[sample_pb2.Content(text=r)])
                for i, (p, r) in enumerate(pairs)
            ]
            spec = evaluator_pb2.MetricSpec(metric=metric)
            request = evaluator_pb2.EvaluateShardRequest(header=header, metric=spec, samples=samples, finalize=True)
            async with slots:
                response = await stub.EvaluateShard(request, metadata=(("application", "language"),), timeout=60)
            return float(response.value.value)

        await asyncio.gather(*(one(*task) for task in work[:IN_FLIGHT]))  # imports and first connections are not measured
        begin = time.perf_counter()
        values = await asyncio.gather(*(one(*task) for task in work))
        return list(values), time.perf_counter() - begin


def main() -> None:
    """Prints one line."""
    work = tasks()
    in_process(work[: len(METRICS)])
    begin = time.perf_counter()
    expected = in_process(work)
    alone = time.perf_counter() - begin
    with embedded("--only", "language") as (endpoints, _):
        values, served = asyncio.run(through_serve(endpoints["language"], work))
    assert values == expected, "served and in-process values differ"
    share = max(0.0, 1 - alone / served)
    note = f"{1e3 * served / TASKS:.2f} ms a task through Serve, {1e3 * alone / TASKS:.2f} ms in process; {share:.0%} of the time is not arithmetic"
    print(json.dumps({"name": "200 small tasks, Serve gRPC against one process", "ours_s": served, "other_s": alone, "ratio": alone / served, "equal_to": "exact", "note": note}))


if __name__ == "__main__":
    main()
