"""Labelled boxes from JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from math import inf, nan
from typing import Any

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_image.media import Boxes

MAX_BOXES = 100_000
_KEYS = {"label", "box", "score", "crowd", "area"}
_LABELS = {str, int}
_NUMBERS = {int, float}
_LARGEST = 1e100


def decode_boxes(content: Content, attributes: Mapping[str, Any]) -> Boxes:
    """`[{"label", "box", "score"?, "crowd"?, "area"?}, ...]`; a JSON file holds the same."""
    value = decode_json(content, attributes)
    if not isinstance(value, list):
        raise SampleError("WRONG_TYPE", f"expected a list of boxes, got {json_type(value)}", remedy='give [{"label": ..., "box": [...]}, ...]')
    if len(value) > MAX_BOXES:
        raise SampleError("TOO_MANY_BOXES", f"{len(value)} boxes on one picture, the limit is {MAX_BOXES}", remedy="drop the least sure ones")
    size = _image_size(attributes.get("image_size"))
    found = _in_bulk(value, size)
    if found is None:  # something is wrong: walk through it slowly and say where
        rows = [_row(item, f"/{place}") for place, item in enumerate(value)]
        labels, coordinates, scores, crowd, areas = zip(*rows, strict=True)
        found = _boxes(labels, coordinates, scores, crowd, areas, size)
    return found


def _in_bulk(value: list[Any], size: tuple[float, float] | None) -> Boxes | None:
    """The boxes, checked together; None where any of them is not in order."""
    try:
        given = [item["box"] for item in value]
        labels = [label_number(str(item["label"])) for item in value if type(item["label"]) in _LABELS]
        scores = [nan if (score := item.get("score")) is None else score for item in value]
        areas = [nan if (area := item.get("area")) is None else area for item in value]
        crowd = [item.get("crowd", False) for item in value]
        flat = [number for box in given for number in box]
        plain = {*map(type, flat), *map(type, scores), *map(type, areas)} <= _NUMBERS and {*map(type, crowd)} <= {bool}
        whole = len(labels) == len(value) and all(len(box) == 4 and type(box) is list for box in given)
        if not plain or not whole or not all(item.keys() <= _KEYS for item in value):
            return None
        found = _boxes(labels, flat, scores, crowd, areas, size)
    except (TypeError, KeyError, AttributeError, OverflowError):
        return None
    numbers = np.concatenate([found.coordinates.ravel(), found.scores, found.areas])
    # NaN stands for an absent score or area; a NaN that was given counts as one too many.
    absent = sum(score is nan for score in scores) + sum(area is nan for area in areas)
    beyond = np.count_nonzero(~(np.abs(numbers) < _LARGEST)) != absent or bool((found.areas < 0).any())
    return None if beyond else found


def _boxes(labels: Any, coordinates: Any, scores: Any, crowd: Any, areas: Any, size: tuple[float, float] | None) -> Boxes:
    return Boxes(
        np.array(labels, dtype=np.int64), np.array(coordinates, dtype=np.float64).reshape(-1, 4), np.array(scores, dtype=np.float64),
        np.array(crowd, dtype=bool), np.array(areas, dtype=np.float64), size,
    )


@lru_cache(maxsize=65_536)
def label_number(label: str) -> int:
    """A stable 64-bit number for a label; labels are compared as trimmed text."""
    return int.from_bytes(hashlib.blake2b(label.strip().encode(), digest_size=8).digest(), "little", signed=True)


def _row(item: Any, pointer: str) -> tuple[int, list[float], float, bool, float]:
    if not isinstance(item, dict):
        raise SampleError("WRONG_TYPE", f"a box is an object, got {json_type(item)}", remedy='give {"label": ..., "box": [...]}', pointer=pointer)
    if not item.keys() <= _KEYS:
        unknown = sorted(str(key) for key in item.keys() - _KEYS)[0]
        raise SampleError("UNKNOWN_KEY", f"a box has no key {unknown[:40]!r}", remedy=f"use {', '.join(sorted(_KEYS))}", pointer=pointer)
    label, crowd = item.get("label"), item.get("crowd", False)
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise SampleError("WRONG_TYPE", f"a label is text or a whole number, got {json_type(label)}", remedy="name the class", pointer=f"{pointer}/label")
    if not isinstance(crowd, bool):
        raise SampleError("WRONG_TYPE", f"crowd is a truth value, got {json_type(crowd)}", remedy="use true or false", pointer=f"{pointer}/crowd")
    box = item.get("box")
    if not isinstance(box, list) or len(box) != 4:
        raise SampleError("WRONG_SHAPE", "a box is a list of four numbers", remedy="give [x1, y1, x2, y2]", pointer=f"{pointer}/box")
    numbers = [_number(entry, f"{pointer}/box/{place}") for place, entry in enumerate(box)]
    score = _number(item["score"], f"{pointer}/score") if item.get("score") is not None else nan
    area = _number(item["area"], f"{pointer}/area") if item.get("area") is not None else nan
    if area < 0:
        raise SampleError("NEGATIVE_AREA", "an area is below 0", remedy="give square pixels", pointer=f"{pointer}/area")
    return label_number(str(label)), numbers, score, crowd, area


def _number(value: Any, pointer: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SampleError("WRONG_TYPE", f"expected a number, got {json_type(value)}", remedy="give a number", pointer=pointer)
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not abs(number) < _LARGEST:
        raise SampleError("NOT_FINITE", "a number is not finite, or absurdly large", remedy="give finite pixels and scores", pointer=pointer)
    return number


def _image_size(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(isinstance(v, int | float) and 0 < v < 1e9 for v in value):
        raise SampleError("WRONG_SHAPE", "image_size is not [width, height]", remedy="give two numbers above 0", pointer="/image_size")
    return float(value[0]), float(value[1])
