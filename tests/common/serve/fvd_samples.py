"""Small clips for FVD with the I3D, as messages of the contract, and what they give in this process."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys

import av
import numpy as np

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.state_messages import encode_state
from genlevel_video.app import EVALUATOR


def clip(seed: int, frames: int = 2) -> bytes:
    """A .npz of a few frames."""
    buffer = io.BytesIO()
    np.savez(buffer, frames=np.random.default_rng(seed).integers(0, 255, (frames, 24, 32, 3), np.uint8))
    return buffer.getvalue()


def damaged() -> bytes:
    """An MP4 that opens, and whose frames cannot be decoded: only the network finds out."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(8):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index * 20, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    data = bytearray(buffer.getvalue())
    begin = data.index(b"mdat") + 4
    end = begin - 8 + int.from_bytes(data[begin - 8 : begin - 4], "big")
    data[begin + 40 : end] = bytes(end - begin - 40)
    return bytes(data)


def request(files: dict[str, tuple[str, bytes]], finalize: bool = False) -> pb.EvaluateShardRequest:
    """Each file as a prediction, and as its own reference."""
    samples = []
    for key, (name, data) in files.items():
        sha256 = media.from_bytes(data).sha256
        content = sample_pb2.Content(media=sample_pb2.Media(inline=data, sha256=sha256, size_bytes=len(data), name=name))
        samples.append(sample_pb2.Sample(id=key, prediction=content, presence=sample_pb2.PRESENCE_PREDICTION_ONLY))
    header = pb.RequestHeader(evaluator="video", protocol_version=1)
    return pb.EvaluateShardRequest(header=header, metric=pb.MetricSpec(metric="fvd"), samples=samples, finalize=finalize)


def in_one_process(files: dict[str, tuple[str, bytes]]) -> bytes:
    """The state of the same samples, scored in one process of its own with one thread, as Ray gives a replica with one CPU.

    Not in this process: what other tests have loaded or set (threads, rounding of denormals) shows in the last bits.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    given = pickle.dumps(files)
    return subprocess.run(
        [sys.executable, __file__], input=given, stdout=subprocess.PIPE, check=True, env=environment
    ).stdout


def _state(files: dict[str, tuple[str, bytes]]) -> bytes:
    scorer = Scorer.of(EVALUATOR, "fvd")
    raw = [
        RawSample(key, Content(media=media.from_bytes(data, name)), (), Presence.PREDICTION_ONLY) for key, (name, data) in files.items()
    ]
    rows, _ = scorer.observe(raw)
    return encode_state(rows, scorer.signature().digest).SerializeToString(deterministic=True)


if __name__ == "__main__":
    sys.stdout.buffer.write(_state(pickle.load(sys.stdin.buffer)))
