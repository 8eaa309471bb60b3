"""Labelled masks from JSON: COCO run lengths, COCO polygons, or files.

Masks are kept as compressed run lengths. Rasterising polygons, and the set operations on run lengths, are pycocotools' own: AP of masks
is defined by what that library does with a pixel that an edge crosses. Everything is checked before it gets there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_evaluator.media import Blob
from genlevel_image.masks import mask_size, read_label_image
from genlevel_image.media import Instances
from genlevel_image.objects import entries, image_size, number, read_common
from genlevel_image.run_lengths import compressed_runs, whole_strings

MAX_INSTANCES = 10_000
MAX_MASK_RUNS = 1 << 24
"""Runs of all masks of a picture together."""
_KEYS = {"label", "mask", "score", "crowd", "area"}
_FARTHEST = 1e6
"""Pixels from the origin that a corner of a polygon may lie at."""
_LONGEST_OUTLINE, _MAX_OUTLINE = 1_000_000, 20_000_000
"""Length of the outline of a polygon, and of all of a picture together, in pixels: what rasterising costs."""


def decode_instances(content: Content, attributes: Mapping[str, Any]) -> Instances:
    """`[{"label", "mask", "score"?, "crowd"?, "area"?}, ...]`."""
    value = entries(decode_json(content, attributes), "instances", MAX_INSTANCES, '{"label": ..., "mask": ...}')
    canvas = _Canvas(_whole_size(attributes))
    common = [read_common(item, f"/{place}", "an instance", _KEYS) for place, item in enumerate(value)]
    canvas.checked = _together([item.get("mask") for item in value])
    masks = [canvas.read(item.get("mask"), f"/{place}/mask") for place, item in enumerate(value)]
    labels, scores, crowd, areas = zip(*common, strict=True) if common else ((), (), (), ())
    return Instances(
        np.array(labels, np.int64), np.array(scores, np.float64), np.array(crowd, bool), np.array(areas, np.float64), masks, canvas.size
    )


def _together(masks: list[Any]) -> dict[int, int]:
    """Runs of the compressed masks that are in order, by the identity of the mask; nothing where any is not."""
    strings = [mask for mask in masks if isinstance(mask, dict) and isinstance(mask.get("counts"), str)]
    try:
        sizes = [mask_size(mask.get("size"), "") for mask in strings]
    except SampleError:
        return {}
    counts = whole_strings([mask["counts"] for mask in strings], [height * width for height, width in sizes]) if strings else None
    return {id(mask): count for mask, count in zip(strings, counts, strict=True)} if counts else {}


def _whole_size(attributes: Mapping[str, Any]) -> tuple[int, int] | None:
    given = image_size(attributes)
    if given is None:
        return None
    width, height = given
    if width != int(width) or height != int(height):
        raise SampleError("WRONG_SHAPE", "image_size is not whole", remedy="give whole pixels", side="reference", pointer="/image_size")
    return mask_size([int(height), int(width)], "/image_size")


class _Canvas:
    """The picture that all masks of one side share: its size, and what reading them may still cost."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = size
        self.outline = float(_MAX_OUTLINE)
        self.runs = MAX_MASK_RUNS
        self.checked: dict[int, int] = {}

    def read(self, mask: Any, pointer: str) -> dict[str, Any]:
        """A mask as compressed run lengths."""
        if isinstance(mask, Blob):
            return self._file(mask, pointer)
        if isinstance(mask, dict):
            return self._run_lengths(mask, pointer)
        if isinstance(mask, list):
            return self._polygons(mask, pointer)
        raise SampleError("WRONG_TYPE", f"a mask is run lengths, polygons or a file, got {json_type(mask)}", remedy="see docs/formats.md", pointer=pointer)

    def _agree(self, size: tuple[int, int], pointer: str) -> None:
        self.size = self.size or size
        if self.size != size:
            message = f"the mask is {size[1]} x {size[0]} pixels, the picture {self.size[1]} x {self.size[0]}"
            raise SampleError("WRONG_SHAPE", message, remedy="give all masks the size of the picture", pointer=pointer)

    def _run_lengths(self, mask: Mapping[str, Any], pointer: str) -> dict[str, Any]:
        if not mask.keys() <= {"size", "counts"}:
            unknown = sorted(str(key) for key in mask.keys() - {"size", "counts"})[0]
            raise SampleError("UNKNOWN_KEY", f"run lengths have no key {unknown[:40]!r}", remedy="use size, counts", pointer=pointer)
        size = mask_size(mask.get("size"), pointer)
        self._agree(size, pointer)
        if id(mask) in self.checked:
            packed, runs = mask["counts"].encode(), self.checked[id(mask)]
        else:
            packed, runs = compressed_runs(mask.get("counts"), size[0] * size[1], pointer)
        self._spend_runs(runs, pointer)
        return {"size": list(size), "counts": packed}

    def _spend_runs(self, runs: int, pointer: str) -> None:
        self.runs -= runs
        if self.runs < 0:
            message = f"the masks of one picture have more than {MAX_MASK_RUNS} runs"
            raise SampleError("MASK_TOO_COMPLEX", message, remedy="smooth the masks, or drop the least sure ones", pointer=pointer)

    def _file(self, blob: Blob, pointer: str) -> dict[str, Any]:
        from pycocotools import mask as coco

        try:
            pixels = read_label_image(blob) > 0
        except SampleError as error:
            error.pointer = pointer
            raise
        self._agree((pixels.shape[0], pixels.shape[1]), pointer)
        self._spend_runs(int(np.count_nonzero(pixels[1:] != pixels[:-1])), pointer)
        return dict(coco.encode(np.asfortranarray(pixels.astype(np.uint8))))

    def _polygons(self, polygons: list[Any], pointer: str) -> dict[str, Any]:
        from pycocotools import mask as coco

        if self.size is None:
            raise SampleError("NO_IMAGE_SIZE", "polygons need the size of the picture", remedy="add image_size to the sample", pointer=pointer)
        if not polygons:
            raise SampleError("WRONG_SHAPE", "a mask has no polygon", remedy="give at least one, or leave the instance out", pointer=pointer)
        checked = [self._polygon(polygon, f"{pointer}/{place}") for place, polygon in enumerate(polygons)]
        merged: dict[str, Any] = coco.merge(coco.frPyObjects(checked, *self.size))
        return merged

    def _polygon(self, polygon: Any, pointer: str) -> list[float]:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            message = "a polygon is a list x1, y1, x2, y2, ... of at least three corners"
            raise SampleError("BAD_POLYGON", message, remedy="drop it, or give its corners", pointer=pointer)
        numbers = _corners(polygon, pointer)
        if np.abs(numbers).max() > _FARTHEST:
            message = f"a corner of a polygon lies more than {_FARTHEST:.0f} pixels away"
            raise SampleError("BAD_POLYGON", message, remedy="give corners in pixels of the picture", pointer=pointer)
        points = numbers.reshape(-1, 2)
        outline = float(np.abs(np.diff(points, axis=0, append=points[:1])).max(axis=1).sum()) + len(points)
        self.outline -= outline
        if self.outline < 0 or outline > _LONGEST_OUTLINE:
            message = f"an outline is longer than {_LONGEST_OUTLINE} pixels, or those of one picture longer than {_MAX_OUTLINE}"
            raise SampleError("MASK_TOO_COMPLEX", message, remedy="simplify the polygons, or drop the least sure ones", pointer=pointer)
        flat: list[float] = numbers.tolist()
        return flat


def _corners(polygon: list[Any], pointer: str) -> NDArray[np.float64]:
    if {*map(type, polygon)} <= {int, float}:
        try:
            numbers = np.array(polygon, dtype=np.float64)
        except OverflowError:
            numbers = np.array([np.inf])
        if np.isfinite(numbers).all():
            return numbers
    return np.array([number(entry, f"{pointer}/{place}") for place, entry in enumerate(polygon)])
