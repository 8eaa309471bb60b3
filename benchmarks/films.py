"""H.264 files of 1080p for benchmarks: a short one, and one made long without encoding it again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEIGHT = 1920, 1080
RATE = 30


def scene(seed: int, count: int) -> Any:
    """Frames of a coarse picture that moves."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (HEIGHT // 40 + 8, WIDTH // 40 + count + 8, 3), dtype=np.uint8)
    large = small.repeat(40, 0).repeat(40, 1)
    for index in range(count):
        yield np.ascontiguousarray(large[4 * index : 4 * index + HEIGHT, 20 * index : 20 * index + WIDTH])


def encode(path: Path, seed: int, count: int) -> None:
    """An H.264 file."""
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(RATE), options={"preset": "ultrafast", "g": str(count), "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for pixels in scene(seed, count):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())


def lengthen(source: Path, target: Path, seconds: int) -> int:
    """The file over and over, without encoding it again; how many frames that is."""
    import av

    with av.open(str(source)) as read, av.open(str(target), "w") as file:
        old = read.streams.video[0]
        stream = file.add_stream_from_template(old)
        packets = [(bytes(packet), packet.is_keyframe) for packet in read.demux(old) if packet.size]
        step = int(1 / (RATE * old.time_base))
        for index in range(seconds * RATE):
            data, key = packets[index % len(packets)]
            packet = av.Packet(data)
            packet.stream, packet.time_base, packet.is_keyframe = stream, old.time_base, key
            packet.pts = packet.dts = index * step
            file.mux(packet)
    return seconds * RATE
