"""Video end to end: FVD against the plain loop, replicas, memory on ten minutes of 1080p, and a second metric that shares features.

The plain loop is what a script does: OpenCV reads the frames a network takes, torch resizes them, the network as its ports write it runs, the
next clip; then the Fréchet distance with scipy's matrix square root. A third way is that loop with our network, which shows what is
gained beside the network. They take turns on the same cores, the best of ROUNDS is shown. `--clips N` (of 1080p, a
side) and `--minutes M` make it smaller. On a machine with a GPU the networks run there on both sides, and its busy share is noted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.films import encode, lengthen
from benchmarks.peak import peak_bytes

FRAMES = 16
ROUNDS = 3


def say(name: str, note: str, ours_s: float | None = None, other_s: float | None = None, gap: float | None = None) -> None:
    """One line of JSON."""
    found: dict[str, Any] = {"name": name, "note": note}
    if ours_s is not None:
        found["ours_s"] = round(ours_s, 3)
    if ours_s is not None and other_s is not None:
        found |= {"other_s": round(other_s, 3), "ratio": round(other_s / ours_s, 2), "equal_to": gap}
    print(json.dumps(found), flush=True)


def _samples(folder: Path) -> list[Any]:
    from genlevel_evaluator.engine import RawSample
    from genlevel_evaluator.kinds import Content
    from genlevel_evaluator.media import from_path
    from genlevel_evaluator.metric import Presence

    samples = []
    for path in sorted(folder.glob("*.mp4")):
        content = Content(media=from_path(path))
        if path.name.startswith("p"):
            samples.append(RawSample(path.stem, content, (), Presence.PREDICTION_ONLY))
        else:
            samples.append(RawSample(path.stem, None, (content,), Presence.REFERENCE_ONLY))
    return samples


def ours(samples: list[Any], forget: bool = True) -> float:
    """FVD as a service computes it."""
    from genlevel_evaluator import features
    from genlevel_evaluator.engine import Scorer
    from genlevel_video.app import EVALUATOR

    if forget:
        features.CACHE = features.FeatureCache()
    scorer = Scorer.of(EVALUATOR, "fvd", {})
    rows, issues = scorer.observe(samples)
    assert not issues, issues
    value = scorer.metric.score(rows, scorer.parameters).value
    assert value is not None
    return value


def prepared(frame: Any) -> Any:
    """A frame of the plain loop, (3, 224, 224)."""
    import torch

    pixels = torch.from_numpy(frame).permute(2, 0, 1)[None].float()
    return torch.nn.functional.interpolate(pixels, size=(224, 224), mode="bilinear", align_corners=False)[0] / 127.5 - 1


def plain(folder: Path, network: Any, device: Any) -> float:
    """FVD as a script computes it."""
    import cv2
    import scipy.linalg
    import torch

    sides: dict[str, list[Any]] = {"p": [], "r": []}
    for path in sorted(folder.glob("*.mp4")):
        reader = cv2.VideoCapture(str(path))
        frames: list[Any] = []
        while len(frames) < FRAMES:
            done, frame = reader.read()
            if not done:
                break
            frames.append(prepared(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)))
        with torch.inference_mode():
            sides[path.name[0]].append(network(torch.stack(frames, dim=1)[None].to(device))[0].cpu().numpy().astype(np.float64))
    x, y = (np.stack(sides[side]) for side in "pr")
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * np.trace(root))


def end_to_end(folder: Path, clips: int) -> None:
    """FVD of files, both ways; and once more with its features remembered."""
    import torch

    from benchmarks.stock_i3d import stock
    from genlevel_video.app import EVALUATOR

    samples = _samples(folder)
    own: Any = EVALUATOR.extractor("i3d")
    ported = stock().to(own.device)
    ways: dict[str, Callable[[], float]] = {
        "ours": lambda: ours(samples),
        "plain": lambda: plain(folder, ported, own.device),
        "with ours": lambda: plain(folder, own.network, own.device),
    }
    best, value = dict.fromkeys(ways, np.inf), dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for way, work in ways.items():
            begin = time.perf_counter()
            value[way] = work()
            best[way] = min(best[way], time.perf_counter() - begin)
    gap = abs(value["ours"] - value["plain"]) / value["plain"]
    note = f"I3D, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores; {2 * clips / best['ours']:.2f} clips per second; aim 1.3{busy()}"
    name = f"FVD of {clips} + {clips} clips of {FRAMES} frames, 1080p, end to end"
    say(name, note, best["ours"], best["plain"], gap)
    say(f"{name}, the loop with our network", "what is gained beside the network", best["ours"], best["with ours"], abs(value["ours"] - value["with ours"]) / value["ours"])
    begin = time.perf_counter()
    ours(samples, forget=False)
    again = time.perf_counter() - begin
    say("the same with features remembered", f"{again / best['ours']:.1%} of the first", again)


def busy() -> str:
    """What the GPU says of itself, where there is one."""
    if shutil.which("nvidia-smi") is None:
        return ""
    command = ["nvidia-smi", "--query-gpu=name,utilization.gpu,memory.used", "--format=csv,noheader"]
    return "; " + subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


class Sizes:
    """Stands for a network that looks at all frames: mean colours of a small copy. Made late, for its base class is imported late."""

    @staticmethod
    def made(offset: int = 0) -> Any:
        """One of them."""
        from genlevel_video.frames import BatchedFrames, Sampling

        class Means(BatchedFrames):
            sampling, size = Sampling("all"), 16

            def prepare(self, frame: Any) -> Any:
                return frame[offset::8, ::8].astype(np.float32)

            def forward(self, batch: Any) -> Any:
                return batch.mean(axis=(1, 2))

        return Means()


def sharing(path: Path) -> None:
    """Two networks over all frames of a clip: in one pass, and one after the other."""
    from genlevel_evaluator.media import from_path
    from genlevel_video.clips import open_clip
    from genlevel_video.frames import one_pass

    clip = open_clip(from_path(path))
    first, second = Sizes.made(), Sizes.made(1)
    times = []
    for groups in ([[first]], [[first, second]], [[first], [second]]):
        begin = time.perf_counter()
        for group in groups:
            one_pass(group, clip)
        times.append(time.perf_counter() - begin)
    note = f"against one pass each; {clip.info().frames} frames of 1080p; one network alone {times[0]:.2f} s, so the second adds {times[1] / times[0] - 1:.0%}"
    say("two networks in one pass", note, times[1], times[2], 0.0)


def long_clip(path: Path) -> None:
    """In a process of its own: an all-frames network over a long clip; prints frames, seconds and the peak of resident memory."""
    from genlevel_evaluator.media import from_path
    from genlevel_video.clips import open_clip
    from genlevel_video.frames import one_pass

    clip = open_clip(from_path(path))
    begin = time.perf_counter()
    found: Any = one_pass([Sizes.made()], clip)[0]
    print(json.dumps([len(found), time.perf_counter() - begin, peak_bytes()]))


def memory(path: Path) -> None:
    """The same, watched from outside."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.bench_video", "--long", str(path)], capture_output=True, text=True, check=True)
    frames, seconds, peak = json.loads(done.stdout)
    say(f"{frames:,} frames of 1080p through an all-frames network", f"{peak / 1e6:.0f} MB peak resident, aim under 3 GB; {frames / seconds:.0f} frames per second", seconds)


def _request(data: bytes, key: str) -> Any:
    from genlevel.v1 import evaluator_pb2 as pb
    from genlevel.v1 import sample_pb2
    from genlevel_evaluator.media import from_bytes

    held = sample_pb2.Media(inline=data, sha256=from_bytes(data).sha256, size_bytes=len(data), name="a.npz")
    one = sample_pb2.Sample(id=key, prediction=sample_pb2.Content(media=held), presence=sample_pb2.PRESENCE_PREDICTION_ONLY)
    header = pb.RequestHeader(evaluator="video", protocol_version=1)
    return pb.EvaluateShardRequest(header=header, metric=pb.MetricSpec(metric="fvd"), samples=[one])


def replicas(count: int, clips: int) -> float:
    """Clips per second of a served evaluator with so many replicas."""
    import grpc

    from benchmarks.serving import embedded
    from genlevel.v1 import evaluator_pb2_grpc

    requests = []
    for index in range(clips):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, frames=np.random.default_rng(index).integers(0, 255, (FRAMES, 24, 32, 3), np.uint8))
        requests.append(_request(buffer.getvalue(), str(index)))
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "services.toml"
        plan.write_text(f"[video]\nreplicas = {count}\n")
        os.environ["GENLEVEL_SERVICES"] = str(plan)
        try:
            with embedded("--only", "video") as (endpoints, _), grpc.insecure_channel(endpoints["video"]) as channel:
                call = evaluator_pb2_grpc.EvaluatorServiceStub(channel).EvaluateShard
                with ThreadPoolExecutor(2 * count) as pool:
                    list(pool.map(call, requests[: 2 * count]))  # networks are loaded
                    begin = time.perf_counter()
                    list(pool.map(call, requests[2 * count :]))
                    return (clips - 2 * count) / (time.perf_counter() - begin)
        finally:
            del os.environ["GENLEVEL_SERVICES"]


def main() -> None:
    """Prints one line of JSON a comparison."""
    os.environ["GENLEVEL_FEATURE_CACHE_BYTES"] = "0"  # features on disk would be those of the round before
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--long", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.long:
        long_clip(given.long)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clips").mkdir()
        for index in range(given.clips):
            for side in "pr":
                encode(folder / "clips" / f"{side}{index:03}.mp4", 2 * index + (side == "r"), FRAMES)
        end_to_end(folder / "clips", given.clips)
        encode(folder / "part.mp4", 0, 60)
        sharing(folder / "part.mp4")
        lengthen(folder / "part.mp4", folder / "long.mp4", int(60 * given.minutes))
        memory(folder / "long.mp4")
    one, two = (replicas(count, 4 * given.clips) for count in (1, 2))
    say("FVD served by 2 replicas against 1", f"{one:.2f} and {two:.2f} clips per second; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores; small clips", 1 / two, 1 / one, 0.0)


if __name__ == "__main__":
    main()
