"""Write media so that the same content gives the same bytes."""

from __future__ import annotations

import struct
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]


def write_png(path: Path, image: NDArray[Any]) -> None:
    """Write an 8-bit image, RGB or grey."""
    coded = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    path.write_bytes(cv2.imencode(".png", coded, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


def write_jpeg(path: Path, image: Image, quality: int) -> None:
    """Write an RGB image as JPEG."""
    coded = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    path.write_bytes(cv2.imencode(".jpg", coded, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def write_flow(path: Path, flow: Floats) -> None:
    """Write a flow field (height x width x 2, pixels) in the Middlebury .flo form."""
    height, width = flow.shape[:2]
    path.write_bytes(struct.pack("<fii", 202021.25, width, height) + flow.astype("<f4").tobytes())


def write_wav(path: Path, samples: Floats, rate: int) -> None:
    """Write mono samples in [-1, 1] as 16-bit PCM."""
    quantised = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(rate)
        sink.writeframes(quantised.tobytes())


def write_video(path: Path, frames: list[Image], rate: int = 8) -> None:
    """Write RGB frames as H.264 in mp4.

    x264's vector code gives other bytes from run to run; its plain code in one thread does not, on any processor.
    """
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as sink:
        stream = sink.add_stream("libx264", rate=Fraction(rate), options={"crf": "18", "x264-params": "asm=0:threads=1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")):
                sink.mux(packet)
        for packet in stream.encode():
            sink.mux(packet)


def write_points(path: Path, points: Floats) -> None:
    """Write a point cloud as binary PLY."""
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    )
    path.write_bytes(header.encode() + np.ascontiguousarray(points, dtype="<f4").tobytes())


def write_mesh(path: Path, vertices: Floats, faces: NDArray[Any]) -> None:
    """Write a triangle mesh as binary PLY."""
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.zeros(len(faces), dtype=[("n", "u1"), ("v", "<i4", 3)])
    rows["n"], rows["v"] = 3, faces
    path.write_bytes(header.encode() + np.ascontiguousarray(vertices, dtype="<f4").tobytes() + rows.tobytes())


def write_poses(path: Path, poses: list[Floats]) -> None:
    """Write 4 x 4 poses as KITTI text: twelve numbers of the upper three rows a line."""
    lines = [" ".join(f"{value:.9e}" for value in pose[:3].ravel()) for pose in poses]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
