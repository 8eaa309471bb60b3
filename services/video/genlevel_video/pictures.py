"""Clips that are no video files: arrays of frames, and lists of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from genlevel_evaluator.arrays import open_rows, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.pictures import bytes_of, open_image, read_picture
from genlevel_video.containers import opened_file
from genlevel_video.frame_limits import MAX_PIXELS, ClipInfo, Counted, Frame, check_length, check_size, named

Wanted = Callable[[int], bool]


def read_array(blob: Blob, wanted: Wanted, last: int | None) -> Iterator[tuple[int, Frame]]:
    """Frames of a .npz file, unpacked one at a time."""
    name = named(blob)
    with opened_file(blob) as file, open_rows(file, "frames", name, 3 * MAX_PIXELS) as rows:
        if rows is None:
            raise SampleError("NOT_A_VIDEO", f"{name} has no array 'frames'", remedy="save the frames under 'frames'")
        _check_shape(rows.shape, rows.dtype, name)
        for index, frame in enumerate(rows):
            if wanted(index):
                yield index, frame
            if last is not None and index >= last:
                return


def _check_shape(shape: tuple[int, ...], dtype: np.dtype[np.generic], name: str) -> None:
    if len(shape) != 4 or shape[3] != 3 or dtype != np.uint8:
        raise SampleError("WRONG_SHAPE", f"{name} holds {dtype} of shape {shape}", remedy="save uint8 RGB of shape (count, height, width, 3)")
    if not all(shape):
        raise SampleError("NO_FRAMES", f"{name} has no frame", remedy="give a video with at least one frame")
    check_size(shape[2], shape[1], name)
    check_length(shape[0], shape[2], shape[1], name)


def array_info(blob: Blob) -> ClipInfo:
    """Facts of a .npz file; its `fps` is one number, where it is there."""
    name = named(blob)
    with opened_file(blob) as file, open_rows(file, "frames", name, 3 * MAX_PIXELS) as rows:
        if rows is None:
            raise SampleError("NOT_A_VIDEO", f"{name} has no array 'frames'", remedy="save the frames under 'frames'")
        _check_shape(rows.shape, rows.dtype, name)
        frames, height, width, _ = rows.shape
    with opened_file(blob) as file:
        rate = read_npz(file, ("frames", "fps"), name, limit=8, first=0).get("fps")
    if rate is not None and rate.size != 1:
        raise SampleError("WRONG_SHAPE", f"{name} has a list as 'fps'", remedy="save one number, as np.savez(..., fps=25.0) does, or leave it out")
    fps = 0.0 if rate is None else float(rate.reshape(-1)[0])
    if not 0 <= fps < float("inf"):
        raise SampleError("WRONG_SHAPE", f"{name} gives {fps} frames a second", remedy="save a positive number as 'fps', or leave it out")
    return ClipInfo(frames, fps, width, height)


def read_list(blobs: Sequence[Blob], wanted: Wanted, last: int | None) -> Iterator[tuple[int, Frame]]:
    """Frames that are one picture file each, in the order given."""
    counted = Counted("the list of frames")
    for index, blob in enumerate(blobs):
        width, height = picture_size(blob)
        counted.add(width, height)
        if wanted(index):
            yield index, _picture(blob)
        if last is not None and index >= last:
            return


def list_info(blobs: Sequence[Blob]) -> ClipInfo:
    """Facts of a list of pictures."""
    width, height = picture_size(blobs[0])
    return ClipInfo(len(blobs), 0.0, width, height)


def picture_size(blob: Blob) -> tuple[int, int]:
    """Width and height of a picture file, from its header."""
    name = named(blob)
    with open_image(bytes_of(blob, name), name) as picture:
        size: tuple[int, int] = picture.size
    check_size(*size, name)
    return size


def _picture(blob: Blob) -> Frame:
    """8-bit RGB; 16-bit colours are rounded."""
    pixels = read_picture(blob).pixels
    return pixels if pixels.dtype == np.uint8 else ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
