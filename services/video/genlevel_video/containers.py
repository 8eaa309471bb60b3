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
_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")
_HEAD_BYTES = 4096
_AGAIN = "copy the file again, or encode it again"


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

    name, begun = named(blob), False
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
                begun = True
                yield container, stream
        except av.error.FFmpegError as error:
            if begun and isinstance(error, av.error.InvalidDataError):
                raise SampleError("MEDIA_DAMAGED", f"{name} cannot be decoded to its end ({error.strerror})", remedy=_AGAIN) from None
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
        counted, packets = Counted(name), _Packets(blob)
        for packet in container.demux(stream):
            packets.add(packet)
            for frame in packet.decode():
                if frame.is_corrupt:
                    raise SampleError("MEDIA_DAMAGED", f"frame {done} of {name} is damaged", remedy=_AGAIN)
                counted.add(frame.width, frame.height)
                packets.begin = frame.pts if not done else packets.begin
                if wanted(done):
                    yield done, upright(frame)
                done += 1
                if last is not None and done > last:
                    return
        packets.check_end(container, stream)
        if stream.codec_context.name in FRAME_A_PACKET and done < packets.shown:
            raise SampleError("MEDIA_DAMAGED", f"{packets.shown - done} of {packets.shown} frames of {name} cannot be decoded", remedy=_AGAIN)


class _Packets:
    """Packets of a file on their way to the decoder.

    Attributes:
        begin: when the first frame is shown.
    """

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._count = 0
        self._times: list[int | None] = []
        self.begin: int | None = None

    def add(self, packet: Any) -> None:
        """Counts a packet. What an edit leaves out is decoded and not shown."""
        if packet.size:
            self._count += 1
            if not packet.is_discard:
                self._times.append(packet.pts)

    @property
    def shown(self) -> int:
        """How many are shown. Those in front of the first frame lean on pictures that were cut away, and no decoder shows them."""
        return sum(1 for time in self._times if self.begin is None or time is None or time >= self.begin)

    def check_end(self, container: Any, stream: Any) -> None:
        """Refuses a file that ends before what its index, or its outermost element, announces."""
        name = named(self._blob)
        if self._count < stream.frames:
            raise SampleError("MEDIA_TRUNCATED", f"{name} announces {stream.frames} frames and ends after {self._count}", remedy=_AGAIN)
        if "matroska" in container.format.name:
            with opened_file(self._blob) as file:
                announced, size = matroska_end(file.read(_HEAD_BYTES)), file.seek(0, os.SEEK_END)
            if announced is not None and announced > size:
                raise SampleError("MEDIA_TRUNCATED", f"{name} announces {announced} bytes and has {size}", remedy=_AGAIN)
        if container.format.name in _ENDS:
            with opened_file(self._blob) as file:
                whole = _ENDS[container.format.name](file)
            if not whole:
                raise SampleError("MEDIA_TRUNCATED", f"{name} ends in the middle of a block", remedy=_AGAIN)


def matroska_end(head: bytes) -> int | None:
    """Where the outermost element of a Matroska file ends; None where the file does not say.

    >>> matroska_end(bytes.fromhex("1a45dfa3 81 00 18538067 83") + bytes(3)), matroska_end(bytes.fromhex("1a45dfa3 80 18538067 ff"))
    (14, None)
    """
    at = 0
    for wanted in (_EBML, _SEGMENT):
        if head[at : at + 4] != wanted or len(head) < at + 5 or not head[at + 4]:
            return None
        at += 4
        width = 9 - head[at].bit_length()
        value = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
        unknown = value == (1 << 7 * width) - 1
        at += width + value
    return None if unknown else at


def gif_is_whole(file: BinaryIO) -> bool:
    """Whether the blocks of a GIF go on to its last one; a decoder shows what there is of a frame.

    >>> head, frame = b"GIF89a" + bytes(7), b"," + bytes(9) + b"\\x02\\x01a\\x00"
    >>> [gif_is_whole(io.BytesIO(data)) for data in (head + frame + b";", head + frame, head + frame[:-2] + b";")]
    [True, False, False]
    """
    _skip_colours(file, file.read(13)[10:11])
    while (kind := file.read(1)) not in (b";", b""):
        if kind == b",":
            _skip_colours(file, file.read(9)[8:9])
        elif kind != b"!":  # stray bytes between blocks, which every reader passes over
            continue
        file.read(1)  # the label of an extension, or the size of a frame's codes
        while length := file.read(1)[:1]:
            if length == b"\0" or len(file.read(length[0])) < length[0]:
                break
    return kind == b";"


def _skip_colours(file: BinaryIO, flags: bytes) -> None:
    """Passes over the table of colours that the flags announce."""
    if flags and flags[0] & 0x80:
        file.read(3 << (flags[0] & 7) + 1)


def _packets_are_whole(file: BinaryIO) -> bool:
    """Whether a transport stream ends with a packet: of 188 bytes, or 192 with a time in front of each."""
    head = file.read(_HEAD_BYTES)
    size = next((size for at, size in ((0, 188), (4, 192)) if head[at : at + size + 1 : size] == b"GG"), 1)
    return file.seek(0, os.SEEK_END) % size == 0


_ENDS = {"gif": gif_is_whole, "mpegts": _packets_are_whole}
"""How to tell a whole file where a cut one reads like a shorter one."""


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
    """Frames, by their packets."""
    packets = _Packets(blob)
    packets.begin = begin
    with opened(blob) as (container, stream):
        for packet in container.demux(stream):
            packets.add(packet)
        packets.check_end(container, stream)
    return packets.shown


def _decoded(blob: Blob) -> int:
    last = 0

    def note(index: int) -> bool:
        nonlocal last
        last = index + 1
        return False

    for _ in read(blob, note, None):
        pass
    return last
