"""Normal angle error: how far estimated surface normals lean from the true ones.

    rmse_angle_deg = mean over shapes of sqrt(mean over points of theta^2),  theta = arccos(|n . m|) in degrees

n is the predicted and m the true unit normal of a point. A normal and its opposite count alike; with `oriented=true` the sign
counts and theta = arccos(n . m). Where a sample lists `indices`, those points are scored (PCPNet lists 5,000 a shape).

Direction   lower is better
Range       [0, 90], and to 180 when oriented
Unit        degrees
Pooling     sample: mean over shapes; `average=subsets` takes the mean within each `subset` of the samples, then over subsets
Sample      prediction and reference, each a normal a point, in the same order
State       rows keyed by shape: sums of squared angles of both kinds, points, points within 5 and 10 degrees
Undefined   no shape has a reference: no_reference
Companions  pgp5 and pgp10 (percent of points within 5 and 10 degrees, mean over shapes); unoriented and oriented (both errors,
            whichever is the value); point_rmse (all points of all shapes alike); shapes; subsets
Source      PCPNet, Guerrero et al. 2018; its list of points and its averages
Checked with  the formula written out with arccos in the test, and rotations by known angles
Differs from  the angle is the arctangent of the lengths of cross and dot product: the same angle, without the arccosine's loss of
            eight digits near zero.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_three_d.shapes import Normals
>>> up, down = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.6, -0.8]])
>>> row = observe(Sample("1", Normals(down), (Normals(up),)), NormalParameters())
>>> round(float(np.sqrt(row["unoriented"])), 4), round(float(np.sqrt(row["oriented"])), 4)
(36.8699, 143.1301)
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_three_d.shapes import Normals

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NormalParameters(Parameters):
    """Parameters of the normal angle error.

    Attributes:
        oriented: whether a normal that points the other way is wrong.
        average: over `shapes`, or over the `subsets` that the samples name, each the mean of its shapes.
    """

    oriented: bool = False
    average: Literal["shapes", "subsets"] = "shapes"


def observe(sample: Sample, parameters: NormalParameters) -> Row:
    """Sums of one shape."""
    del parameters
    prediction, reference = _sides(sample)
    dots = (prediction * reference).sum(axis=1)
    crosses = np.sqrt((np.cross(prediction, reference) ** 2).sum(axis=1))
    unoriented, oriented = np.degrees(np.arctan2(crosses, np.abs(dots))), np.degrees(np.arctan2(crosses, dots))
    return {
        "unoriented": np.sum(unoriented**2),
        "oriented": np.sum(oriented**2),
        "points": len(dots),
        "within": np.array([[np.sum(angles < limit) for limit in (5.0, 10.0)] for angles in (unoriented, oriented)]),
        "subset": _subset(sample.attributes.get("subset", "")),
    }


def _sides(sample: Sample) -> tuple[Floats, Floats]:
    prediction, reference = (side.vectors for side in _both(sample))
    if len(prediction) != len(reference):
        raise SampleError(
            "LENGTH_MISMATCH", f"the prediction has {len(prediction)} normals, the reference {len(reference)}",
            remedy="give a normal for every point of the reference, in its order", side="prediction",
        )  # fmt: skip
    if "indices" not in sample.attributes:
        return prediction, reference
    chosen = _indices(sample.attributes["indices"], len(reference))
    return prediction[chosen], reference[chosen]


def _both(sample: Sample) -> tuple[Normals, Normals]:
    return sample.prediction, sample.reference


def _indices(value: Any, count: int) -> NDArray[np.int64]:
    # A message has no whole numbers: 5 arrives as 5.0.
    if not isinstance(value, list | tuple) or not value or not all(type(item) is int or (isinstance(item, float) and item.is_integer()) for item in value):
        raise SampleError("WRONG_TYPE", "indices is not a list of whole numbers", remedy="list the points to score, from 0", side="reference")
    if min(value) < 0 or max(value) >= count:
        raise SampleError("WRONG_SHAPE", f"indices names a point outside 0..{count - 1}", remedy="count points from 0", side="reference")
    return np.array(value, dtype=np.int64)


def _subset(value: Any) -> int:
    """A stable number for the name of a subset; none for no name."""
    name = str(value)
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True) if name else 0


def score(rows: Rows, parameters: NormalParameters) -> Score:
    """Mean over shapes, or over subsets."""
    within = rows.column("within")[:, int(parameters.oriented)] / rows.column("points")[:, None]
    points = int(rows.column("points").sum())
    kind = "oriented" if parameters.oriented else "unoriented"
    companions = {
        "pgp5": 100.0 * _mean(within[:, 0]),
        "pgp10": 100.0 * _mean(within[:, 1]),
        **{name: _averaged(rows, name, parameters) for name in ("unoriented", "oriented")},
        "point_rmse": math.sqrt(math.fsum(rows.column(kind)) / points),
        "shapes": float(len(rows)),
        "subsets": float(len(np.unique(rows.column("subset")))),
    }
    return Score(companions[kind], companions=companions)


def _averaged(rows: Rows, kind: str, parameters: NormalParameters) -> float:
    errors = _errors(rows, kind)
    if parameters.average == "shapes":
        return _mean(errors)
    names = rows.column("subset")
    return _mean(np.array([_mean(errors[names == name]) for name in np.unique(names)]))


def _errors(rows: Rows, kind: str) -> Floats:
    errors: Floats = np.sqrt(rows.column(kind) / rows.column("points"))
    return errors


def _mean(values: Floats) -> float:
    return math.fsum(values) / len(values)


def samples(rows: Rows, parameters: NormalParameters) -> Floats:
    """Error of each shape."""
    return _errors(rows, "oriented" if parameters.oriented else "unoriented")


def interval(rows: Rows, parameters: NormalParameters) -> Interval | None:
    """Bootstrap over shapes; none over subsets, which are no draws."""
    return bootstrap_mean(rows.keys, samples(rows, parameters)) if parameters.average == "shapes" else None


METRIC = Metric(
    id="rmse_angle_deg", version=1, input_kind="normals", unit="degrees", higher_is_better=False, value_range=(0.0, math.inf),
    pooling="sample", parameters=NormalParameters,
    columns={
        "unoriented": Column("f8"), "oriented": Column("f8"), "points": Column("i8"), "within": Column("i8", (2, 2)), "subset": Column("i8"),
    },
    observe=observe, score=score, interval=interval, samples=samples,
)  # fmt: skip
