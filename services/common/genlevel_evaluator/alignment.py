"""Cosines of the vectors that networks make of pictures and captions, and what is shown beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.states import Column, Row, Rows, feature_rows
from genlevel_evaluator.statistics.intervals import bootstrap_mean

REFERENCE = "clip-vit-b-32"
"""The network of the literature."""
_BLOCK = 4096


def columns(width: int) -> dict[str, Column]:
    """State of a score: it, whether there was a prediction, the score of the references among themselves, and a unit vector of each side."""
    vectors = Column("f4", (width,), ragged=True, features=True)
    return {"score": Column("f8"), "scored": Column("u1"), "ceiling": Column("f8"), "prediction_vectors": vectors, "reference_vectors": vectors}


def row(score: float, ceiling: float, prediction: NDArray[np.float64], reference: NDArray[np.float64], width: int) -> Row:
    """One row."""
    sides = {"prediction_vectors": prediction, "reference_vectors": reference}
    return {
        "score": score, "scored": 1, "ceiling": ceiling,
        **{name: feature_rows(vector, width) for name, vector in sides.items()},
    }


def missing_row(width: int) -> Row:
    """A missing picture fits nothing."""
    none = feature_rows(None, width)
    return {"score": 0.0, "scored": 0, "ceiling": math.nan, "prediction_vectors": none, "reference_vectors": none}


def check_preset(backbone: str, preset: str) -> None:
    """Raises ValueError for a way of resizing that a network does not have."""
    if preset == "tensor" and backbone != REFERENCE:
        raise ValueError(f"preset=tensor belongs to backbone={REFERENCE}")


def every_side(sample: Sample) -> dict[str, Any]:
    """The prediction and all references, as networks look at them."""
    return {"prediction": sample.prediction} | {side_of(place): value for place, value in enumerate(sample.references)}


def side_of(place: int) -> str:
    """Name of the side of a reference, by its place.

    >>> side_of(0), side_of(1)
    ('reference', 'reference 2')
    """
    return "reference" if place == 0 else f"reference {place + 1}"


def unit(vector: NDArray[Any]) -> NDArray[np.float64]:
    """The vector in 64 bits at length one; zero stays zero."""
    wide = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(wide))
    return wide / length if length else wide


def of_captions(shown: NDArray[np.float64], captions: Sequence[NDArray[np.float64]], how: str) -> NDArray[np.float64]:
    """What stands for several captions: with `best` the vector of the one nearest to what is shown, else the mean of all, whose product is the
    mean of their cosines.
    """
    if how == "best":
        return max(captions, key=lambda caption: float(shown @ caption))
    return np.asarray(np.mean(captions, axis=0))


def against_captions(
    shown: NDArray[np.float64], references: Sequence[NDArray[np.float64]], values: Sequence[Any], how: str, thing: str
) -> tuple[NDArray[np.float64], float]:
    """What stands for the captions among the references of a sample, and the mean score that its other references have with them, or NaN.

    Args:
        shown: vector of the prediction.
        references: vectors of the references.
        values: the references.
        how: see `of_captions`.
        thing: what the prediction is, for the message.

    Raises:
        SampleError: NO_CAPTION.
    """
    captions = [vector for vector, value in zip(references, values, strict=True) if isinstance(value, Caption)]
    if not captions:
        raise SampleError("NO_CAPTION", "the sample has no caption", remedy=f"give the text that the {thing} is to show as a reference", side="reference")
    true = [vector for vector, value in zip(references, values, strict=True) if not isinstance(value, Caption)]
    ceilings = [100.0 * float(one @ of_captions(one, captions, how)) for one in true]
    return of_captions(shown, captions, how), math.fsum(ceilings) / len(ceilings) if ceilings else math.nan


def among(vectors: Sequence[NDArray[np.float64]]) -> float:
    """100 times the mean cosine of all pairs of unit vectors; NaN where there is no pair.

    >>> among([unit([1.0, 0.0]), unit([1.0, 0.0]), unit([0.0, 1.0])])
    33.333333333333336
    """
    pairs = [float(one @ other) for place, one in enumerate(vectors) for other in vectors[place + 1 :]]
    return 100.0 * math.fsum(pairs) / len(pairs) if pairs else math.nan


def companions(rows: Rows) -> dict[str, float]:
    """The floor, the ceiling and the number of pictures that are there.

    shuffled_pairs   mean score of every prediction with the references of every other sample: what a score would be by chance
    reference_pairs  mean over samples of the score of their references among themselves, where a sample has enough of them
    """
    count = int(np.sum(rows.column("scored")))
    found = {"predictions": float(count)}
    if count > 1:
        products = float(_total(rows.features("prediction_vectors")) @ _total(rows.features("reference_vectors")))
        matched = math.fsum(rows.column("score")) / 100.0  # missing pictures add nothing
        found["shuffled_pairs"] = 100.0 * (products - matched) / (count * (count - 1))
    ceiling = rows.column("ceiling")
    ceiling = ceiling[~np.isnan(ceiling)]
    if len(ceiling):
        found["reference_pairs"] = math.fsum(ceiling) / len(ceiling)
    return found


def scored(rows: Rows, beside: Mapping[str, float], backbone: str, otherwise: str, literature: str = REFERENCE) -> Score:
    """The mean over samples; `otherwise` is the warning where the backbone is not that of the literature."""
    values = rows.column("score")
    return Score(math.fsum(values) / len(values), companions=beside, warnings=() if backbone == literature else (otherwise,))


def metric(**own: Any) -> Metric[Any]:
    """A metric that is the mean of 100 times a cosine."""
    return Metric(
        unit="cosine x100", higher_is_better=True, value_range=(-100.0, 100.0), interval=lambda rows, _: bootstrap_mean(rows.keys, rows.column("score")),
        samples=lambda rows, _: rows.column("score"), sides=every_side, **own,
    )  # fmt: skip


def _total(vectors: Any) -> NDArray[np.float64]:
    """Sum of the rows, block by block."""
    total = np.zeros(vectors.shape[1])
    for start in range(0, len(vectors), _BLOCK):
        total += np.asarray(vectors[start : start + _BLOCK], dtype=np.float64).sum(axis=0)
    return total
