"""Labelled masks from JSON: COCO run lengths, COCO polygons, files, or one picture of instance numbers.

Masks are kept as compressed run lengths. Rasterising polygons, and the set operations on run lengths, are pycocotools' own: AP of masks
is defined by what that library does with a pixel that an edge crosses. Everything is checked before it gets there. Masks of one form
are checked together, because one at a time takes longer than scoring them; where any is not in order, each is looked at alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.run_lengths import packed, runs_of, whole_strings
from genlevel_image.forms import polygons
from genlevel_image.forms.instance_images import numbered
from genlevel_image.forms.masks import mask_size, read_label_image
from genlevel_image.forms.objects import entries, image_size, read_all
from genlevel_image.media import Instances

MAX_INSTANCES = 10_000
MAX_MASK_RUNS = 1 << 24
"""Runs of all masks of a picture together."""
_KEYS = {"label", "mask", "score", "crowd", "area"}
_RUN_LENGTHS = {"size", "counts"}
Mask = dict[str, Any]


def decode_instances(content: Content, attributes: Mapping[str, Any]) -> Instances:
    """`[{"label", "mask", "score"?, "crowd"?, "area"?}, ...]`, or `{"image": file, "segments": [{"id", "label", ...}, ...]}`."""
    value = decode_json(content, attributes)
    size = _whole_size(attributes)
    if isinstance(value, Mapping):
        return numbered(value, size, MAX_INSTANCES)
    value = entries(value, "instances", MAX_INSTANCES, '{"label": ..., "mask": ...}')
    common = read_all(value, "an instance", _KEYS)
    canvas = _Canvas(size)
    masks = canvas.read_all([item.get("mask") for item in value])
    return Instances(common.labels, common.scores, common.crowd, common.areas, masks, canvas.size)


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
        self.outline = float(polygons.MAX_OUTLINE)
        self.runs = MAX_MASK_RUNS

    def read_all(self, masks: Sequence[Any]) -> list[Mask]:
        """Masks as compressed run lengths."""
        found = self._polygons_together(masks) | self._strings_together(masks)
        return [found[place] if place in found else self._read(mask, f"/{place}/mask") for place, mask in enumerate(masks)]

    def _strings_together(self, masks: Sequence[Any]) -> dict[int, Mask]:
        """The compressed run lengths by place; nothing where any of them is not in order."""
        strings = [(place, mask) for place, mask in enumerate(masks) if type(mask) is dict and type(mask.get("counts")) is str]
        if not strings or not all(mask.keys() == _RUN_LENGTHS and mask["size"] == strings[0][1]["size"] for _, mask in strings):
            return {}
        try:
            size = mask_size(strings[0][1]["size"], "")
        except SampleError:
            return {}
        checked = whole_strings([mask["counts"] for _, mask in strings], [size[0] * size[1]] * len(strings))
        if checked is None or (self.size or size) != size or int(checked[0].sum()) > self.runs:
            return {}
        self.size = size
        self.runs -= int(checked[0].sum())
        return {place: {"size": size, "counts": mask["counts"].encode()} for place, mask in strings}

    def _polygons_together(self, masks: Sequence[Any]) -> dict[int, Mask]:
        """The same of polygons."""
        given = [(place, mask) for place, mask in enumerate(masks) if type(mask) is list]
        if not given or self.size is None or not all(mask for _, mask in given):
            return {}
        checked = polygons.checked_together(list(chain.from_iterable(mask for _, mask in given)))
        if checked is None or checked[1] > self.outline:
            return {}
        self.outline -= checked[1]
        masks = polygons.rasterised(checked[0], [len(mask) for _, mask in given], self.size)
        return {place: mask for (place, _), mask in zip(given, masks, strict=True)}

    def _read(self, mask: Any, pointer: str) -> Mask:
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

    def _run_lengths(self, mask: Mapping[str, Any], pointer: str) -> Mask:
        if not mask.keys() <= _RUN_LENGTHS:
            unknown = sorted(str(key) for key in mask.keys() - _RUN_LENGTHS)[0]
            raise SampleError("UNKNOWN_KEY", f"run lengths have no key {unknown[:40]!r}", remedy="use size, counts", pointer=pointer)
        size = mask_size(mask.get("size"), pointer)
        self._agree(size, pointer)
        runs = runs_of(mask.get("counts"), size[0] * size[1], pointer)
        self._spend_runs(len(runs), pointer)
        return packed(runs, size)

    def _spend_runs(self, runs: int, pointer: str) -> None:
        self.runs -= runs
        if self.runs < 0:
            message = f"the masks of one picture have more than {MAX_MASK_RUNS} runs"
            raise SampleError("MASK_TOO_COMPLEX", message, remedy="smooth the masks, or drop the least sure ones", pointer=pointer)

    def _file(self, blob: Blob, pointer: str) -> Mask:
        from pycocotools import mask as coco

        try:
            pixels = read_label_image(blob) > 0
        except SampleError as error:
            error.pointer = pointer
            raise
        self._agree((pixels.shape[0], pixels.shape[1]), pointer)
        self._spend_runs(int(np.count_nonzero(pixels[1:] != pixels[:-1])), pointer)
        return dict(coco.encode(np.asfortranarray(pixels.astype(np.uint8))))

    def _polygons(self, given: list[Any], pointer: str) -> Mask:
        if self.size is None:
            raise SampleError("NO_IMAGE_SIZE", "polygons need the size of the picture", remedy="add image_size to the sample", pointer=pointer)
        if not given:
            raise SampleError("WRONG_SHAPE", "a mask has no polygon", remedy="give at least one, or leave the instance out", pointer=pointer)
        checked = []
        for place, polygon in enumerate(given):
            corners, outline = polygons.checked(polygon, f"{pointer}/{place}")
            self.outline -= outline
            if self.outline < 0:
                raise polygons.too_long(f"{pointer}/{place}")
            checked.append(corners)
        return polygons.rasterised(checked, [len(checked)], self.size)[0]
