"""The one box an expression refers to, from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_image.forms.objects import entries, image_size, number, read_box
from genlevel_image.media import Boxes

MAX_BOXES = 10_000


def decode_answer(content: Content, attributes: Mapping[str, Any]) -> Boxes:
    """`[x1, y1, x2, y2]`, `{"box", "score"?}`, or a list of such objects: no box, or the best scored, of equal scores the first."""
    value = decode_json(content, attributes)
    if isinstance(value, list) and value and not isinstance(value[0], Mapping):
        return _boxes([(read_box(value, ""), nan)], attributes)
    items = [value] if isinstance(value, Mapping) else entries(value, "boxes", MAX_BOXES, '{"box": ...}')
    found = [_item(item, "" if item is value else f"/{place}") for place, item in enumerate(items)]
    best = max(range(len(found)), key=lambda place: _rank(found[place][1]), default=None)
    return _boxes([] if best is None else [found[best]], attributes)


def decode_truth(content: Content, attributes: Mapping[str, Any]) -> Boxes:
    """`[x1, y1, x2, y2]`."""
    return _boxes([(read_box(decode_json(content, attributes), ""), nan)], attributes)


def _rank(score: float) -> float:
    return -np.inf if np.isnan(score) else score


def _item(item: Any, pointer: str) -> tuple[list[float], float]:
    if not isinstance(item, Mapping):
        raise SampleError("WRONG_TYPE", f"a box is an object, got {json_type(item)}", remedy='give {"box": [...]}', pointer=pointer)
    if not item.keys() <= {"box", "score"}:
        unknown = sorted(str(key) for key in item.keys() - {"box", "score"})[0]
        raise SampleError("UNKNOWN_KEY", f"an answer has no key {unknown[:40]!r}", remedy="use box, score", pointer=pointer)
    score = number(item["score"], f"{pointer}/score") if item.get("score") is not None else nan
    return read_box(item.get("box"), f"{pointer}/box"), score


def _boxes(found: list[tuple[list[float], float]], attributes: Mapping[str, Any]) -> Boxes:
    count = len(found)
    return Boxes(
        np.zeros(count, np.int64), np.array([box for box, _ in found], dtype=np.float64).reshape(-1, 4), np.array([score for _, score in found]),
        np.zeros(count, bool), np.full(count, nan), image_size(attributes),
    )
