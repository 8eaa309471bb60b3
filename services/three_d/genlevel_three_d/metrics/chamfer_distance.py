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
State       rows keyed by sample: both directed means, precision, recall, Hausdorff distance, agreement of normals, earth mover's
            distance, noise of the sampling
Undefined   no shape has a reference (no_reference); a shape without points or area is an issue of its sample
Companions  prediction_to_reference, reference_to_prediction, precision, recall and f_score (percent of points within
            `f_score_threshold`), hausdorff, shapes; normal_consistency (meshes: mean of |n . m| over points and the nearest of the
            other side); emd (earth mover's distance: mean length of the best one-to-one pairing of `emd_points` points a side, which
            are all points where both sides have so few; pairing n points costs n^3, so more than 2,048 are not taken);
            sampling_noise (meshes: the reference against another draw of itself, the least that can be told from zero)
Warnings    UNIT_SUSPECT: one side is at least 100 times as large as the other, as metres against millimetres are
Source      Fan, Su and Guibas 2017; F-score of Knapitsch et al. 2017; normal consistency of Mescheder et al. 2019
Checked with  scipy cKDTree and torch.cdist in float64 (1e-12); Open3D compute_point_cloud_distance (1e-12); all permutations for the earth mover's
            distance; closed forms
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

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_three_d.closeness import earth_movers, normal_consistency
from genlevel_three_d.nearest import distances, neighbours
from genlevel_three_d.shapes import PointSet
from genlevel_three_d.surface import cloud, extent, frame, normals, sampled

Floats = NDArray[np.float64]

MAX_SAMPLED = 5_000_000
MAX_EMD = 2_048
"""The best pairing of so many points takes about a second."""
SUSPECT = 100.0
"""From this ratio of sizes on, the sides are taken to be in different units."""


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
        emd_points: points a side of the earth mover's distance; 0 leaves it out.
    """

    squared: bool = True
    directions: Literal["sum", "mean"] = "sum"
    normalisation: Literal["none", "unit_cube", "unit_sphere"] = "none"
    sampled_points: int = 100_000
    seed: int = 0
    f_score_threshold: float = 0.01
    emd_points: int = 512

    def __post_init__(self) -> None:
        if not 1 <= self.sampled_points <= MAX_SAMPLED:
            raise ValueError(f"sampled_points: {self.sampled_points} is not between 1 and {MAX_SAMPLED}")
        if self.seed < 0:
            raise ValueError("seed: must not be negative")
        if not (self.f_score_threshold > 0.0 and math.isfinite(self.f_score_threshold)):
            raise ValueError("f_score_threshold: must be a positive number")
        if not 0 <= self.emd_points <= MAX_EMD:
            raise ValueError(f"emd_points: {self.emd_points} is not between 0 and {MAX_EMD}")


def observe(sample: Sample, parameters: ChamferParameters) -> Row:
    """Directed means and companions of one shape."""
    prediction, of_prediction = sampled(sample.prediction, parameters.sampled_points, parameters.seed, "prediction")
    reference, of_reference = sampled(sample.reference, parameters.sampled_points, parameters.seed, "reference")
    centre, size = frame(reference, parameters.normalisation)
    if parameters.normalisation != "none":
        prediction, reference = (prediction - centre) / size, (reference - centre) / size
        _check_scale(prediction)
    consistency = math.nan
    if of_prediction is None or of_reference is None:
        to_reference, to_prediction = distances(prediction, reference)
    else:
        (to_reference, there), (to_prediction, back) = neighbours(prediction, reference)
        consistency = normal_consistency(normals(sample.prediction, of_prediction), normals(sample.reference, of_reference), there, back)
    power = 2 if parameters.squared else 1
    return {
        "to_reference": np.mean(to_reference**power),
        "to_prediction": np.mean(to_prediction**power),
        "precision": np.mean(to_reference < parameters.f_score_threshold),
        "recall": np.mean(to_prediction < parameters.f_score_threshold),
        "hausdorff": max(to_reference.max(), to_prediction.max()),
        "normals": consistency,
        "emd": earth_movers(prediction, reference, parameters.emd_points, parameters.seed) if parameters.emd_points else math.nan,
        "noise": _noise(sample.reference, reference, centre, size, parameters) if of_reference is not None else math.nan,
    }


def _check_scale(prediction: Floats) -> None:
    """Refuses distances whose squares would overflow."""
    if not np.abs(prediction).max() < 1e150:
        raise SampleError(
            "DEGENERATE_GEOMETRY", "the prediction is more than 1e150 times as far away as the reference is large", remedy="use normalisation=none", side="reference"
        )


def _noise(shape: PointSet, reference: Floats, centre: Floats, size: float, parameters: ChamferParameters) -> float:
    """Sum of both directed means of the reference and another draw of it."""
    again = (cloud(shape, parameters.sampled_points, parameters.seed + 1, "reference") - centre) / size
    power = 2 if parameters.squared else 1
    return float(sum(np.mean(way**power) for way in distances(again, reference)))


def remarks(sample: Sample, row: Row, parameters: ChamferParameters) -> list[SampleError]:
    """Sides whose sizes tell of different units."""
    del row, parameters
    sizes = extent(sample.prediction.points), extent(sample.reference.points)
    if min(sizes) <= 0.0 or max(sizes) / min(sizes) < SUSPECT:
        return []
    larger = "prediction" if sizes[0] > sizes[1] else "reference"
    message = f"the {larger} is {max(sizes) / min(sizes):.4g} times as large as the other side"
    return [SampleError("UNIT_SUSPECT", message, remedy="check the unit of both sides: metres and millimetres differ by 1000", side="prediction")]


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
            **_known(rows, parameters),
            "shapes": float(len(rows)),
        },
    )


def _known(rows: Rows, parameters: ChamferParameters) -> dict[str, float]:
    """Means over the shapes that have them."""
    half = 0.5 if parameters.directions == "mean" else 1.0
    factors = {"normals": ("normal_consistency", 1.0), "emd": ("emd", 1.0), "noise": ("sampling_noise", half)}
    there = {column: values[~np.isnan(values)] for column in factors for values in [rows.column(column)]}
    return {name: factor * _mean(there[column]) for column, (name, factor) in factors.items() if len(there[column])}


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
    columns={name: Column("f8") for name in ("to_reference", "to_prediction", "precision", "recall", "hausdorff", "normals", "emd", "noise")},
    observe=observe, score=score, interval=interval, samples=_values, remarks=remarks,
)  # fmt: skip
