"""Video clips: opened and checked when a sample is decoded, frames read only when a network asks for them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob

MAX_PIXELS = 1 << 26
"""Most pixels of a frame."""

DEMUXERS = (
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "gif", "mpeg", "mpegts", "mpegvideo", "flv", "ogg",
    "asf", "ivf", "h264", "hevc", "m4v", "nut", "mxf", "dv", "yuv4mpegpipe", "apng", "obu", "rm", "swf", "vc1",
)  # fmt: skip
"""Containers that hold their own data. Playlists, which name other files and addresses, are not among them."""

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    """A video file.

    Attributes:
        blob: the file.
        sha256: its digest.
    """

    blob: Blob
    sha256: str

    def frames(self, count: int) -> Iterator[Frame]:
        """The first `count` frames in order of presentation, turned upright, RGB; the last one is repeated when there are fewer."""
        last: Frame | None = None
        for number, frame in enumerate(self._read(count), start=1):
            last = frame
            yield frame
            if number == count:
                return
        if last is None:
            raise SampleError("NO_FRAMES", f"{_name(self.blob)} has no frame", remedy="give a video with at least one frame")
        for _ in range(count - number):
            yield last

    def _read(self, count: int) -> Iterator[Frame]:
        return _from_arrays(self.blob, count) if self.blob.suffix == ".npz" else _from_container(self.blob, count)


def open_clip(blob: Blob) -> Clip:
    """A clip whose file can be opened and announces a picture of sensible size.

    Raises:
        SampleError: NOT_A_VIDEO, NO_FRAMES, MEDIA_TOO_LARGE or WRONG_SHAPE.
    """
    if blob.suffix == ".npz":
        next(_from_arrays(blob, 1))
    else:
        with _container(blob):
            pass
    return Clip(blob, blob.sha256)


def _name(blob: Blob) -> str:
    return blob.name or "the video"


@contextmanager
def _file(blob: Blob) -> Iterator[BinaryIO]:
    if blob.data is not None:
        yield io.BytesIO(blob.data)
        return
    assert blob.path is not None
    with blob.path.open("rb") as file:
        yield file


def _from_arrays(blob: Blob, count: int) -> Iterator[Frame]:
    name = _name(blob)
    with _file(blob) as file:
        found = read_npz(file, ("frames",), name, limit=count * 3 * MAX_PIXELS, first=count)
    if "frames" not in found:
        raise SampleError("NOT_A_VIDEO", f"{name} has no array 'frames'", remedy="save the frames under 'frames'")
    frames = found["frames"]
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise SampleError(
            "WRONG_SHAPE",
            f"{name} holds {frames.dtype} of shape {frames.shape}",
            remedy="save uint8 RGB of shape (count, height, width, 3)",
        )
    if not frames.size:
        raise SampleError("NO_FRAMES", f"{name} has no frame", remedy="give a video with at least one frame")
    _check_size(frames.shape[2], frames.shape[1], name)
    yield from frames[:count]


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise SampleError("NOT_A_VIDEO", f"{name} announces no usable picture size", remedy="check the file, or encode it again")
    if width * height > MAX_PIXELS:
        raise SampleError(
            "MEDIA_TOO_LARGE",
            f"{name} has frames of {width} x {height} pixels, at most {MAX_PIXELS} are read",
            remedy="give a smaller video",
        )


@contextmanager
def _container(blob: Blob) -> Iterator[tuple[Any, Any]]:
    """The opened container and its video stream; every fault of the library becomes a SampleError."""
    import av

    name = _name(blob)
    if blob.data == b"" or (blob.path is not None and not os.path.getsize(blob.path)):
        raise SampleError("EMPTY_FILE", f"{name} is empty", remedy="copy the file again")
    options = {"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none"}
    with _file(blob) as file:
        try:
            with av.open(file, mode="r", options=options, metadata_errors="ignore") as container:
                streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
                if not streams or streams[0].codec_context is None:
                    raise SampleError("NOT_A_VIDEO", f"{name} has no picture", remedy="give a video file")
                stream = streams[0]
                _check_size(stream.codec_context.width, stream.codec_context.height, name)
                # The picture inside may be larger than the container says: the decoder refuses it too.
                stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
                yield container, stream
        except av.error.FFmpegError as error:
            code = "NOT_A_VIDEO" if isinstance(error, av.error.InvalidDataError | av.error.ArgumentError) else "UNREADABLE"
            raise SampleError(
                code, f"{name} cannot be read as a video ({error.strerror})", remedy="check the file, or encode it again"
            ) from None


def _from_container(blob: Blob, count: int) -> Iterator[Frame]:
    name = _name(blob)
    with _container(blob) as (container, stream):
        done = 0
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise SampleError(
                    "MEDIA_DAMAGED", f"frame {done} of {name} is damaged", remedy="copy the file again, or encode it again"
                )
            _check_size(frame.width, frame.height, name)
            yield _upright(frame)
            done += 1
            if done == count:
                return
        if done < min(count, stream.frames):
            raise SampleError(
                "MEDIA_TRUNCATED", f"{name} announces {stream.frames} frames and ends after {done}", remedy="copy the file again"
            )


def _upright(frame: Any) -> Frame:
    """RGB as a player shows it: phones store pictures lying on their side, with a note to turn them."""
    pixels: Frame = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
