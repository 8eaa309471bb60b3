"""Single-channel pictures of a clip in order: saliency maps and masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import LIMIT_BYTES, read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.grey import Grey, read_shares
from genlevel_evaluator.pixels.pictures import MAX_PIXELS

MAX_FRAMES = 16_384
_REMEDY = "give a list of grey pictures, or a .npz with frames (count, height, width)"


@dataclass(frozen=True)
class GreyFrames:
    """Frames: pictures that are read one at a time, or an array."""

    pictures: tuple[Blob, ...] = ()
    array: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.pictures) if self.array is None else len(self.array)

    def __iter__(self) -> Iterator[Grey]:
        if self.array is None:
            for place, blob in enumerate(self.pictures):
                yield _read(blob, place)
            return
        for frame in self.array:
            yield Grey(frame, 255.0 if frame.dtype == np.uint8 else 1.0)


def decode_frames(content: Content, attributes: Mapping[str, Any]) -> GreyFrames:
    """A list of picture files, or an array."""
    del attributes
    if isinstance(content.json, list) and content.json and all(isinstance(item, Blob) for item in content.json):
        if len(content.json) > MAX_FRAMES:
            raise SampleError("TOO_MANY_FRAMES", f"{len(content.json)} frames, at most {MAX_FRAMES} are read", remedy="cut the clip")
        return GreyFrames(tuple(content.json))
    if content.media is None:
        given = "text" if content.text is not None else "an empty list" if content.json == [] else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected grey frames, got {given}", remedy=_REMEDY)
    return GreyFrames(array=_array(content.media)) if content.media.suffix == ".npz" else GreyFrames((content.media,))


def _read(blob: Blob, place: int) -> Grey:
    try:
        return read_shares(blob, f"frame {place}", "frame")
    except SampleError as error:
        error.pointer = f"/{place}"
        raise


def _array(blob: Blob) -> NDArray[Any]:
    name = blob.name or "the frames"
    frames = read_npz(blob.read(), ("frames",), name, LIMIT_BYTES).get("frames")
    if frames is None or frames.ndim != 3 or not frames.size or not (frames.dtype in (np.uint8, np.bool_) or frames.dtype.kind == "f"):
        what = "no array frames" if frames is None else f"{frames.dtype} of shape {frames.shape}"
        raise SampleError("WRONG_SHAPE", f"{name} has {what}", remedy="save uint8, or floats in 0..1, of shape (frames, height, width)")
    if len(frames) > MAX_FRAMES or frames.shape[1] * frames.shape[2] > MAX_PIXELS:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has shape {frames.shape}", remedy=f"stay below {MAX_FRAMES} frames of {MAX_PIXELS} pixels")
    if frames.dtype.kind == "f":
        low, high = float(frames.min()), float(frames.max())
        if not (np.isfinite([low, high]).all() and low >= 0 and high <= 1):
            raise SampleError("OUT_OF_RANGE", f"{name} holds values from {low:.6g} to {high:.6g}", remedy="scale them to 0..1; they are never rescaled here")
    return frames.astype(np.float32) if frames.dtype == np.bool_ else frames


def foreground(frame: Grey) -> NDArray[np.bool_]:
    """Where a true mask is white: above 128 of 255. A picture that knows 0 and 1 only is a mask of numbers."""
    values = frame.values
    if frame.peak == 255.0 and not frame.lossy and int(values.max()) == 1:
        return np.asarray(values > 0)
    return np.asarray(values > frame.peak * (128 / 255))
