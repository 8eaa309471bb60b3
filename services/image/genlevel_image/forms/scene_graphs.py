"""Scene graphs: subject, predicate, object triples of a picture, with or without boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_image.forms.objects import entries, image_size, label_number, number, read_box

MAX_TRIPLES = 10_000
_NAMES = ("subject", "predicate", "object")
_KEYS = {*_NAMES, "subject_box", "object_box", "score"}


@dataclass(frozen=True)
class Triples:
    """The triples of one picture, as they were given.

    Attributes:
        names: stable 64-bit numbers of subject, predicate and object, shape (n, 3).
        boxes: of subject and object, shape (n, 2, 4), NaN where none is given; in the format and unit the metric's parameters say.
        scores: NaN where a triple has none.
        image_size: width and height, where the sample says them.
    """

    names: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    image_size: tuple[float, float] | None = None


def decode_scene_graph(content: Content, attributes: Mapping[str, Any]) -> Triples:
    """`[{"subject", "predicate", "object", "subject_box"?, "object_box"?, "score"?}, ...]`."""
    value = entries(decode_json(content, attributes), "triples", MAX_TRIPLES, '{"subject": ..., "predicate": ..., "object": ...}')
    read = [_triple(item, f"/{place}") for place, item in enumerate(value)]
    names, boxes, scores = ([entry[part] for entry in read] for part in range(3))
    return Triples(
        np.array(names, dtype=np.int64).reshape(-1, 3), np.array(boxes, dtype=np.float64).reshape(-1, 2, 4),
        np.array(scores, dtype=np.float64), image_size(attributes),
    )


def _triple(item: Any, pointer: str) -> tuple[list[int], list[list[float]], float]:
    if not isinstance(item, Mapping):
        raise SampleError("WRONG_TYPE", f"a triple is an object, got {json_type(item)}", remedy="see docs/formats.md", pointer=pointer)
    if not item.keys() <= _KEYS:
        unknown = sorted(str(key) for key in item.keys() - _KEYS)[0]
        raise SampleError("UNKNOWN_KEY", f"a triple has no key {unknown[:40]!r}", remedy=f"use {', '.join(sorted(_KEYS))}", pointer=pointer)
    names = []
    for key in _NAMES:
        label = item.get(key)
        if isinstance(label, bool) or not isinstance(label, str | int):
            raise SampleError("WRONG_TYPE", f"{key} is text or a whole number, got {json_type(label)}", remedy=f"name the {key}", pointer=f"{pointer}/{key}")
        names.append(label_number(" ".join(str(label).casefold().split())))
    boxes = [read_box(item[key], f"{pointer}/{key}") if item.get(key) is not None else [nan] * 4 for key in ("subject_box", "object_box")]
    score = number(item["score"], f"{pointer}/score") if item.get("score") is not None else nan
    return names, boxes, score
