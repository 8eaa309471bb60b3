"""Cosines of the views of a shape: the state that both CLIP scores keep."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import alignment
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.states import Column, Row, Rows

_OWN = ("lowest_view", "highest_view", "views")


def columns(width: int) -> dict[str, Column]:
    """Those of `alignment`, the worst and the best view, and how many there are."""
    return alignment.columns(width) | {name: Column("f8") for name in _OWN}


def mean_view(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of unit vectors, whose product with another vector is the mean of their cosines; of shape (views, width)."""
    return np.asarray(np.mean([alignment.unit(vector) for vector in vectors], axis=0))


def row(pictures: NDArray[Any], reference: NDArray[np.float64], ceiling: float, width: int) -> Row:
    """The row of a shape."""
    cosines = [100.0 * float(alignment.unit(vector) @ reference) for vector in pictures]
    own = dict(zip(_OWN, (min(cosines), max(cosines), len(cosines)), strict=True))
    return {**alignment.row(math.fsum(cosines) / len(cosines), ceiling, mean_view(pictures), reference, width), **own}


def missing_row(width: int) -> Row:
    """A missing shape fits nothing, from no side."""
    return {**alignment.missing_row(width), **dict.fromkeys(_OWN, 0.0)}


def companions(rows: Rows) -> dict[str, float]:
    """Those of `alignment`, and means over the shapes that are there."""
    there = rows.column("scored") > 0
    count = int(np.sum(there))
    own = {name: math.fsum(rows.column(name)[there]) / count for name in _OWN} if count else {}
    return {**alignment.companions(rows), **own}


def remarks(sample: Sample, row: Row, parameters: Any) -> list[SampleError]:
    """The material file that a shape names and that was not given with it."""
    del row, parameters
    name = sample.prediction
    if not isinstance(name, str) or not name:
        return []
    given = 'give {"shape": "a.obj", "material": "a.mtl"}'
    return [SampleError("MATERIAL_MISSING", f"the material file {name!r} was not given, so faces it colours are grey", remedy=given, side="prediction")]
