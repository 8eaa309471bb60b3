"""Frames of video files, by PyAV. Only this module knows the library."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_video.frame_limits import MAX_PIXELS, ClipInfo, Counted, Frame, check_size, named

DEMUXERS = (
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "gif", "mpeg", "mpegts", "mpegvideo", "flv", "ogg",
    "asf", "ivf", "h264", "hevc", "m4v", "nut", "mxf", "dv", "yuv4mpegpipe", "apng", "obu", "rm", "swf", "vc1",
)  # fmt: skip
"""Containers that hold their own data. Playlists, which name other files and addresses, are not among them."""

FRAME_A_PACKET = frozenset({
    "h264", "hevc", "av1", "vp9", "mjpeg", "png", "apng", "gif", "ffv1", "prores", "dnxhd", "rawvideo", "huffyuv", "ffvhuff", "utvideo",
})  # fmt: skip
"""Codecs of which every packet becomes one frame, so that packets can be counted; with others (hidden and packed frames) all is decoded."""

THREADS = 4


@contextmanager
def opened_file(blob: Blob) -> Iterator[BinaryIO]:
    """The bytes of a file."""
    if blob.data is not None:
        yield io.BytesIO(blob.data)
        return
    assert blob.path is not None
    with blob.path.open("rb") as file:
        yield file


@contextmanager
def opened(blob: Blob) -> Iterator[tuple[Any, Any]]:
    """The opened container and its video stream; every fault of the library becomes a SampleError."""
    import av

    name = named(blob)
    if blob.data == b"" or (blob.path is not None and not os.path.getsize(blob.path)):
        raise SampleError("EMPTY_FILE", f"{name} is empty", remedy="copy the file again")
    options = {"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none"}
    with opened_file(blob) as file:
        try:
            with av.open(file, mode="r", options=options, metadata_errors="ignore") as container:
                streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
                if not streams or streams[0].codec_context is None:
                    raise SampleError("NOT_A_VIDEO", f"{name} has no picture", remedy="give a video file")
                stream = streams[0]
                check_size(stream.codec_context.width, stream.codec_context.height, name)
                # The picture inside may be larger than the container says: the decoder refuses it too.
                stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
                yield container, stream
        except av.error.FFmpegError as error:
            code = "NOT_A_VIDEO" if isinstance(error, av.error.InvalidDataError | av.error.ArgumentError) else "UNREADABLE"
            raise SampleError(
                code, f"{name} cannot be read as a video ({error.strerror})", remedy="check the file, or encode it again"
            ) from None


def read(blob: Blob, wanted: Callable[[int], bool], last: int | None, threads: int = THREADS) -> Iterator[tuple[int, Frame]]:
    """The wanted frames with their indices, up to frame `last`. Every file is read from its beginning: what a decoder gives after a seek
    depends on the file. The others are decoded and not converted."""
    name = named(blob)
    done = 0
    with opened(blob) as (container, stream):
        _spread(stream, 1 if last is not None and last < 2 * THREADS else threads)
        counted = Counted(name)
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise SampleError("MEDIA_DAMAGED", f"frame {done} of {name} is damaged", remedy="copy the file again, or encode it again")
            counted.add(frame.width, frame.height)
            if wanted(done):
                yield done, upright(frame)
            done += 1
            if last is not None and done > last:
                return
        if done < stream.frames:
            raise SampleError(
                "MEDIA_TRUNCATED", f"{name} announces {stream.frames} frames and ends after {done}", remedy="copy the file again"
            )


def _spread(stream: Any, threads: int) -> None:
    """Decodes frames in several threads; they come in order, and each is the same as with one."""
    stream.thread_type = "AUTO" if threads > 1 else "SLICE"
    stream.codec_context.thread_count = threads


def upright(frame: Any) -> Frame:
    """RGB as a player shows it: phones store pictures lying on their side, with a note to turn them."""
    pixels: Frame = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def rate(blob: Blob) -> float:
    """Mean frames a second that the file announces; 0 where it does not. Opens it."""
    with opened(blob) as (_, stream):
        return _rate(stream)


def _rate(stream: Any) -> float:
    return float(stream.average_rate or stream.guessed_rate or 0)


def info(blob: Blob) -> ClipInfo:
    """Exact facts of a file, without decoding it where its codec allows that."""
    name = named(blob)
    with opened(blob) as (container, stream):
        fps = _rate(stream)
        first = next(container.decode(stream), None)
        if first is None:
            raise SampleError("NO_FRAMES", f"{name} has no frame", remedy="give a video with at least one frame")
        height, width = upright(first).shape[:2]
        begin = first.pts
        codec = stream.codec_context.name
    frames = _packets(blob, begin) if codec in FRAME_A_PACKET else _decoded(blob)
    return ClipInfo(frames, fps, width, height)


def _packets(blob: Blob, begin: int | None) -> int:
    """Packets that are shown. Those in front of the first frame lean on pictures that were cut away, and no decoder shows them."""
    with opened(blob) as (container, stream):
        return sum(
            1 for packet in container.demux(stream)
            if packet.size and not packet.is_discard and (begin is None or packet.pts is None or packet.pts >= begin)
        )  # fmt: skip


def _decoded(blob: Blob) -> int:
    last = 0

    def note(index: int) -> bool:
        nonlocal last
        last = index + 1
        return False

    for _ in read(blob, note, None):
        pass
    return last
