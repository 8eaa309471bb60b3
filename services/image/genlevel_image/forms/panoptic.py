"""Panoptic segmentations: a picture of segment numbers, and what each segment is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.channels import WHOLE_MODES, read_channels
from genlevel_image.forms.objects import entries, label_number

MAX_SEGMENTS = 65_536
VOID = 0
_KEYS = {"id", "label", "thing", "crowd"}


@dataclass(frozen=True)
class Segments:
    """A panoptic segmentation.

    Attributes:
        places: for each pixel, the place of its segment in the lists below counted from 1, or 0 for void; shape (height, width).
        labels: a stable 64-bit number for each segment's label.
        things: 1 for a thing, 0 for stuff, 2 where the segment does not say.
        crowd: whether the segment stands for a group.
        areas: pixels of each segment.
    """

    places: NDArray[np.int32]
    labels: NDArray[np.int64]
    things: NDArray[np.uint8]
    crowd: NDArray[np.bool_]
    areas: NDArray[np.int64]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.places.shape[1], self.places.shape[0]


def decode_panoptic(content: Content, attributes: Mapping[str, Any]) -> Segments:
    """`{"image": file, "segments": [{"id", "label", "thing"?, "crowd"?}, ...]}`."""
    value = decode_json(content, attributes)
    if not isinstance(value, Mapping) or value.keys() != {"image", "segments"}:
        given = "other keys" if isinstance(value, Mapping) else json_type(value)
        raise SampleError("WRONG_TYPE", f"expected an object of image and segments, got {given}", remedy="see docs/formats.md")
    listed = entries(value["segments"], "segments", MAX_SEGMENTS, '{"id": 1, "label": ...}')
    read = [_segment(item, f"/segments/{place}") for place, item in enumerate(listed)]
    if not isinstance(value["image"], Blob):
        raise SampleError("WRONG_TYPE", f"image is {json_type(value['image'])}, not a file", remedy="give the path of a PNG", pointer="/image")
    return _joined(read_ids(value["image"]), read)


def read_ids(blob: Blob, palette: bool = False) -> NDArray[np.int32]:
    """Segment numbers: R + 256 G + 65536 B of a colour picture, or the value of a grey one; with `palette`, the index of a palette too.

    Raises:
        SampleError: what `read_channels` raises, or WRONG_TYPE.
    """
    name = blob.name or "the picture of segments"
    read = read_channels(blob, name)
    if read.lossy or read.form == "WEBP":
        raise SampleError("WRONG_TYPE", f"{name} is a {read.form}, which may change numbers", remedy="save a PNG", pointer="/image")
    pixels = read.pixels
    if read.mode == "RGB" and pixels.dtype == np.uint8:
        return np.asarray(pixels.astype(np.int32) @ np.array([1, 256, 65_536], dtype=np.int32))
    if read.mode in (*WHOLE_MODES, *("P" * palette)) and int(pixels.min()) >= 0 and int(pixels.max()) < 1 << 24:
        return pixels.astype(np.int32) // read.step
    channels = f"the channels {read.mode}" if pixels.dtype == np.uint8 else f"{read.mode} of type {pixels.dtype}"
    raise SampleError("WRONG_TYPE", f"{name} has {channels}, not red, green and blue of 8 bits", remedy="save a PNG of R + 256 G + 65536 B", pointer="/image")


def _segment(item: Any, pointer: str) -> tuple[int, int, int, bool]:
    if not isinstance(item, Mapping):
        raise SampleError("WRONG_TYPE", f"a segment is an object, got {json_type(item)}", remedy="see docs/formats.md", pointer=pointer)
    if not item.keys() <= _KEYS:
        unknown = sorted(str(key) for key in item.keys() - _KEYS)[0]
        raise SampleError("UNKNOWN_KEY", f"a segment has no key {unknown[:40]!r}", remedy=f"use {', '.join(sorted(_KEYS))}", pointer=pointer)
    number, label = item.get("id"), item.get("label")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 1 << 24:
        raise SampleError("BAD_SEGMENT_ID", "an id is not a whole number from 1 to 16777215", remedy="0 is void", pointer=f"{pointer}/id")
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise SampleError("WRONG_TYPE", f"a label is text or a whole number, got {json_type(label)}", remedy="name the class", pointer=f"{pointer}/label")
    for key in ("thing", "crowd"):
        if not isinstance(item.get(key, False), bool):
            raise SampleError("WRONG_TYPE", f"{key} is a truth value", remedy="use true or false", pointer=f"{pointer}/{key}")
    return number, label_number(str(label)), int(item["thing"]) if "thing" in item else 2, item.get("crowd", False)


def _joined(ids: NDArray[np.int32], read: list[tuple[int, int, int, bool]]) -> Segments:
    known = np.array([VOID, *(number for number, *_ in read)], dtype=np.int64)
    order = np.argsort(known, kind="stable")
    if (np.diff(known[order]) == 0).any():
        raise SampleError("REPEATED_SEGMENT", "an id is listed twice", remedy="list each id once", pointer="/segments")
    found, inverse = np.unique(ids, return_inverse=True)
    slot = np.minimum(np.searchsorted(known[order], found), len(known) - 1)
    if (known[order][slot] != found).any():
        stray = int(found[known[order][slot] != found][0])
        raise SampleError("UNLISTED_SEGMENT", f"the picture holds the id {stray}, which is not listed", remedy="list every id of the picture", pointer="/segments")
    places = order[slot].astype(np.int32)[inverse].reshape(ids.shape)
    areas = np.bincount(places.ravel(), minlength=len(known))[1:]
    if (areas == 0).any():
        absent = int(np.flatnonzero(areas == 0)[0])
        raise SampleError("EMPTY_SEGMENT", f"segment {absent} has no pixel", remedy="list only ids of the picture", pointer=f"/segments/{absent}")
    return Segments(
        places, np.array([label for _, label, *_ in read], dtype=np.int64), np.array([thing for *_, thing, _ in read], dtype=np.uint8),
        np.array([crowd for *_, crowd in read], dtype=bool), areas.astype(np.int64),
    )
