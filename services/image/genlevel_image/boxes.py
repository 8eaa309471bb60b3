"""Labelled boxes from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from genlevel_evaluator.kinds import Content, decode_json
from genlevel_image.media import Boxes
from genlevel_image.objects import LARGEST, entries, image_size, label_number, read_box, read_common

MAX_BOXES = 100_000
_KEYS = {"label", "box", "score", "crowd", "area"}
_LABELS = {str, int}
_NUMBERS = {int, float}


def decode_boxes(content: Content, attributes: Mapping[str, Any]) -> Boxes:
    """`[{"label", "box", "score"?, "crowd"?, "area"?}, ...]`; a JSON file holds the same."""
    value = entries(decode_json(content, attributes), "boxes", MAX_BOXES, '{"label": ..., "box": [...]}')
    size = image_size(attributes)
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
    beyond = np.count_nonzero(~(np.abs(numbers) < LARGEST)) != absent or bool((found.areas < 0).any())
    return None if beyond else found


def _boxes(labels: Any, coordinates: Any, scores: Any, crowd: Any, areas: Any, size: tuple[float, float] | None) -> Boxes:
    return Boxes(
        np.array(labels, dtype=np.int64), np.array(coordinates, dtype=np.float64).reshape(-1, 4), np.array(scores, dtype=np.float64),
        np.array(crowd, dtype=bool), np.array(areas, dtype=np.float64), size,
    )


def _row(item: Any, pointer: str) -> tuple[int, list[float], float, bool, float]:
    label, score, crowd, area = read_common(item, pointer, "a box", _KEYS)
    return label, read_box(item.get("box"), f"{pointer}/box"), score, crowd, area
