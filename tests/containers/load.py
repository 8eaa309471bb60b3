"""Runs in the orchestrator's image: calls an evaluator through the client that runs use, and says how long it took and who answered.

Arguments: `video` TARGET CALLS IN_FLIGHT, or `language` TARGET CALLS IN_FLIGHT. Prints one JSON object.
"""

import asyncio
import collections
import io
import json
import secrets
import sys
import time
from contextlib import asynccontextmanager

import numpy as np

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_orchestrator.client import Channels, EvaluatorClient
from genlevel_orchestrator.settings import Endpoint

COUNTS: collections.Counter = collections.Counter()
SEED = secrets.randbits(32)


class Counting(Channels):
    """The channels of a client, with a count of the calls by address."""

    @asynccontextmanager
    async def take(self):
        """As the original."""
        async with super().take() as channel:
            COUNTS.update(line.address for line in self.lines.values() if line.channel is channel)
            yield channel


def video(number: int) -> tuple[str, sample_pb2.Sample]:
    """A clip of 16 frames that nobody has seen: evaluators keep features, and would answer at once."""
    frames = np.random.default_rng((SEED, number)).integers(0, 255, (16, 64, 64, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, frames=frames)
    media = sample_pb2.Media(inline=buffer.getvalue(), name=f"{number}.npz")
    return "fvd", sample_pb2.Sample(id=str(number), prediction=sample_pb2.Content(media=media), presence=sample_pb2.PRESENCE_PREDICTION_ONLY)


def language(number: int) -> tuple[str, sample_pb2.Sample]:
    """One answer."""
    content = sample_pb2.Content(text="A")
    return "accuracy", sample_pb2.Sample(id=str(number), prediction=content, references=[content])


async def main(name: str, target: str, calls: int, in_flight: int) -> None:
    """Make the calls."""
    make = {"video": video, "language": language}[name]
    endpoint = Endpoint(target=target)
    slots, taken, issues = asyncio.Semaphore(in_flight), [], []
    async with EvaluatorClient(name, endpoint) as client:
        client._channels = Counting(endpoint)

        async def one(number: int) -> None:
            metric, sample = make(number)
            request = pb.EvaluateShardRequest(header=client.header(300), metric=pb.MetricSpec(metric=metric), samples=[sample])
            async with slots:
                begin = time.perf_counter()
                answer = await client.evaluate(request)
                taken.append(time.perf_counter() - begin)
            issues.extend(issue.code for issue in answer.issues)

        # The first call of a replica loads libraries: one for each, and another that finds them loaded.
        await asyncio.gather(*(one(2**31 - number) for number in range(4)))
        COUNTS.clear(), taken.clear()
        begin = time.perf_counter()
        await asyncio.gather(*map(one, range(calls)))
        seconds = time.perf_counter() - begin
    p50, p99 = np.percentile(taken, [50, 99])
    print(json.dumps({"seconds": seconds, "calls": COUNTS, "issues": issues, "p50": p50, "p99": p99, "retries": client.retries}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
