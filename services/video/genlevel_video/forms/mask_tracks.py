"""Masks of the objects of a clip, as intervals of pixels.

The pixels of a clip stand in one row: frame by frame, and column by column inside a frame, as COCO's run lengths go. A mask of an object is then a
sorted list of intervals, which intersect without any picture being unpacked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.arrays import read_npz
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.channels import read_channels
from genlevel_evaluator.pixels.pictures import MAX_PIXELS, MAX_SIDE
from genlevel_evaluator.pixels.run_lengths import runs_of, whole_intervals

Edges = NDArray[np.int64]
"""Starts and ends by turns, rising: an even number of places."""

MAX_FRAMES = 16_384
MAX_BYTES = 1 << 31
_REMEDY = 'give {"objects": {name: [run lengths or null, ...]}}, a .npz with labels (frames, height, width), or a PNG for every frame'


@dataclass(frozen=True)
class MaskTracks:
    """The objects of a clip.

    Attributes:
        size: height and width; None where no object is seen in any frame.
        frames: how many.
        objects: by name, the pixels of each over the whole clip.
    """

    size: tuple[int, int] | None
    frames: int
    objects: dict[str, Edges]

    def together(self) -> Edges:
        """The pixels of any object."""
        return united(list(self.objects.values()))


def united(parts: Sequence[Edges]) -> Edges:
    """Union of sets of intervals.

    >>> united([np.array([0, 3, 8, 9]), np.array([2, 5])]).tolist()
    [0, 5, 8, 9]
    """
    if len(parts) == 1:
        return parts[0]
    starts, ends = (np.sort(np.concatenate([part[turn::2] for part in parts] or [np.zeros(0, np.int64)]), kind="stable") for turn in (0, 1))
    # A gap opens where the next start lies behind all ends so far: as many have ended as have begun.
    first = np.r_[True, starts[1:] > ends[:-1]][: len(starts)]
    last = np.r_[first[1:], True][: len(starts)]
    return np.column_stack([starts[first], ends[last]]).ravel()


def decode_masks(content: Content, attributes: Mapping[str, Any]) -> MaskTracks:
    """Objects as run lengths, a .npz of labels, or a list of label images."""
    del attributes
    if content.media is not None:
        return _from_labels(content.media)
    value = content.json
    if isinstance(value, list) and value and all(isinstance(item, Blob) for item in value):
        return _from_pictures(value)
    objects = value.get("objects") if isinstance(value, Mapping) else None
    if not isinstance(objects, Mapping) or not objects or not all(isinstance(entries, list) and entries for entries in objects.values()):
        given = "text" if content.text is not None else "an object without objects" if isinstance(value, Mapping) else json_type(value)
        raise SampleError("WRONG_TYPE", f"expected masks of objects, got {given}", remedy=_REMEDY)
    return _from_objects(objects)


def _from_objects(objects: Mapping[str, list[Any]]) -> MaskTracks:
    lengths = {len(entries) for entries in objects.values()}
    if len(lengths) > 1:
        raise SampleError(
            "FRAME_COUNT_MISMATCH", f"the objects have {min(lengths)} to {max(lengths)} frames", remedy="give one entry a frame for each, null where it is not seen",
            pointer="/objects",
        )  # fmt: skip
    frames = lengths.pop()
    if frames > MAX_FRAMES:
        raise SampleError("TOO_MANY_FRAMES", f"{frames} frames, at most {MAX_FRAMES} are read", remedy="cut the clip", pointer="/objects")
    size: tuple[int, int] | None = None
    for name, entries in objects.items():
        for place, entry in enumerate(entries):
            if entry is not None:
                size = _same_size(size, entry, f"/objects/{name}/{place}")
    if size is None:
        return MaskTracks(None, frames, {name: np.zeros(0, np.int64) for name in objects})
    return MaskTracks(size, frames, {name: _followed(entries, size, f"/objects/{name}") for name, entries in objects.items()})


def _followed(entries: Sequence[Any], size: tuple[int, int], pointer: str) -> Edges:
    """Intervals of one object over the clip; masks are read together where all are compressed and sound, else one by one, so that a fault has its place."""
    pixels = size[0] * size[1]
    places = np.array([place for place, entry in enumerate(entries) if entry is not None], dtype=np.int64)
    counts = [entries[place].get("counts") for place in places.tolist()]
    together = whole_intervals(counts, pixels) if counts and all(type(item) is str for item in counts) else None
    if together is not None:
        pairs, numbers = together
        pairs = pairs + ((places - np.arange(len(places))) * pixels).repeat(numbers)[:, None]
        return np.asarray(pairs[pairs[:, 0] < pairs[:, 1]].ravel())
    parts = [_edges(item, size, f"{pointer}/{place}") + place * pixels for place, item in zip(places.tolist(), counts, strict=True)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _same_size(size: tuple[int, int] | None, entry: Any, pointer: str) -> tuple[int, int]:
    given = entry.get("size") if isinstance(entry, Mapping) else None
    if not isinstance(given, list) or len(given) != 2 or not all(type(side) is int and 0 < side <= MAX_SIDE for side in given):
        raise SampleError("WRONG_TYPE", 'a mask is {"size": [height, width], "counts": run lengths} or null', remedy=_REMEDY, pointer=pointer)
    here = (given[0], given[1])
    if here[0] * here[1] > MAX_PIXELS:
        raise SampleError("IMAGE_TOO_LARGE", f"the mask is {here[1]} x {here[0]} pixels", remedy=f"stay below {MAX_PIXELS}", pointer=pointer)
    if size is not None and here != size:
        raise SampleError(
            "WRONG_SHAPE", f"a mask is {here[1]} x {here[0]} pixels, those before it {size[1]} x {size[0]}", remedy="give all masks of a clip one size", pointer=pointer,
        )  # fmt: skip
    return here


def _edges(counts: Any, size: tuple[int, int], pointer: str) -> Edges:
    """Intervals of one mask from its run lengths; runs of nothing fall away."""
    ends = np.cumsum(runs_of(counts, size[0] * size[1], pointer))
    pairs = np.column_stack([ends[: len(ends) // 2 * 2 : 2], ends[1::2]])
    return np.asarray(pairs[pairs[:, 0] < pairs[:, 1]].ravel())


def _from_labels(blob: Blob) -> MaskTracks:
    name = blob.name or "the masks"
    if blob.suffix != ".npz":
        raise SampleError("UNKNOWN_FORMAT", f"{name}: masks of a clip are not read from {blob.suffix or 'a file without suffix'}", remedy=_REMEDY)
    found = read_npz(blob.read(), ("labels",), name, MAX_BYTES)
    if "labels" not in found:
        raise SampleError("WRONG_SHAPE", f"{name} has no array labels", remedy="save one array, or name it labels")
    labels = found["labels"]
    if labels.ndim != 3 or not labels.size or labels.dtype.kind not in "iub":
        message = f"{name} holds {labels.dtype} of shape {labels.shape}"
        raise SampleError("WRONG_SHAPE", message, remedy="save whole numbers of shape (frames, height, width)")
    if len(labels) > MAX_FRAMES or labels.shape[1] * labels.shape[2] > MAX_PIXELS:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has shape {labels.shape}", remedy=f"stay below {MAX_FRAMES} frames of {MAX_PIXELS} pixels")
    return _tracks(list(labels), (labels.shape[1], labels.shape[2]))


def _from_pictures(blobs: Sequence[Blob]) -> MaskTracks:
    if len(blobs) > MAX_FRAMES:
        raise SampleError("TOO_MANY_FRAMES", f"{len(blobs)} frames, at most {MAX_FRAMES} are read", remedy="cut the clip")
    frames = [_picture(blob, place) for place, blob in enumerate(blobs)]
    shape = frames[0].shape
    for place, frame in enumerate(frames):
        if frame.shape != shape:
            message = f"frame {place} is {frame.shape[1]} x {frame.shape[0]} pixels, those before it {shape[1]} x {shape[0]}"
            raise SampleError("WRONG_SHAPE", message, remedy="give all frames one size", pointer=f"/{place}")
    return _tracks(frames, (shape[0], shape[1]))


def _picture(blob: Blob, place: int) -> NDArray[Any]:
    """Object numbers of one frame: a grey or palette picture of whole numbers, from a form that keeps them."""
    name = blob.name or f"frame {place}"
    read = read_channels(blob, name)
    values = read.pixels if read.mode == "P" else read.one()
    if read.lossy or values is None or values.dtype.kind not in "iub":
        message = f"{name} does not hold object numbers ({read.form}, {read.mode})"
        raise SampleError("WRONG_TYPE", message, remedy="save one channel (or a palette) as PNG", pointer=f"/{place}")
    return values // read.step if read.step > 1 else values


def _tracks(frames: Sequence[NDArray[Any]], size: tuple[int, int]) -> MaskTracks:
    """Intervals of each number above 0."""
    pixels = size[0] * size[1]
    names: list[NDArray[Any]] = []
    parts: list[Edges] = []
    for place, frame in enumerate(frames):
        flat = np.ravel(frame, order="F")
        starts = np.r_[0, np.flatnonzero(flat[1:] != flat[:-1]) + 1]
        labels = flat[starts].astype(np.int64)
        seen = labels > 0
        names.append(labels[seen])
        parts.append((np.column_stack([starts, np.r_[starts[1:], pixels]]) + place * pixels)[seen])
    label, edges = np.concatenate(names), np.concatenate(parts)
    return MaskTracks(size, len(frames), {str(number): edges[label == number].ravel() for number in np.unique(label).tolist()})
