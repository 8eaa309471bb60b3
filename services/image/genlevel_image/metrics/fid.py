"""FID: Fréchet distance of Inception features of generated and real pictures.

    fid = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) over the 2,048 features of the last pooling, covariances unbiased, in float64

    Direction   lower is better
    Range       [0, inf]
    Unit        absolute
    Pooling     set: one value of two sets
    Sample      prediction: a generated picture; reference: a real one; either may be absent, and the sets need not be of one size
    State       feature rows of either side, keyed by sample; on disk past 128 MB a side
    Undefined   no real picture: no_reference; fewer than two pictures on a side: too_few_samples
    Source      Heusel et al. 2017, arXiv 1706.08500; KID: Bińkowski et al. 2018, arXiv 1801.01401; precision and recall:
                Kynkäänniemi et al. 2019; authenticity: Alaa et al. 2022, arXiv 2102.08921; fid_infinity: Chong and Forsyth 2020
    Companions  predictions, references (pictures); kid over all pairs with its standard error; precision and recall in percent (third
                neighbours, from four pictures a side on); authenticity: percent of generated pictures that are no copies, a copy being
                nearer to a real picture than any other real one is; from 4,098 generated pictures on (half of them more than dimensions)
                fid_infinity with the standard error of its line: the value at endlessly many generated pictures
    Checked with  pytorch-fid 0.3.0 and torch-fidelity 0.4.0, their networks with the same weights and their distances; clean-fid 0.1.35
    Differs from  no confidence interval, since resampling inflates the distance. Below 2,048 pictures a side the value is mostly bias: warning
                small_sample; with no more pictures than dimensions: rank_deficient.
                The default network is a stand-in that can be had offline; `backbone=inception-2015` is the one of the literature.

    >>> import numpy as np
    >>> from genlevel_evaluator.statistics.frechet import frechet_distance
    >>> rows = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> round(frechet_distance(rows + [3.0, 4.0], rows), 9)
    25.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows, feature_rows
from genlevel_evaluator.statistics.frechet import frechet_distance, sample_warnings
from genlevel_evaluator.statistics.set_companions import companions

_WIDTH = 2048
_FEATURES = Column("f4", (_WIDTH,), ragged=True, features=True)


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
    name = network(parameters)
    return {f"{side}_features": feature_rows(sample.features.get((name, side)), _WIDTH) for side in ("prediction", "reference")}


def score(rows: Rows, parameters: FidParameters) -> Score:
    """Distance of the two sets."""
    del parameters
    generated, real = (rows.features(f"{side}_features") for side in ("prediction", "reference"))
    counts = {"predictions": float(len(generated)), "references": float(len(real))}
    if min(counts.values()) < 2:
        return Score(None, "too_few_samples" if len(real) else "no_reference", counts)
    beside = counts | companions(generated, real, "fid", "kid")
    return Score(frechet_distance(generated, real), companions=beside, warnings=sample_warnings(generated, real))


METRIC = Metric(
    id="fid", version=1, input_kind="image", unit="absolute", higher_is_better=False, value_range=(0.0, float("inf")), pooling="set",
    parameters=FidParameters, columns={"prediction_features": _FEATURES, "reference_features": _FEATURES},
    observe=observe, score=score, backbones=lambda parameters: (network(parameters),), reads=(), set_metric=True,
)
