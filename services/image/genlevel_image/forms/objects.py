"""What the lists of boxes, instances and people have in common: labels, scores, crowds and areas, read with care."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from math import inf, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import json_type

_LABELS = {str, int}
_NUMBERS = {int, float, type(None)}
LARGEST = 1e100
"""Beyond, a number is as good as infinite: its square would be."""


@lru_cache(maxsize=65_536)
def label_number(label: str) -> int:
    """A stable 64-bit number for a label; labels are compared as trimmed text."""
    return int.from_bytes(hashlib.blake2b(label.strip().encode(), digest_size=8).digest(), "little", signed=True)


def entries(value: Any, what: str, limit: int, example: str) -> list[Any]:
    """The list that a picture's objects must be."""
    if not isinstance(value, list):
        raise SampleError("WRONG_TYPE", f"expected a list of {what}, got {json_type(value)}", remedy=f"give [{example}, ...]")
    if len(value) > limit:
        raise SampleError(f"TOO_MANY_{what.upper()}", f"{len(value)} {what} on one picture, the limit is {limit}", remedy="drop the least sure ones")
    return value


@dataclass(frozen=True)
class Common:
    """Labels, scores, crowds and areas of a picture's objects; NaN where one has no score or no area."""

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    areas: NDArray[np.float64]


def read_all(value: Sequence[Any], what: str, keys: Set[str], default_label: str | None = None, at: str = "") -> Common:
    """What `read_common` reads of each object of the list at that pointer; together where all are in order, which is several times
    as fast."""
    found = together(value, keys, default_label)
    if found is None:  # something is wrong: walk through it slowly and say where
        rows = [read_common(item, f"{at}/{place}", what, keys, default_label) for place, item in enumerate(value)]
        labels, scores, crowd, areas = zip(*rows, strict=True)
        found = _common(labels, scores, crowd, areas)
    return found


def together(value: Sequence[Any], keys: Set[str], default_label: str | None = None) -> Common | None:
    """The same, or None where any object is not in order."""
    try:
        labels = [label_number(str(label)) for item in value if type(label := item.get("label", default_label)) in _LABELS]
        scores, areas = ([item.get(name) for item in value] for name in ("score", "area"))
        crowd = [item.get("crowd", False) for item in value]
        plain = {*map(type, scores), *map(type, areas)} <= _NUMBERS and {*map(type, crowd)} <= {bool}
        if not plain or len(labels) != len(value) or not keys >= set().union(*value):
            return None
        found = _common(labels, scores, crowd, areas)
    except (TypeError, AttributeError, OverflowError):
        return None
    # NaN stands for an absent score or area; a NaN that was given counts as one too many.
    whole = sum(int(np.count_nonzero(np.abs(numbers) < LARGEST)) for numbers in (found.scores, found.areas))
    beyond = whole + scores.count(None) + areas.count(None) != 2 * len(value)
    return None if beyond or (found.areas < 0).any() else found


def _common(labels: Sequence[int], scores: Sequence[float], crowd: Sequence[bool], areas: Sequence[float]) -> Common:
    return Common(np.array(labels, np.int64), np.array(scores, np.float64), np.array(crowd, bool), np.array(areas, np.float64))


def read_common(item: Any, pointer: str, what: str, keys: Set[str], default_label: str | None = None) -> tuple[int, float, bool, float]:
    """Label, score, crowd and area of an object; NaN where it has no score or no area.

    Args:
        what: such as `a box`, for messages.
        keys: the keys the object may have.
        default_label: where a label may be left out.
    """
    if not isinstance(item, dict):
        raise SampleError("WRONG_TYPE", f"{what} is an object, got {json_type(item)}", remedy="see docs/formats.md", pointer=pointer)
    if not item.keys() <= keys:
        unknown = sorted(str(key) for key in item.keys() - keys)[0]
        raise SampleError("UNKNOWN_KEY", f"{what} has no key {unknown[:40]!r}", remedy=f"use {', '.join(sorted(keys))}", pointer=pointer)
    label, crowd = item.get("label", default_label), item.get("crowd", False)
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise SampleError("WRONG_TYPE", f"a label is text or a whole number, got {json_type(label)}", remedy="name the class", pointer=f"{pointer}/label")
    if not isinstance(crowd, bool):
        raise SampleError("WRONG_TYPE", f"crowd is a truth value, got {json_type(crowd)}", remedy="use true or false", pointer=f"{pointer}/crowd")
    score = number(item["score"], f"{pointer}/score") if item.get("score") is not None else nan
    area = number(item["area"], f"{pointer}/area") if item.get("area") is not None else nan
    if area < 0:
        raise SampleError("NEGATIVE_AREA", "an area is below 0", remedy="give square pixels", pointer=f"{pointer}/area")
    return label_number(str(label)), score, crowd, area


def read_box(box: Any, pointer: str) -> list[float]:
    """The four numbers of a box."""
    if not isinstance(box, list) or len(box) != 4:
        raise SampleError("WRONG_SHAPE", "a box is a list of four numbers", remedy="give [x1, y1, x2, y2]", pointer=pointer)
    return [number(entry, f"{pointer}/{place}") for place, entry in enumerate(box)]


def number(value: Any, pointer: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SampleError("WRONG_TYPE", f"expected a number, got {json_type(value)}", remedy="give a number", pointer=pointer)
    try:
        result = float(value)
    except OverflowError:
        result = inf
    if not abs(result) < LARGEST:
        raise SampleError("NOT_FINITE", "a number is not finite, or absurdly large", remedy="give finite pixels and scores", pointer=pointer)
    return result


def image_size(attributes: Mapping[str, Any]) -> tuple[float, float] | None:
    """Width and height of the picture, where the sample says them."""
    value = attributes.get("image_size")
    if value is None:
        return None
    plain = isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    if not plain or not all(0 < v < 1e9 for v in value):
        raise SampleError("WRONG_SHAPE", "image_size is not [width, height]", remedy="give two numbers above 0", pointer="/image_size")
    return float(value[0]), float(value[1])


def to_pixels(points: NDArray[np.float64], size: tuple[float, float] | None, coordinates: str, side: str) -> NDArray[np.float64]:
    """Coordinates x, y, x, y, ... along the last axis, in pixels."""
    if coordinates == "pixels":
        return points
    if size is None:
        raise SampleError("NO_IMAGE_SIZE", "relative coordinates need the size of the picture", remedy="add image_size to the sample", side=side)
    return np.asarray(points * (np.tile(size, points.shape[-1] // 2) / (1000.0 if coordinates == "per_mille" else 1.0)))
