"""Chamfer distance: how far each point of one shape is from the other shape, both ways.

    chamfer_distance = mean over p of min over q d(p, q)  +  mean over q of min over p d(p, q)

p runs over the prediction, q over the reference, and d is the squared Euclidean distance. `squared=false` takes the plain
distance; `directions=mean` halves the sum. Meshes become `sampled_points` points, uniform by area, drawn with `seed`.
`normalisation` moves both sides by the frame of the reference: longest edge of its box to 1 (`unit_cube`), or farthest point
from the centre of its box to 1 (`unit_sphere`).

Direction   lower is better
Range       [0, inf)
Unit        coordinate units, squared unless squared=false
Pooling     sample: mean over shapes
Sample      prediction and reference, each a point cloud or a mesh
State       rows keyed by sample: both directed means, precision, recall, Hausdorff distance
Undefined   no shape has a reference (no_reference); a shape without points or area is an issue of its sample
Companions  prediction_to_reference, reference_to_prediction, precision, recall and f_score (percent of points within
            `f_score_threshold`), hausdorff, shapes
Source      Fan, Su and Guibas 2017; F-score of Knapitsch et al. 2017
Checked with  scipy cKDTree and torch.cdist in float64 (1e-12); Open3D compute_point_cloud_distance (1e-12); closed forms
Differs from  pytorch3d sums the same two means; many papers take the plain distance, a mean of both ways, or factors of
            1,000 and 10,000: the signature says which was used here. Two equal meshes get the same points and 0; with
            points drawn apart the value would be the noise of the sampling.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_three_d.shapes import PointSet
>>> a, b = PointSet(np.zeros((1, 3))), PointSet(np.array([[3.0, 4.0, 0.0]]))
>>> row = observe(Sample("1", a, (b,)), ChamferParameters())
>>> float(row["to_reference"] + row["to_prediction"])
50.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_three_d.nearest import distances
from genlevel_three_d.surface import cloud, frame

MAX_SAMPLED = 5_000_000


@dataclass(frozen=True)
class ChamferParameters(Parameters):
    """Parameters of the Chamfer distance.

    Attributes:
        squared: squared Euclidean distance instead of the plain one.
        directions: `sum` or `mean` of the two directed means.
        normalisation: frame of the reference both sides are moved by.
        sampled_points: points drawn from a mesh.
        seed: of that draw.
        f_score_threshold: plain distance below which a point counts as hit, in units after normalisation.
    """

    squared: bool = True
    directions: Literal["sum", "mean"] = "sum"
    normalisation: Literal["none", "unit_cube", "unit_sphere"] = "none"
    sampled_points: int = 100_000
    seed: int = 0
    f_score_threshold: float = 0.01

    def __post_init__(self) -> None:
        if not 1 <= self.sampled_points <= MAX_SAMPLED:
            raise ValueError(f"sampled_points: {self.sampled_points} is not between 1 and {MAX_SAMPLED}")
        if self.seed < 0:
            raise ValueError("seed: must not be negative")
        if not (self.f_score_threshold > 0.0 and math.isfinite(self.f_score_threshold)):
            raise ValueError("f_score_threshold: must be a positive number")


def observe(sample: Sample, parameters: ChamferParameters) -> Row:
    """Directed means and companions of one shape."""
    prediction = cloud(sample.prediction, parameters.sampled_points, parameters.seed, "prediction")
    reference = cloud(sample.reference, parameters.sampled_points, parameters.seed, "reference")
    centre, size = frame(reference, parameters.normalisation)
    if parameters.normalisation != "none":
        prediction, reference = (prediction - centre) / size, (reference - centre) / size
    to_reference, to_prediction = distances(prediction, reference)
    power = 2 if parameters.squared else 1
    return {
        "to_reference": np.mean(to_reference**power),
        "to_prediction": np.mean(to_prediction**power),
        "precision": np.mean(to_reference < parameters.f_score_threshold),
        "recall": np.mean(to_prediction < parameters.f_score_threshold),
        "hausdorff": max(to_reference.max(), to_prediction.max()),
    }


def score(rows: Rows, parameters: ChamferParameters) -> Score:
    """Mean over shapes."""
    ways = {
        "prediction_to_reference": _mean(rows.column("to_reference")),
        "reference_to_prediction": _mean(rows.column("to_prediction")),
    }
    precision, recall = rows.column("precision"), rows.column("recall")
    both = precision + recall
    f_score = np.divide(2.0 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    return Score(
        _mean(_values(rows, parameters)),
        companions={
            **ways,
            "precision": 100.0 * _mean(precision),
            "recall": 100.0 * _mean(recall),
            "f_score": 100.0 * _mean(f_score),
            "hausdorff": _mean(rows.column("hausdorff")),
            "shapes": float(len(rows)),
        },
    )


def _values(rows: Rows, parameters: ChamferParameters) -> NDArray[np.float64]:
    total: NDArray[np.float64] = rows.column("to_reference") + rows.column("to_prediction")
    return total / 2.0 if parameters.directions == "mean" else total


def _mean(values: NDArray[np.float64]) -> float:
    return math.fsum(values) / len(values)


def interval(rows: Rows, parameters: ChamferParameters) -> Interval | None:
    """Bootstrap over shapes."""
    return bootstrap_mean(rows.keys, _values(rows, parameters))


METRIC = Metric(
    id="chamfer_distance", version=1, input_kind="point_set", unit="coordinate units squared", higher_is_better=False,
    value_range=(0.0, math.inf), pooling="sample", parameters=ChamferParameters,
    columns={name: Column("f8") for name in ("to_reference", "to_prediction", "precision", "recall", "hausdorff")},
    observe=observe, score=score, interval=interval, samples=_values,
)  # fmt: skip
