"""How media reach an evaluator: read where they lie, through a bucket (moto's S3 server), or streamed. Files, upload and checks included.

The evaluator is a process of its own on loopback; the metric reads text, which costs next to nothing. Files too long to be text travel all the same,
and are refused once they are there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peak import forget_peak, peak_bytes
from genlevel_orchestrator.bundle.content import Content, Sample
from genlevel_orchestrator.bundle.media import MediaFile
from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.runs.gate import Gate
from genlevel_orchestrator.runs.media_store import MediaStore
from genlevel_orchestrator.runs.scoring import ShardScorer, probe_signature
from genlevel_orchestrator.settings import Endpoint

BUCKET = "s3://bench/media"
WAYS = {"file": (False, ""), "store": (True, BUCKET), "stream": (True, "")}
IN_FLIGHT = 4


def make(folder: Path, count: int, size: int) -> list[MediaFile]:
    """Files of seeded letters."""
    source = random.Random(size)
    files = []
    for index in range(count):
        data = source.randbytes(size // 2).hex().encode()
        path = folder / f"{size}-{index}.txt"
        path.write_bytes(data)
        files.append(MediaFile(path.name, hashlib.sha256(data).hexdigest(), len(data), path=path))
    return files


@contextmanager
def s3_server() -> Iterator[str]:
    """moto's server in a process of its own; its endpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/bench", method="PUT"), timeout=5).close()
                    break
                except urllib.error.URLError:
                    time.sleep(0.2)
            yield endpoint
        finally:
            server.terminate()


@contextmanager
def evaluator(folder: Path) -> Iterator[tuple[str, int]]:
    """Endpoint and process number of the language evaluator."""
    command = [sys.executable, "-m", "genlevel_evaluator.serve.bare", "--only", "language", "--roots", str(folder), BUCKET]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())["endpoints"]["language"], child.pid
        finally:
            child.stdin.close()
            child.wait(30)


async def score(target: str, files: list[MediaFile], shard: int, way: str) -> tuple[float, list[str]]:
    """Seconds for all files, and what the evaluator said of them."""
    remote, url = WAYS[way]
    async with EvaluatorClient("language", Endpoint(target=target, remote=remote)) as client:
        signature = await probe_signature(client, "accuracy", {})
        scorer = ShardScorer(client, "accuracy", {}, signature.digest, Gate(IN_FLIGHT), store=MediaStore(url) if url else None)
        samples = [Sample(file.name, Content(media=file), (Content(text="x"),)) for file in files]
        begin = time.perf_counter()
        scored = await asyncio.gather(*(scorer.score(samples[start : start + shard]) for start in range(0, len(samples), shard)))
        seconds = time.perf_counter() - begin
    leaves = sorted(str(leaf.state or leaf.key) for result in scored for leaf in result.leaves)
    return seconds, [*leaves, *sorted(f"{issue.sample_id} {issue.code}" for result in scored for issue in result.issues)]


def line(name: str, seconds: float, files: list[MediaFile], reference: float, peak: int) -> str:
    """One line of the benchmark."""
    total = sum(file.size for file in files) / 1e6
    note = f"{total / seconds:.0f} MB/s; the evaluator's memory rises by {peak / 1e6:.0f} MB at most"
    other = None if name.endswith(": file") else reference
    return json.dumps(
        {"name": name, "ours_s": seconds, "other_s": other, "ratio": other / seconds if other else None, "equal_to": "exact", "note": note}
    )


def main() -> None:
    """Prints a line for each way and size; `other` is reading files where they lie."""
    with tempfile.TemporaryDirectory() as name, s3_server() as endpoint:
        os.environ.update(AWS_ENDPOINT_URL=endpoint, AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1")
        folder = Path(name)
        small, large, warm_up = make(folder, 200, 300_000), make(folder, 5, 20_000_000), make(folder, 2, 100_000)
        for title, files, shard in (("200 files of 300 KB", small, 50), ("5 files of 20 MB", large, 1)):
            expected, reference = None, 0.0
            for way in WAYS:
                with evaluator(folder) as (target, pid):
                    asyncio.run(score(target, warm_up, 2, way))  # imports and first connections are not measured
                    before = forget_peak(pid)
                    seconds, said = asyncio.run(score(target, files, shard, way))
                    expected, reference = expected or said, reference or seconds
                    assert said == expected, f"{way} differs"
                    print(line(f"media, {title}: {way}", seconds, files, reference, peak_bytes(pid) - before), flush=True)
                    if way == "store":
                        seconds, _ = asyncio.run(score(target, files, shard, way))
                        print(line(f"media, {title}: store, second time", seconds, files, reference, peak_bytes(pid) - before), flush=True)


if __name__ == "__main__":
    main()
