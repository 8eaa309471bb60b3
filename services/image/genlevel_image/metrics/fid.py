"""FID: Fréchet distance of Inception features of generated and real pictures.

    fid = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) over the 2,048 features of the last pooling, covariances unbiased, in float64

    Direction   lower is better
    Range       [0, inf]
    Unit        absolute
    Pooling     set: one value of two sets
    Sample      prediction: a generated picture; reference: a real one; either may be absent, and the sets need not be of one size
    State       feature rows of either side, keyed by sample; folded into moments past 4,096 rows
    Undefined   no real picture: no_reference; fewer than two pictures on a side: too_few_samples
    Source      Heusel et al. 2017, arXiv 1706.08500; kernel distance: Bińkowski et al. 2018, arXiv 1801.01401
    Checked with  pytorch-fid 0.3.0 and torch-fidelity 0.4.0, their networks with the same weights and their distances
    Differs from  no confidence interval, since resampling inflates the distance; the companions are KID over all pairs with its standard
                error, precision and recall (percent, third neighbours, from four pictures a side on), and the numbers of pictures. Below 2,048 pictures a side the value is mostly bias: warning small_sample.
                The default network is a stand-in that can be had offline; `backbone=inception-2015` is the one of the literature.

    >>> import numpy as np
    >>> from genlevel_evaluator.statistics.frechet import frechet_distance
    >>> rows = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> round(frechet_distance(rows + [3.0, 4.0], rows), 9)
    25.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Moments, Row, Rows
from genlevel_evaluator.statistics.frechet import frechet_distance, kernel_distance, sample_count, sample_warnings
from genlevel_evaluator.statistics.manifold import precision_and_recall

_FEATURES = Column("f4", (2048,), ragged=True, fold=True)
_NONE = np.zeros((0, 2048), dtype=np.float32)


@dataclass(frozen=True)
class FidParameters(Parameters):
    """Parameters of FID.

    Attributes:
        backbone: `inception-2015` is the network of the literature (weights pt_inception-2015-12-05); `inception-v3-nsfwjs` is of
            the same convolutions with other weights, pooled by mean in the last block, and its values are not comparable with published ones.
        preset: how pictures are resized to 299 x 299 and scaled: `torch` as pytorch-fid, `tf1` as torch-fidelity and the original
            program, `clean` as clean-fid.
    """

    backbone: Literal["inception-v3-nsfwjs", "inception-2015"] = "inception-v3-nsfwjs"
    preset: Literal["torch", "tf1", "clean"] = "torch"


def network(parameters: FidParameters) -> str:
    """Name of the network with its preprocessing."""
    return f"{parameters.backbone}.{parameters.preset}"


def observe(sample: Sample, parameters: FidParameters) -> Row:
    """The features of the sides that are there."""
    sides = {side: sample.features.get((network(parameters), side)) for side in ("prediction", "reference")}
    return {f"{side}_features": _NONE if rows is None else np.asarray(rows).reshape(1, -1) for side, rows in sides.items()}


def score(rows: Rows, parameters: FidParameters) -> Score:
    """Distance of the two sets."""
    del parameters
    sides = [rows.features(f"{side}_features") for side in ("prediction", "reference")]
    counts = [sample_count(side) for side in sides]
    companions = {"predictions": float(counts[0]), "references": float(counts[1])}
    if min(counts) < 2:
        return Score(None, "too_few_samples" if counts[1] else "no_reference", companions)
    return Score(frechet_distance(*sides), companions=companions | _of_rows(*sides), warnings=sample_warnings(*sides))


def _of_rows(prediction: NDArray[Any] | Moments, reference: NDArray[Any] | Moments) -> dict[str, float]:
    """KID, precision and recall, where the rows are still there."""
    if isinstance(prediction, Moments) or isinstance(reference, Moments):
        return {}
    found = kernel_distance(prediction, reference)
    companions = {"kid": found.value, "kid_standard_error": found.standard_error} if found else {}
    if shares := precision_and_recall(prediction, reference):
        companions |= {"precision": 100.0 * shares[0], "recall": 100.0 * shares[1]}
    return companions


METRIC = Metric(
    id="fid", version=1, input_kind="image", unit="absolute", higher_is_better=False, value_range=(0.0, float("inf")), pooling="set",
    parameters=FidParameters, columns={"prediction_features": _FEATURES, "reference_features": _FEATURES},
    observe=observe, score=score, backbones=lambda parameters: (network(parameters),), set_metric=True,
)
