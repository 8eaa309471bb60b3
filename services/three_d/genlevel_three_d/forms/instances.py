"""Objects of one scan as sets of points: predictions with scores, references as a class and an object for every point."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_evaluator.media import Blob
from genlevel_three_d.files import labels
from genlevel_three_d.forms.objects import check_list, check_object, number, read_label

MAX_INSTANCES = 10_000
SCANNET = {
    "cabinet": 3, "bed": 4, "chair": 5, "sofa": 6, "table": 7, "door": 8, "window": 9, "bookshelf": 10, "picture": 11, "counter": 12, "desk": 14,
    "curtain": 16, "refrigerator": 24, "shower curtain": 28, "toilet": 33, "sink": 34, "bathtub": 36, "otherfurniture": 39,
}  # fmt: skip
"""Classes of the ScanNet benchmark, as NYU40 numbers them."""


@dataclass(frozen=True)
class Instance:
    """A predicted object.

    Attributes:
        label: class number; of a name that is none of ScanNet's, a number below 0.
        score: NaN where there is none.
        points: numbers of its points, rising.
        size: points of the scan, where the file says.
    """

    label: int
    score: float
    points: NDArray[np.int64]
    size: int | None = None


@dataclass(frozen=True)
class Scan:
    """Class and object of every point; object 0 is none."""

    labels: NDArray[np.int64]
    instances: NDArray[np.int64]


def decode_instances(content: Content, attributes: Mapping[str, Any]) -> list[Instance]:
    """`[{"label", "score", "points"}, ...]`."""
    value = check_list(decode_json(content, attributes), "instances", MAX_INSTANCES)
    return [_instance(item, f"/{place}") for place, item in enumerate(value)]


def _instance(item: Any, pointer: str) -> Instance:
    given = check_object(item, frozenset({"label", "score", "points"}), "an object", pointer)
    score = given.get("score")
    points, size = _points(given.get("points"), f"{pointer}/points")
    return Instance(_class(given.get("label"), f"{pointer}/label"), math.nan if score is None else number(score, f"{pointer}/score", 1e100), points, size)


def _class(value: Any, pointer: str) -> int:
    hashed = read_label(value, pointer)
    text = str(value).strip()
    if text.isdecimal() and len(text) < 10:
        return int(text)
    return SCANNET.get(text.lower(), -1 - abs(hashed) // 2)


def _points(value: Any, pointer: str) -> tuple[NDArray[np.int64], int | None]:
    if isinstance(value, Blob):
        mask = labels.read(value)
        if mask.max() > 1:
            raise SampleError("NOT_A_MASK", f"{value.name} holds numbers beyond 1", remedy="write 1 for the points of the object, 0 for the others", pointer=pointer)
        return np.flatnonzero(mask), len(mask)
    if value == []:
        return np.zeros(0, np.int64), None
    return np.unique(labels.from_json(value, "points")), None


def decode_scan(content: Content, attributes: Mapping[str, Any]) -> Scan:
    """`{"labels": [...], "instances": [...]}`, lists or files."""
    value = decode_json(content, attributes)
    if not isinstance(value, dict) or value.keys() != {"labels", "instances"}:
        raise SampleError("WRONG_TYPE", f"expected labels and instances of the points, got {json_type(value)}", remedy="see docs/formats.md")
    parts = {name: labels.read(part) if isinstance(part, Blob) else labels.from_json(part, name) for name, part in value.items()}
    if len(parts["labels"]) != len(parts["instances"]):
        raise SampleError("LENGTH_MISMATCH", "labels and instances have different lengths", remedy="give both for every point")
    return Scan(parts["labels"], parts["instances"])
