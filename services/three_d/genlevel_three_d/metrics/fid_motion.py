"""Fréchet distance of features of generated and real human motions.

    fid_motion = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) over the features of motions, covariances unbiased, in float64

    Direction   lower is better
    Range       [0, inf]
    Unit        absolute
    Pooling     set: one value of two sets
    Sample      prediction: a generated motion; reference: a real one; either may be absent, and the sets need not be of one size
    State       feature rows of either side and the number of the caption, keyed by sample
    Undefined   no real motion: no_reference; fewer than two motions on a side: too_few_samples
    Source      Guo et al. 2022 (HumanML3D); Fréchet distance: Heusel et al. 2017
    Companions  predictions, references (motions); diversity, diversity_reference: mean distance of two motions of a side; multimodality: the same
                of the generated motions of one caption, mean over captions with several (attribute `caption`, `text` or `prompt`); kid, precision, recall, authenticity as for fid
    Checked with  the nuclear norm of the centred features' product and scipy's pdist; the network with seeded weights against PyTorch's own layers over packed sequences
    Differs from  the literature averages 20 replications that cut each motion at random places; here a motion is cut once, to a multiple of four
                frames from its start, at most 196. Diversity is over all pairs, not 300 drawn ones. R-precision and matching distance need the text
                encoder of the same evaluator and are not given. The default features are statistics of the motion, a stand-in whose values are on
                another scale; `backbone=t2m-evaluator` is the network of the literature.

    >>> from genlevel_three_d.scenes.spread import mean_distance
    >>> float(mean_distance(np.array([[0.0], [1.0], [3.0]])))
    2.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows, feature_rows
from genlevel_evaluator.statistics.frechet import frechet_distance, sample_warnings
from genlevel_evaluator.statistics.set_companions import companions
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.scenes.spread import mean_distance

_WIDTH = 512
_FEATURES = Column("f4", (_WIDTH,), ragged=True, features=True)


@dataclass(frozen=True)
class FidMotionParameters(Parameters):
    """Parameters of the Fréchet motion distance.

    Attributes:
        backbone: `t2m-evaluator` is HumanML3D's network; `kinematics` needs no weights, and its values are not comparable with published ones.
    """

    backbone: Literal["kinematics", "t2m-evaluator"] = "kinematics"


def observe(sample: Sample, parameters: FidMotionParameters) -> Row:
    """The features of the sides that are there."""
    rows = {f"{side}_features": feature_rows(sample.features.get((parameters.backbone, side)), _WIDTH) for side in ("prediction", "reference")}
    caption = next((sample.attributes[name] for name in ("caption", "text", "prompt") if sample.attributes.get(name) is not None), None)
    return {**rows, "caption": 0 if caption is None else label_number(str(caption))}


def score(rows: Rows, parameters: FidMotionParameters) -> Score:
    """Distance of the two sets."""
    generated, real = (rows.features(f"{side}_features") for side in ("prediction", "reference"))
    counts = {"predictions": float(len(generated)), "references": float(len(real))}
    if min(counts.values()) < 2:
        return Score(None, "too_few_samples" if len(real) else "no_reference", counts)
    beside = counts | companions(generated, real, "fid_motion", "kid") | {"diversity": mean_distance(generated), "diversity_reference": mean_distance(real)}
    warnings = sample_warnings(generated, real) + ("kinematics_not_t2m",) * (parameters.backbone == "kinematics")
    return Score(frechet_distance(generated, real), companions=beside | _multimodality(rows), warnings=warnings)


def _multimodality(rows: Rows) -> dict[str, float]:
    """Mean distance of two motions of one caption."""
    generated = rows.features("prediction_features")
    captions = np.repeat(rows.column("caption"), rows.lengths["prediction_features"])
    names, counts = np.unique(captions[captions != 0], return_counts=True)
    found = [mean_distance(generated[captions == name]) for name in names[counts > 1]]
    return {"multimodality": math.fsum(found) / len(found)} if found else {}


METRIC = Metric(
    id="fid_motion", version=1, input_kind="motion", unit="absolute", higher_is_better=False, value_range=(0.0, float("inf")), pooling="set",
    parameters=FidMotionParameters, columns={"prediction_features": _FEATURES, "reference_features": _FEATURES, "caption": Column("i8")},
    observe=observe, score=score, backbones=lambda parameters: (parameters.backbone,), reads=(), set_metric=True,
)  # fmt: skip
